"""Text in one form: what changes, what doesn't, and that twice is once."""

from __future__ import annotations

import itertools
import unicodedata
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError, RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.core.ragged import Ragged
from sslpipe.maps._normal_form import normal_form
from sslpipe.maps.normalize_text import NormalizeText
from tests.support_text import TEXT, rows_of, text_context, text_rows

DRAW = Draw(seed=0, step="maps.normalize_text")
PIECES = st.sampled_from(
    [*"ae \n\t\x00\x01\x85\xa0\xa8\u0301\u0323\u0344\u1100\u1161\u2028\u3000\ufb01\ufeff\uff9e\u0f73", "\r\n", "é"]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.lists(PIECES, max_size=20).map("".join)
FORMS = st.sampled_from(["NFC", "NFKC", "none"])
Unicode = Literal["NFC", "NFKC", "none"]


def normalized(texts: list[str], step: NormalizeText) -> list[str]:
    return step.open(text_context()).map(text_rows(texts), DRAW).ragged("text").to_texts()


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=3), FORMS, st.integers(0, 2))
def test_twice_is_once(texts: list[str], form: Unicode, blank: int) -> None:
    step = NormalizeText(unicode=form, max_blank_lines=blank)
    once = normalized(texts, step)
    assert normalized(once, step) == once


def test_taking_the_form_before_the_controls_go_is_caught() -> None:
    def mutant(text: str) -> str:
        return normalized([unicodedata.normalize("NFC", text)], NormalizeText(unicode="none"))[0]

    text = "e\x01\u0301"
    assert mutant(mutant(text)) != mutant(text)
    assert normalized([text], NormalizeText()) == ["é"]


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=3), FORMS)
def test_the_promises_hold(texts: list[str], form: Unicode) -> None:
    for text in normalized(texts, NormalizeText(unicode=form)):
        assert form == "none" or unicodedata.is_normalized(form, text)
        assert text == text.strip() and "\n" * 4 not in text and "\ufeff" not in text
        assert all(line == line.rstrip() for line in text.split("\n"))
        assert text.split("\n") == (text.splitlines() or [""])
        assert all(unicodedata.category(character) != "Cc" for character in text if character not in "\n\t")


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_row_knows_nothing_of_its_neighbours(texts: list[str]) -> None:
    step = NormalizeText()
    assert normalized(texts, step) == [normalized([text], step)[0] for text in texts]


@pytest.mark.parametrize(
    ("text", "step", "wanted"),
    [
        ("a\r\nb\rc\x85d\u2028e\x0cf", NormalizeText(), "a\nb\nc\nd\ne\nf"),
        ("\ufeffa\x00b\ufeff\x9fc\x7f\td", NormalizeText(), "abc\td"),
        ("  a \t\n  b\u3000\nc  ", NormalizeText(), "a\n  b\nc"),
        ("a" + "\n" * 9 + "b \n \n c\n\n\n", NormalizeText(), "a\n\n\nb\n\n c"),
        ("a\n\n\nb", NormalizeText(max_blank_lines=0), "a\nb"),
        ("e\u0301 \ufb01 \u00b2", NormalizeText(), "é \ufb01 \u00b2"),
        ("e\u0301 \ufb01 \u00b2", NormalizeText(unicode="NFKC"), "é fi 2"),
        ("e\u0301", NormalizeText(unicode="none"), "e\u0301"),
        (" \x00\n", NormalizeText(), ""),
    ],
)
def test_examples(text: str, step: NormalizeText, wanted: str) -> None:
    assert normalized([text, "plain", text], step) == [wanted, "plain", wanted]


def test_names_and_other_fields_are_left_alone() -> None:
    rows = rows_of(title=Ragged.from_texts([" a ", "b"]), text=Ragged.from_texts([" a ", "e\u0301"]))
    before = rows.ragged("text").values.copy()
    mapped = NormalizeText(field="text").map(rows, DRAW)
    assert mapped.names is rows.names and mapped["title"] is rows["title"]
    assert mapped.ragged("text").values.dtype == np.uint8
    assert np.array_equal(rows.ragged("text").values, before)
    assert NormalizeText(field="text").map(rows.view(1, 2), DRAW).ragged("text").to_texts() == ["é"]
    assert len(NormalizeText(field="text").map(rows.view(0, 0), DRAW)) == 0


MARKS = st.lists(st.sampled_from("\u0301\u0323\u0344\u0315\u0f71\u0f73\uff9e\u3099"), min_size=300, max_size=310).map("".join)


@settings(deadline=None, max_examples=20)
@given(MARKS, st.sampled_from(["a", "é", "\uff76", ""]), st.sampled_from(["NFC", "NFKC"]))
def test_long_runs_of_marks_get_the_form_of_the_standard(marks: str, base: str, form: Literal["NFC", "NFKC"]) -> None:
    text = base + marks + "b" + marks
    assert normal_form(text, form) == unicodedata.normalize(form, text)


def test_the_interpreter_gets_long_runs_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes time linear: the interpreter's insertion sort is only ever handed sorted marks."""
    moves = []

    def watched(form: str, text: str) -> str:
        classes = [unicodedata.combining(mark) for mark in text]
        moves.append(sum(a > b > 0 for a, b in itertools.pairwise(classes)))
        return plain(form, text)

    plain = unicodedata.normalize
    monkeypatch.setattr(unicodedata, "normalize", watched)
    normal_form("a" + "\u0301\u0323" * 5_000, "NFC")
    assert max(moves) == 0
    moves.clear()
    unicodedata.normalize("NFC", "a" + "\u0301\u0323" * 5_000)
    assert max(moves) > 4_000


@pytest.mark.parametrize(
    "text", ["a" + "\u0301\u0323" * 500_000, "\u3000" * 1_000_000 + "a", "a" + " \x00" * 500_000, "é\n" * 300_000]
)
def test_a_million_of_anything_is_done_in_time(text: str) -> None:
    (once,) = normalized([text], NormalizeText())
    assert len(once) <= len(text)


def test_errors_say_where() -> None:
    with pytest.raises(DataError, match="row 1 of the batch has bytes in field `text` that are not UTF-8"):
        NormalizeText(field="text").map(rows_of(text=Ragged.from_bytes([b"a", b"\xff"])), DRAW)
    with pytest.raises(SslpipeError, match=r"maps.normalize_text must be opened, or given a `field:`, before it maps"):
        NormalizeText().map(text_rows(["a"]), DRAW)
    with pytest.raises(RecipeError, match=r"maps.normalize_text needs a field of text; there is none"):
        NormalizeText().outputs({"ids": Field(kind="ids")})
    assert NormalizeText().outputs(TEXT) is TEXT
