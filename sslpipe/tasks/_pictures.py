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


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError(f"wanted the smaller number first, not [{span[0]}, {span[1]}]")
    return span


Areas = Annotated[
    tuple[Annotated[float, pydantic.Field(ge=1e-4, le=1)], Annotated[float, pydantic.Field(ge=1e-4, le=1)]],
    pydantic.AfterValidator(_ordered),
]
"""Smallest and largest share of an area."""
Ratios = Annotated[
    tuple[Annotated[float, pydantic.Field(ge=1 / 16, le=16)], Annotated[float, pydantic.Field(ge=1 / 16, le=16)]],
    pydantic.AfterValidator(_ordered),
]
"""Smallest and largest ratio of width to height (`kernels/draw_crop.py` draws no wider ones)."""
Sigmas = Annotated[
    tuple[Annotated[float, pydantic.Field(ge=1 / 16, le=100)], Annotated[float, pydantic.Field(ge=1 / 16, le=100)]],
    pydantic.AfterValidator(_ordered),
]
"""Smallest and largest standard deviation of a blur, in pixels (`kernels/blur.py` knows none below a sixteenth)."""
Spread = Annotated[Channels, pydantic.AfterValidator(lambda std: _positive(std))]
"""Standard deviations of the three channels."""


def _positive(std: Channels) -> Channels:
    if min(std) < 1e-3:
        raise ValueError(f"wanted standard deviations of values between 0 and 1, not {list(std)}")
    return std


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
