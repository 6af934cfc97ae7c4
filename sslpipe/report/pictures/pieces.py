"""Tokens as pieces of text that can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sslpipe.report.pictures.flow import Cell, flow
from sslpipe.report.pictures.fonts import Fonts
from sslpipe.report.pictures.scene import Scene
from sslpipe.report.pictures.sheet import INK, QUIET, Colour

if TYPE_CHECKING:
    from PIL.Image import Image

IGNORED: Final = -100
"""The label of a token that is no target."""
WIDTH: Final = 1400
LINES: Final = 18
"""Of one row; a longer row is cut, and says so."""
LETTERS: Final = 40
"""Of one token."""


class Pieces:
    """The text of every token of some rows, each looked up once, and a font that can show them."""

    def __init__(self, scene: Scene) -> None:
        used = {
            int(token) for sample in scene.samples for name in ("input_ids", "labels") for token in sample.values[name].tolist()
        }
        self._texts = {token: visible(scene.piece(token)) for token in used if token >= 0}
        self.fonts = Fonts(self._texts.values())

    def __getitem__(self, token: int) -> str:
        return self._texts[token]

    def ink(self, token: int) -> Colour:
        """What it is written in: line ends and their like less loud than words."""
        return QUIET if self._texts[token].strip(" ").startswith("\\") else INK

    def flow(self, cells: Sequence[Cell], width: int) -> tuple[Image, str]:
        """The cells as lines of text, and what has to be said where not all had room."""
        image, shown = flow(cells, self.fonts, width, LINES)
        return image, f", the first {shown:,} shown" if shown < len(cells) else ""


def visible(text: str) -> str:
    """A token on one line: line ends and what else can't be seen are spelt out."""
    shown = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
    return shown if len(shown) <= LETTERS else f"{shown[: LETTERS - 3]}..."
