"""The caret stands under its place, whatever the line holds."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sslpipe.recipe.snippet import Snippet
from sslpipe.recipe.source import Source


def picture(line: str, column: int) -> list[str]:
    return str(Snippet(Source.of_text("f", line, Path()), 0, column).error("m")).split("\n")


@given(st.text("abc: \t", min_size=1, max_size=400), st.data())
def test_the_caret_stands_under_its_character(line: str, data: st.DataObject) -> None:
    column = data.draw(st.integers(0, len(line) - 1))
    head, shown, caret = picture(line[:column] + "X" + line[column:], column)
    assert head == f"f:1:{column + 1}: m"
    assert shown[caret.index("^")] == "X"
    assert len(shown) <= 120


def test_wide_and_combining_characters_count_as_a_terminal_shows_them() -> None:
    assert picture("日本: x", 4)[2] == " " * 4 + " " * 6 + "^"
    assert picture("e\u0301: x", 4)[2] == " " * 4 + " " * 3 + "^"


def test_no_control_character_reaches_the_terminal() -> None:
    assert "\x1b" not in picture("a\x1b[2J", 0)[1]
