"""What picture tasks share: their field, the pixels of a row, and the affine step from bytes to what a model takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import numpy as np
import pydantic
from numpy.typing import NDArray

from sslpipe.codecs.encoded import pictures
from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Task, pick_field

Share = Annotated[float, pydantic.Field(ge=0, le=1)]
Side = Annotated[int, pydantic.Field(ge=8, le=4096)]
Channels = tuple[float, float, float]

IMAGENET_MEAN: Final[Channels] = (0.485, 0.456, 0.406)
IMAGENET_STD: Final[Channels] = (0.229, 0.224, 0.225)


def _means(mean: Channels) -> Channels:
    if not all(-10 <= each <= 10 for each in mean):
        raise ValueError("wanted means of values between 0 and 1")
    return mean


def _spreads(std: Channels) -> Channels:
    if not all(1e-3 <= each <= 1e3 for each in std):
        raise ValueError("wanted standard deviations of values between 0 and 1")
    return std


def _within(low: float, high: float) -> pydantic.AfterValidator:
    """Two numbers between two others, the smaller first."""

    def check(span: tuple[float, float]) -> tuple[float, float]:
        if not low <= span[0] <= span[1] <= high:
            raise ValueError(f"wanted two numbers from {low:g} to {high:g}, the smaller first")
        return span

    return pydantic.AfterValidator(check)


Span = tuple[float, float]
Areas = Annotated[Span, _within(1e-4, 1)]
"""Smallest and largest share of an area."""
Ratios = Annotated[Span, _within(1 / 16, 16)]
"""Smallest and largest ratio of width to height (`kernels/draw_crop.py` draws no wider ones)."""
Sigmas = Annotated[Span, _within(1 / 16, 100)]
"""Smallest and largest standard deviation of a blur, in pixels (`kernels/blur.py` knows none below a sixteenth)."""
Means = Annotated[Channels, pydantic.AfterValidator(_means)]
Spreads = Annotated[Channels, pydantic.AfterValidator(_spreads)]


def picture_outputs(task: Task, fields: Fields, field: str | None, made: Mapping[str, Field]) -> Fields:
    """The fields after a picture task: `made` in place of the picture."""
    name = pick_field(task, fields, "image", field)
    kept = {other: value for other, value in fields.items() if other != name}
    clash = sorted(set(made) & set(kept))
    if clash:
        raise RecipeError(f"{task.path()}: there is a field `{clash[0]}` already; one task makes it")
    return {**kept, **made}


def pictures_of(rows: Rows, field: str) -> Iterator[NDArray[np.uint8]]:
    """The pixels of each row as kernels want them, uint8 `[H, W, 3]`, C-contiguous.

    Of a column that is bytes nobody else sees what is decoded here, so it is let go at once: memory that is used again costs no
    page faults, which take half as long as the decoding.
    """
    column, shared = pictures(rows, field), isinstance(rows.columns[field], Encoded)
    for row in range(len(column)):
        yield np.ascontiguousarray(column.value(row) if shared else column.view(row, row + 1).value(0))


def affine(mean: Channels, std: Channels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What makes `(byte / 255 - mean) / std` out of a byte: a factor and what is added, float32 `[3]` each."""
    scale = [1 / (255 * each) for each in std]
    offset = [-middle / each for middle, each in zip(mean, std, strict=True)]
    return np.array(scale, np.float32), np.array(offset, np.float32)
