"""Tokens one after another, wrapped like words, each in its own colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sslpipe.report.pictures.fonts import Fonts
from sslpipe.report.pictures.sheet import INK, PAPER, QUIET, Colour

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SIZE: Final = 17
SMALL: Final = 13
_PAD: Final = 3
_LEADING: Final = 7


@dataclass(frozen=True)
class Cell:
    """One token as it is drawn."""

    text: str
    fill: Colour | None = None
    """Behind it."""
    ink: Colour = INK
    label: str = ""
    """Below it."""
    edge: Colour | None = None
    """Around it."""
    bar: Colour | None = None
    """Before it: something begins here."""


@dataclass(frozen=True)
class Placed:
    """A cell with its place: pixels from the left, line, pixels across."""

    cell: Cell
    left: float
    line: int
    width: float


def placed(cells: Sequence[Cell], fonts: Fonts, width: int, lines: int) -> list[Placed]:
    """Where cells stand on paper of this width, as many as find room in so many lines; leading spaces are gaps between them."""
    font, small = fonts.of(SIZE), fonts.of(SMALL)
    space = font.getlength(" ")
    found: list[Placed] = []
    x, line = 0.0, 0
    for cell in cells:
        text = fonts.drawable(cell.text)
        word = text.lstrip(" ")
        gap = space * (len(text) - len(word)) if x else 0.0
        boxed = cell.fill is not None or cell.edge is not None
        label = small.getlength(fonts.drawable(cell.label)) if cell.label else 0.0
        wide = min(max(font.getlength(word), label, space) + (2 * _PAD if boxed else 0), float(width))
        if x and x + gap + wide > width:
            x, line, gap = 0.0, line + 1, 0.0
        if line == lines:
            break
        found.append(Placed(cell, x + gap, line, wide))
        x += gap + wide + (2 if boxed else 0)
    return found


def flow(cells: Sequence[Cell], fonts: Fonts, width: int, lines: int) -> tuple[Image, int]:
    """The cells in at most so many lines, and how many of them found room."""
    from PIL import Image, ImageDraw

    found = placed(cells, fonts, width, lines)
    tall = SIZE + 2 * _PAD + (SMALL + 3 if any(cell.label for cell in cells) else 0) + _LEADING
    image = Image.new("RGB", (width, tall * (found[-1].line + 1 if found else 1)), PAPER)
    draw = ImageDraw.Draw(image)
    for place in found:
        _draw(draw, place, fonts, place.line * tall)
    return image, len(found)


def _draw(draw: ImageDraw, place: Placed, fonts: Fonts, top: int) -> None:
    cell, left, right = place.cell, place.left, place.left + place.width
    bottom = top + SIZE + 2 * _PAD
    if cell.fill is not None or cell.edge is not None:
        draw.rounded_rectangle((left, top, max(left, right - 1), bottom), 3, cell.fill, cell.edge)
    if cell.bar is not None:
        draw.rectangle((left - 2, top - 2, left, bottom + 2), cell.bar)
    middle, text = (left + right) / 2, fonts.drawable(cell.text).lstrip(" ")
    draw.text((middle, top + _PAD + SIZE / 2), text, cell.ink, fonts.of(SIZE), anchor="mm")
    if cell.label:
        draw.text((middle, bottom + 3 + SMALL / 2), fonts.drawable(cell.label), QUIET, fonts.of(SMALL), anchor="mm")
