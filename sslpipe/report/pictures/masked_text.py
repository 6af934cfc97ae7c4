"""Masked tokens: the text with its holes, and below each what has to be predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from sslpipe.report.pictures.flow import Cell
from sslpipe.report.pictures.pieces import IGNORED, WIDTH, Pieces
from sslpipe.report.pictures.scene import Sample, Scene
from sslpipe.report.pictures.sheet import INK, PAPER, QUIET, Colour, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image

MASKED: Final[Colour] = (58, 67, 77)
RANDOM: Final[Colour] = (243, 196, 152)
SAME: Final[Colour] = (190, 219, 242)
CONTROL: Final[Colour] = (226, 229, 232)
BEGINS: Final[Colour] = (42, 157, 120)


def draw_masked_text(scene: Scene) -> Image:
    """A block for each row, with its counts above."""
    pieces = Pieces(scene)
    sheet = Sheet(pieces.fonts, WIDTH, scene.title, scene.subtitle())
    marks = [(MASKED, "masked"), (RANDOM, "replaced at random"), (SAME, "left as it was"), (CONTROL, "control token"),
             (BEGINS, "a document begins")]  # fmt: skip
    sheet.legend(marks, "below a box: the token to predict")
    for sample in scene.samples:
        image, cut = pieces.flow(list(_cells(sample, scene, pieces)), sheet.inner)
        sheet.text(sample.name, _said(sample, scene.mask) + cut)
        sheet.add(image)
    return sheet.drawn()


def _said(sample: Sample, mask: int | None) -> str:
    ids, labels = sample.values["input_ids"], sample.values["labels"]
    targets = labels != IGNORED
    masked, same = int((targets & (ids == mask)).sum()), int((targets & (ids == labels)).sum())
    count = int(targets.sum())
    share = f"{count:,} of {len(ids):,} tokens are targets ({100 * count / max(1, len(ids)):.1f} %)"
    return f"{share}: {masked:,} masked, {count - masked - same:,} replaced, {same:,} as they were"


def _cells(sample: Sample, scene: Scene, pieces: Pieces) -> list[Cell]:
    ids, labels = sample.values["input_ids"], sample.values["labels"]
    documents = sample.values.get("document_ids", np.zeros(len(ids), np.int32))
    begins = np.concatenate([[False], documents[1:] != documents[:-1]])
    cells = []
    for token, label, number, new in zip(ids.tolist(), labels.tolist(), documents.tolist(), begins.tolist(), strict=True):
        bar = BEGINS if new and number >= 0 else None
        if number < 0 or (token in scene.control and label == IGNORED):
            cells.append(Cell(pieces[token].strip() or "pad", CONTROL, QUIET, bar=bar))
        elif label == IGNORED:
            cells.append(Cell(pieces[token], ink=pieces.ink(token), bar=bar))
        else:
            fill = MASKED if token == scene.mask else SAME if token == label else RANDOM
            gap = " " if pieces[label].startswith(" ") else ""  # as it was, so that the text can be read
            ink = PAPER if fill == MASKED else INK
            cells.append(Cell(gap + pieces[token].lstrip(), fill, ink, pieces[label].strip() or "space", bar=bar))
    return cells
