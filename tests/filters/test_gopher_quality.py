"""Every rule of Gopher, on its limit and one beyond it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.fields import Field
from sslpipe.core.steps import Measures
from sslpipe.filters import gopher_quality
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.measures.text_statistics import TextStatistics
from tests.support_text import TEXT, text_context, text_rows

GOOD = {
    "words": 100,
    "tokens": 100,
    "word_characters": 500,
    "hashes": 0,
    "ellipses": 0,
    "lines": 100,
    "bullet_lines": 0,
    "ellipsis_lines": 0,
    "alphabetic_tokens": 100,
    "stop_words": 8,
}

LIMITS: list[tuple[str, dict[str, int], dict[str, int]]] = [
    ("gopher.too_few_words", {"words": 50, "word_characters": 200}, {"words": 49, "word_characters": 200}),
    ("gopher.too_many_words", {"words": 100_000, "word_characters": 500_000}, {"words": 100_001, "word_characters": 500_000}),
    ("gopher.short_words", {"word_characters": 300}, {"word_characters": 299}),
    ("gopher.long_words", {"word_characters": 1000}, {"word_characters": 1001}),
    ("gopher.hashes", {"hashes": 10}, {"hashes": 11}),
    ("gopher.ellipses", {"ellipses": 10}, {"ellipses": 11}),
    ("gopher.bullet_lines", {"bullet_lines": 90}, {"bullet_lines": 91}),
    ("gopher.ellipsis_lines", {"ellipsis_lines": 30}, {"ellipsis_lines": 31}),
    ("gopher.non_alphabetic_words", {"alphabetic_tokens": 80}, {"alphabetic_tokens": 79}),
    ("gopher.too_few_stop_words", {"stop_words": 2}, {"stop_words": 1}),
]


def measured(**changes: int) -> Measures:
    return {name: np.array([count], np.int64) for name, count in {**GOOD, **changes}.items()}


def reason(step: GopherQuality, measures: Measures) -> str | None:
    verdicts = step.judge(measures)
    return verdicts.reasons[verdicts.codes[0] - 1] if verdicts.codes[0] else None


def limits_hold() -> bool:
    return all(
        reason(GopherQuality(), measured(**on)) is None and reason(GopherQuality(), measured(**beyond)) == name
        for name, on, beyond in LIMITS
    )


@pytest.mark.parametrize(("name", "on", "beyond"), LIMITS, ids=[name for name, _, _ in LIMITS])
def test_a_value_on_a_limit_is_kept(name: str, on: dict[str, int], beyond: dict[str, int]) -> None:
    assert reason(GopherQuality(), measured(**on)) is None
    assert reason(GopherQuality(), measured(**beyond)) == name


EXPLAINED = {
    "gopher.too_few_words": "49 words, min_words is 50",
    "gopher.too_many_words": "100,001 words, max_words is 100,000",
    "gopher.short_words": "299 word characters / 100 words = 2.99, min_mean_word_length is 3",
    "gopher.long_words": "1,001 word characters / 100 words = 10.01, max_mean_word_length is 10",
    "gopher.hashes": "11 hashes / 100 tokens = 0.11, max_hash_ratio is 0.1",
    "gopher.ellipses": "11 ellipses / 100 tokens = 0.11, max_ellipsis_ratio is 0.1",
    "gopher.bullet_lines": "91 bullet lines / 100 lines = 0.91, max_bullet_lines is 0.9",
    "gopher.ellipsis_lines": "31 ellipsis lines / 100 lines = 0.31, max_ellipsis_lines is 0.3",
    "gopher.non_alphabetic_words": "79 alphabetic tokens / 100 tokens = 0.79, min_alphabetic_words is 0.8",
    "gopher.too_few_stop_words": "1 stop words, min_stop_words is 2",
}


@pytest.mark.parametrize(("name", "beyond"), [(name, beyond) for name, _, beyond in LIMITS])
def test_each_reason_names_its_number_and_threshold(name: str, beyond: dict[str, int]) -> None:
    assert GopherQuality().explain(name, {**GOOD, **beyond}) == EXPLAINED[name]


def _frees(name: str, beyond: dict[str, int], explained: str) -> bool:
    """Whether moving the threshold that an explanation names, to the number that it names, keeps the row."""
    number, _, threshold = explained.partition(", m")
    field = "m" + threshold.partition(" is ")[0]
    counts = [int(word.replace(",", "")) for word in number.split() if word[0].isdigit() and "." not in word]
    value = counts[0] if len(counts) == 1 else counts[0] / counts[1]
    return reason(GopherQuality(**{field: value}), measured(**beyond)) is None


@pytest.mark.parametrize(("name", "beyond"), [(name, beyond) for name, _, beyond in LIMITS])
def test_the_named_threshold_is_the_one_that_dropped_the_row(name: str, beyond: dict[str, int]) -> None:
    assert _frees(name, beyond, GopherQuality().explain(name, {**GOOD, **beyond}))


def test_an_explanation_by_another_threshold_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    name, _, beyond = LIMITS[4]
    monkeypatch.setitem(gopher_quality._DECIDING, name, gopher_quality._DECIDING["gopher.ellipses"])
    assert not _frees(name, beyond, GopherQuality().explain(name, {**GOOD, **beyond}))


def test_the_reasons_are_these_in_this_order() -> None:
    assert GopherQuality().judge(measured()).reasons == tuple(name for name, _, _ in LIMITS)
    broken = {key: value for _, _, beyond in reversed(LIMITS) for key, value in beyond.items()}
    assert reason(GopherQuality(), measured(**broken)) == "gopher.too_few_words"


@pytest.mark.parametrize("name", ["above", "below"])
def test_a_limit_taken_as_beyond_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits_hold()
    other = {"above": gopher_quality.below, "below": gopher_quality.above}[name]
    monkeypatch.setattr(gopher_quality, name, lambda part, whole, limit: ~other(part, whole, limit))
    assert not limits_hold()


@pytest.mark.parametrize("scale", [1, 3, 7, 10**6])
def test_a_tenth_is_a_tenth_of_any_count(scale: int) -> None:
    sizes = {"tokens": 10 * scale, "alphabetic_tokens": 10 * scale}
    assert reason(GopherQuality(), measured(**sizes, hashes=scale)) is None
    assert reason(GopherQuality(), measured(**sizes, hashes=scale + 1)) == "gopher.hashes"


def test_nothing_is_dropped_for_shares_of_nothing() -> None:
    empty = GopherQuality(min_words=0, min_stop_words=0)
    assert reason(empty, measured(**dict.fromkeys(GOOD, 0))) is None


def test_from_text_to_verdict() -> None:
    prose = "It is a truth of the heart that people with good books have to be happy and kind. " * 4
    texts = [prose, prose[:40], "zz " * 60, prose + "# " * 20, "the of " * 5 + "9 8 7 6 55 " * 20, "- of the thing\n" * 20]
    step = GopherQuality().open(text_context())
    (measure,) = step.needs()
    verdicts = step.judge(measure.measure(text_rows(texts)))
    reasons = [None, *verdicts.reasons]
    assert [reasons[code] for code in verdicts.codes] == [
        None,
        "gopher.too_few_words",
        "gopher.short_words",
        "gopher.hashes",
        "gopher.short_words",
        "gopher.bullet_lines",
    ]


def test_filters_of_one_field_share_their_measure() -> None:
    opened = GopherQuality().open(text_context())
    assert opened.needs() == GopherQuality(field="text", min_words=1).needs() == (TextStatistics(field="text"),)


def test_fields_are_checked_at_plan_time() -> None:
    assert GopherQuality().outputs(TEXT) is TEXT
    with pytest.raises(RecipeError, match=r"filters.gopher_quality needs a field of text; there are several"):
        GopherQuality().outputs({"a": Field(kind="text"), "b": Field(kind="text")})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_words": 9, "max_words": 8}, r"min_words \(9\) is above max_words \(8\): nothing would be kept"),
        ({"min_mean_word_length": 11}, r"min_mean_word_length \(11.0\) is above max_mean_word_length \(10\.?0?\)"),
        ({"min_words": -1}, r"^filters.gopher_quality: got -1 for `min_words`, wanted a whole number of at least 0$"),
        ({"max_bullet_lines": 1.1}, "got 1.1 for `max_bullet_lines`, wanted a number from 0 to 1"),
        ({"max_hash_ratio": float("nan")}, "got NaN for `max_hash_ratio`, wanted a number of at least 0"),
        ({"min_stop_words": 9}, "got 9 for `min_stop_words`, wanted a whole number from 0 to 8"),
        ({"max_hashes": 1}, "got `max_hashes`, wanted a field of `filters.gopher_quality`: field, min_words, "),
    ],
)
def test_impossible_settings_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        GopherQuality(**fields)
