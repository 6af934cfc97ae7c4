"""A font that has the letters of a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_OTHERS: Final = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "LiberationSans-Regular.ttf",
    "Arial Unicode.ttf",
)
"""Fonts of the system that are tried for letters which Pillow's own lacks; it has little beyond ASCII."""
_NONE: Final = "\u0378"
"""A code that is no letter: it is drawn as whatever stands for a missing one."""


class Fonts:
    """Pillow's own font, or the first of the system's that lacks fewer of the letters of some texts."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        letters = "".join(sorted({letter for text in texts for letter in text if letter.isprintable()}))
        self._name = ""
        lacking = _lacking("", letters)
        for name in _OTHERS if lacking else ():
            if _font(name, 16) is not None and len(_lacking(name, letters)) < len(lacking):
                self._name, lacking = name, _lacking(name, letters)
        self._lacking = frozenset(lacking)

    def of(self, size: int) -> FreeTypeFont:
        """The font in one size, in pixels."""
        font = _font(self._name, size)
        assert font is not None
        return font

    def drawable(self, text: str) -> str:
        """The text with letters that the font lacks replaced by their plain form where it has that."""
        return "".join(self._plain(letter) if letter in self._lacking else letter for letter in text)

    def _plain(self, letter: str) -> str:
        base = unicodedata.normalize("NFKD", letter)
        plain = "".join(part for part in base if not unicodedata.combining(part))
        return plain if plain != letter and not _lacking(self._name, plain) else letter


@lru_cache(maxsize=32)
def _font(name: str, size: int) -> FreeTypeFont | None:
    from PIL import ImageFont

    if name:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            return None  # not installed here
    return ImageFont.load_default(size)  # type: ignore[return-value]


@lru_cache(maxsize=4096)
def _lacking(name: str, letters: str) -> str:
    font = _font(name, 16)
    assert font is not None
    nothing = bytes(font.getmask(_NONE))
    return "".join(letter for letter in letters if letter != " " and bytes(font.getmask(letter)) == nothing)
