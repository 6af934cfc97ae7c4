"""Which picture fits what a task hands out: known by its names (`docs/tasks.md`), so foreign tasks are drawn too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from sslpipe.report.pictures.frames import draw_frames
from sslpipe.report.pictures.masked_text import draw_masked_text
from sslpipe.report.pictures.packed_text import draw_packed_text
from sslpipe.report.pictures.patches import draw_patches
from sslpipe.report.pictures.pieces import IGNORED
from sslpipe.report.pictures.scene import Sample, Scene
from sslpipe.report.pictures.views import draw_views

if TYPE_CHECKING:
    from PIL.Image import Image

Drawer = Callable[[Scene], "Image"]

_BY_NAMES: Final[tuple[tuple[tuple[str, ...], Drawer], ...]] = (
    (("views",), draw_views),
    (("pixel_values", "bool_masked_pos"), draw_patches),
    (("input_values", "mask_time_indices"), draw_frames),
)


def drawer_of(samples: Sequence[Sample]) -> Drawer | None:
    """What draws rows with these names; None where nothing does."""
    names = set(samples[0].values)
    for wanted, drawer in _BY_NAMES:
        if names.issuperset(wanted):
            return drawer
    if {"input_ids", "labels"} <= names:
        return draw_packed_text if all(map(_foretells, samples)) else draw_masked_text
    return None


def _foretells(sample: Sample) -> bool:
    """Whether labels are the row's own tokens, where they stand or one step on: then nothing is hidden in it."""
    ids, labels = sample.values["input_ids"], sample.values["labels"]
    targets = labels != IGNORED
    following = np.append(ids[1:], IGNORED)
    return any(np.array_equal(tokens[targets], labels[targets]) for tokens in (ids, following))
