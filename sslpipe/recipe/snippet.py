"""A place in a recipe, and the error that shows it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from sslpipe.core.errors import RecipeError
from sslpipe.recipe.source import Source

_WIDTH: Final = 110
_INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class Snippet:
    """A line and a column of a source, both from 0."""

    source: Source
    """What it is a place in."""
    line: int = 0
    """From 0."""
    column: int = 0
    """In characters, from 0."""

    def error(self, message: str, hint: str = "") -> RecipeError:
        """`file:line:col: message`, the line, and a caret under the place with the hint behind it."""
        if not self.source.lines:
            return RecipeError(f"{self.source.file}: {message}" + (f"; {hint}" if hint else ""))
        where = f"{self.source.file}:{self.line + 1}:{self.column + 1}"
        return RecipeError(f"{where}: {message}\n{self._picture(hint)}")

    def _picture(self, hint: str) -> str:
        line = self.source.lines[min(self.line, len(self.source.lines) - 1)]
        start = max(0, self.column - _WIDTH * 2 // 3) if len(line) > _WIDTH else 0
        shown = "".join(char if char.isprintable() else _stand_in(char) for char in line[start : start + _WIDTH])
        before = ("..." if start else "") + shown[: self.column - start]
        cut = "..." if start + _WIDTH < len(line) else ""
        text = f"{_INDENT}{before}{shown[self.column - start :]}{cut}"
        return f"{text.rstrip()}\n{_INDENT}{' ' * _columns(before)}^" + (f" {hint}" if hint else "")


def _stand_in(char: str) -> str:
    """A tab is one space, so that the caret stands right; control characters never reach a terminal."""
    return " " if char == "\t" or unicodedata.category(char) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def _columns(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)
