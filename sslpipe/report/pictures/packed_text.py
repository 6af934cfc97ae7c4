"""Next tokens: where the documents of a row begin and end."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.report.pictures.flow import Cell
from sslpipe.report.pictures.fonts import Fonts
from sslpipe.report.pictures.pieces import IGNORED, WIDTH, Pieces
from sslpipe.report.pictures.scene import Sample, Scene
from sslpipe.report.pictures.sheet import INK, PAPER, QUIET, Colour, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image

DOCUMENTS: Final[tuple[Colour, ...]] = (
    (205, 233, 221), (250, 222, 191), (222, 216, 245), (249, 209, 214), (204, 226, 244), (240, 234, 185),
)  # fmt: skip
"""One document after another, so that neighbours differ."""
PADDING: Final[Colour] = (236, 238, 240)
_STRIP: Final = 22


def draw_packed_text(scene: Scene) -> Image:
    """A block for each row: a strip of its documents in scale, and its text."""
    pieces = Pieces(scene)
    sheet = Sheet(pieces.fonts, WIDTH, scene.title, scene.subtitle())
    padded = any((_documents(sample) < 0).any() for sample in scene.samples)
    marks = [*((colour, "") for colour in DOCUMENTS[:-1]), (DOCUMENTS[-1], "one document after another")]
    note = "an outlined token is no target: its neighbour is another document's"
    sheet.legend([*marks, (PADDING, "padding")] if padded else marks, note)
    for sample in scene.samples:
        image, cut = pieces.flow(_cells(sample, pieces), sheet.inner)
        sheet.text(sample.name, _said(sample) + cut)
        sheet.add(_strip(_documents(sample), sheet.inner, pieces.fonts), 10)
        sheet.add(image)
    return sheet.drawn()


def _documents(sample: Sample) -> NDArray[Any]:
    """The number of each token's document; a plain row is one."""
    return sample.values.get("document_ids", np.zeros(len(sample.values["input_ids"]), np.int32))


def _said(sample: Sample) -> str:
    documents, targets = _documents(sample), int((sample.values["labels"] != IGNORED).sum())
    count, padding = len(np.unique(documents[documents >= 0])), int((documents < 0).sum())
    said = f"{len(documents):,} tokens of {count:,} document{'s' * (count != 1)}, {targets:,} targets"
    return said + (f", {padding:,} padding" if padding else "")


def _cells(sample: Sample, pieces: Pieces) -> list[Cell]:
    columns = (sample.values["input_ids"], sample.values["labels"], _documents(sample))
    cells = []
    for token, label, number in zip(*(column.tolist() for column in columns), strict=True):
        colour = DOCUMENTS[number % len(DOCUMENTS)]
        if number < 0:
            cells.append(Cell(pieces[token].strip() or "pad", PADDING, QUIET))
        elif label == IGNORED:
            cells.append(Cell(pieces[token], colour, pieces.ink(token), edge=INK))
        else:
            cells.append(Cell(pieces[token], colour, pieces.ink(token)))
    return cells


def _strip(documents: NDArray[Any], width: int, fonts: Fonts) -> Image:
    """The row as a band, each document as long as its share; with the number of its tokens where there is room."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, _STRIP), PAPER)
    draw, font = ImageDraw.Draw(image), fonts.of(13)
    edges = [0, *(np.flatnonzero(documents[1:] != documents[:-1]) + 1).tolist(), len(documents)]
    for start, stop in itertools.pairwise(edges):
        number = int(documents[start])
        left, right = width * start / len(documents), width * stop / len(documents)
        draw.rectangle((left, 0, max(left, right - 2), _STRIP), DOCUMENTS[number % len(DOCUMENTS)] if number >= 0 else PADDING)
        words = f"{stop - start:,}"
        if font.getlength(words) + 8 < right - left:
            draw.text(((left + right) / 2, _STRIP / 2), words, INK if number >= 0 else QUIET, font, anchor="mm")
    return image
