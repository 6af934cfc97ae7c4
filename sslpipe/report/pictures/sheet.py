"""A sheet of paper: a title, a legend, and pictures one below another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sslpipe.report.pictures.fonts import Fonts

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Colour = tuple[int, int, int]

PAPER: Final[Colour] = (255, 255, 255)
INK: Final[Colour] = (29, 35, 41)
QUIET: Final[Colour] = (112, 122, 132)
RULE: Final[Colour] = (223, 227, 230)
MARGIN: Final = 36
GAP: Final = 26
TALLEST: Final = 20_000
"""Pixels; what would be lower down is left out, and the sheet says so."""


class Sheet:
    """Gathers blocks of one width, then draws them all."""

    def __init__(self, fonts: Fonts, width: int, title: str, subtitle: str) -> None:
        self._fonts, self._width = fonts, width
        self._blocks: list[tuple[Image, int]] = []
        """Each with the gap below it."""
        self._left_out = 0
        self._height = 2 * MARGIN
        self.add(self._head(title, subtitle))

    @property
    def inner(self) -> int:
        """The width of a block."""
        return self._width - 2 * MARGIN

    def add(self, block: Image, gap: int = GAP) -> None:
        """Put a block below the others, and so many pixels below it."""
        if self._height + block.height + gap > TALLEST and self._blocks:
            self._left_out += 1
            return
        self._blocks.append((block, gap))
        self._height += block.height + gap

    def legend(self, marks: Sequence[tuple[Colour, str]], note: str = "") -> None:
        """Explain colours, in one line."""
        block, draw = self._blank(22)
        font, x = self._fonts.of(15), 0.0
        for colour, words in marks:
            draw.rounded_rectangle((x, 4, x + 14, 18), 3, colour)
            draw.text((x + 21, 11), words, INK, font, anchor="lm")
            x += 21 + (font.getlength(words) + 26 if words else 0)
        draw.text((x, 11), note, QUIET, font, anchor="lm")
        self.add(block)

    def text(self, words: str, more: str) -> None:
        """A line of text below a rule, the second part of it less loud."""
        block, draw = self._blank(34)
        font = self._fonts.of(15)
        draw.line((0, 0, self.inner, 0), RULE)
        draw.text((0, 24), words, INK, font, anchor="lm")
        draw.text((font.getlength(words) + 14, 24), more, QUIET, font, anchor="lm")
        self.add(block, 12)

    def drawn(self) -> Image:
        """The whole sheet."""
        from PIL import Image

        if self._left_out:
            block, draw = self._blank(22)
            words = f"{self._left_out} more blocks have no room on this sheet; ask for fewer rows"
            draw.text((0, 11), words, QUIET, self._fonts.of(15), anchor="lm")
            self._blocks.append((block, GAP))
            self._height += block.height + GAP
        sheet = Image.new("RGB", (self._width, self._height - GAP), PAPER)
        y = MARGIN
        for block, gap in self._blocks:
            sheet.paste(block, (MARGIN, y))
            y += block.height + gap
        return sheet

    def _head(self, title: str, subtitle: str) -> Image:
        block, draw = self._blank(62)
        draw.text((0, 14), title, INK, self._fonts.of(28), anchor="lm")
        draw.text((0, 50), self._cut(subtitle), QUIET, self._fonts.of(15), anchor="lm")
        return block

    def _cut(self, words: str) -> str:
        """Words that have room on one line."""
        font, shown = self._fonts.of(15), words
        while shown and font.getlength(shown + "...") > self.inner:
            shown = shown[:-1]
        return words if font.getlength(words) <= self.inner else f"{shown}..."

    def _blank(self, height: int) -> tuple[Image, ImageDraw]:
        from PIL import Image, ImageDraw

        block = Image.new("RGB", (self.inner, height), PAPER)
        return block, ImageDraw.Draw(block)
