"""The thresholds that filters tell for pictures are those that they judge by."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.core.errors import FieldError
from sslpipe.core.rooms import class_of
from sslpipe.core.steps import Filter, Limit, Numbers
from sslpipe.filters.audio_levels import AudioLevels
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.filters.image_quality import ImageQuality
from sslpipe.recipe.registry import step_names

FILTERS = [name.partition(".")[2] for name in step_names("filters")]


def names(step: Filter) -> list[str]:
    return [name for measure in step.needs() for name in measure.names()]


def wrong(step: Filter) -> list[str]:
    """What a filter tells that isn't so."""
    reasons = step.judge({name: np.empty(0, np.int64) for name in names(step)}).reasons
    problems = []
    for limit in step.limits():
        if limit.reason not in reasons:
            problems.append(f"no reason {limit.reason}")
        elif {limit.part, *limit.whole} - {*names(step)}:
            problems.append(f"{limit.reason} compares what is not measured")
        elif limit.value != getattr(step, limit.field):
            problems.append(f"{limit.field} is not {limit.value}")
        elif f"{limit.field} is " not in step.explain(limit.reason, dict.fromkeys(names(step), 7)):
            problems.append(f"{limit.reason} is explained by another field")
    return problems


@pytest.mark.parametrize("name", FILTERS)
def test_limits_are_what_the_filter_has(name: str) -> None:
    step = class_of("sslpipe.filters", name)()
    assert isinstance(step, Filter)
    assert wrong(step) == []


class Wrong(GopherQuality):
    """Tells one limit, changed."""

    def limits(self) -> tuple[Limit, ...]:
        """The one about hashes."""
        right = next(limit for limit in super().limits() if limit.reason == "gopher.hashes")
        return (Limit(**{**vars(right), **CHANGE}),)


CHANGE: dict[str, object] = {}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"reason": "gopher.nothing"}, "no reason gopher.nothing"),
        ({"whole": ("letters",)}, "gopher.hashes compares what is not measured"),
        ({"value": 0.2}, "max_hash_ratio is not 0.2"),
        ({"reason": "gopher.ellipses"}, "gopher.ellipses is explained by another field"),
    ],
)
def test_a_wrong_limit_is_caught(change: dict[str, object], problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "CHANGE", change)
    assert wrong(Wrong()) == [problem]


def beyond(limit: Limit, numbers: Numbers) -> bool:
    """Whether a row is on the wrong side, in fractions."""
    whole = limit.unit * math.prod(numbers[name] for name in limit.whole)
    part, threshold = Fraction(numbers[limit.part]), Fraction(repr(float(limit.value))) * Fraction(whole)
    return part < threshold if limit.drops == "below" else part > threshold


def disagreement(step: Filter, numbers: Numbers) -> str:
    """Where verdict and limits differ about a row: one that is kept is beyond none, one that is dropped beyond its own."""
    verdicts = step.judge({name: np.array([number], np.int64) for name, number in numbers.items()})
    reason = verdicts.reasons[verdicts.codes[0] - 1] if verdicts.codes[0] else None
    missed = [limit.reason for limit in step.limits() if beyond(limit, numbers)]
    if reason is None:
        return f"kept beyond {missed}" if missed else ""
    return "" if reason in missed else f"{reason} is not beyond its limit"


STEPS = (GopherQuality(min_words=3, min_stop_words=1), ImageQuality(min_side=3), AudioLevels(min_s=0.5, max_s=3))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.path())
@given(st.data())
def test_limits_and_verdicts_agree(step: Filter, data: st.DataObject) -> None:
    few = st.integers(0, 12) | st.integers(0, 2**24)
    assert disagreement(step, {name: data.draw(few) for name in names(step)}) == ""


GOOD = {"frames": 16_000, "rate": 16_000, "channels": 2, "peak": 1, "clipped": 0, "dc": 0, "slices": 50, "silent_slices": 0}


@pytest.mark.parametrize(("place", "change"), [(0, {"drops": "above"}), (3, {"whole": ("frames",)}), (4, {"unit": 1})])
def test_a_limit_of_another_side_whole_or_unit_is_caught(
    place: int, change: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = AudioLevels(min_s=0.5, max_s=3)
    limits = list(step.limits())
    limits[place] = Limit(**{**vars(limits[place]), **change})
    monkeypatch.setattr(AudioLevels, "limits", lambda _: tuple(limits))
    rows = (GOOD, {**GOOD, "clipped": 200}, {**GOOD, "dc": 2**23})
    assert any(disagreement(step, numbers) for numbers in rows)


def test_every_rule_has_its_limit() -> None:
    told = {limit.reason: (limit.part, limit.whole, limit.value, limit.drops) for limit in GopherQuality(min_words=7).limits()}
    assert len(told) == 10
    assert told["gopher.too_few_words"] == ("words", (), 7, "below")
    assert told["gopher.hashes"] == ("hashes", ("tokens",), 0.1, "above")
    assert [limit.field for limit in AudioLevels().limits()] == ["min_s", "max_silence", "max_clipped", "max_dc"]
    assert [limit.unit for limit in ImageQuality().limits()] == [1, 1, 1, 1000]


def test_sound_is_explained_by_its_shares() -> None:
    step = AudioLevels(min_s=2, max_s=3)
    numbers = {**GOOD, "clipped": 500, "dc": 16_000 * 2**23 // 16}
    assert step.explain("audio.too_short", numbers) == "frames / rate = 1, min_s is 2.0"
    assert step.explain("audio.clipped", numbers) == "clipped / frames * channels = 0.0156, max_clipped is 0.01"
    assert step.explain("audio.dc", numbers) == "dc / frames = 0.0625, max_dc is 0.05"
    with pytest.raises(FieldError):
        AudioLevels(min_s=3, max_s=2)
