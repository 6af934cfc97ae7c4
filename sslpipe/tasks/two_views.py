"""Augmented views, for contrastive learning and its kin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pydantic
from numpy.typing import NDArray

from sslpipe.core.draw import Draw
from sslpipe.core.fields import Field, Fields, Kind
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Labeller, Task, pick_field
from sslpipe.tasks._pictures import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Areas,
    Means,
    Ratios,
    Share,
    Side,
    Sigmas,
    Spreads,
    affine,
    picture_outputs,
    pictures_of,
)

_PARAMETERS = 12
"""Columns of `view_params`, named in `kernels/two_views.py`."""


class TwoViews(Task):
    """Two views of each picture, cropped and recoloured apart, which a model should find alike (SimCLR, arXiv 2002.05709).

    Pixels stay bytes until the last affine step, so a view is the same on every processor, and within a few of 255 of what
    torchvision makes of the same draws. The picture is decoded whole: decoding less of a large one would be quicker, and would
    make other views before and after it was stored smaller.

    Defaults are those of SimCLR on ImageNet. MoCo v2 (arXiv 2003.04297) is `scale=(0.2, 1)`, `brightness=0.4`, `contrast=0.4`,
    `saturation=0.4`, `hue=0.1`; SimCLR on CIFAR is `size=32`, the same four strengths, and `blur=0`.
    """

    kind: ClassVar[Kind] = "image"

    size: Side = 224
    """Side of a view in pixels."""
    views: int = pydantic.Field(default=2, ge=1, le=64)
    """How many views, each drawn by itself."""
    scale: Areas = (0.08, 1.0)
    """Smallest and largest share of the picture's area that a crop has; uniform between."""
    ratio: Ratios = (3 / 4, 4 / 3)
    """Smallest and largest ratio of its width to its height; uniform in the logarithm."""
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    """How crops are resized, antialiased either way."""
    flip: Share = 0.5
    """Probability of a mirrored view."""
    jitter: Share = 0.8
    """Probability of a change of colours by the next four, in an order drawn for each view."""
    brightness: Share = 0.8
    """Values are multiplied by a factor from 1 less this to 1 plus this."""
    contrast: Share = 0.8
    """The same for the distance of values from the mean grey of the view."""
    saturation: Share = 0.8
    """The same for the distance of values from the grey of their pixel."""
    hue: float = pydantic.Field(default=0.2, ge=0, le=0.5)
    """Hues turn by at most this part of a full turn, either way."""
    gray: Share = 0.2
    """Probability of a grey view."""
    blur: Share = 0.5
    """Probability of a Gaussian blur."""
    sigma: Sigmas = (0.1, 2.0)
    """Smallest and largest standard deviation of the blur in pixels of the view; uniform between."""
    blur_kernel: int | None = pydantic.Field(default=None, ge=1)
    """Pixels across that the blur looks at, odd; by default a tenth of `size`, made odd: 23 of 224 (SimCLR)."""
    output: Literal["float32", "uint8"] = "float32"
    """`float32`: normalised; `uint8`: a quarter of the memory, for trainers that normalise on the GPU."""
    mean: Means = IMAGENET_MEAN
    """What is taken off each channel, of values between 0 and 1."""
    std: Spreads = IMAGENET_STD
    """By what each channel is divided then."""
    view_params: bool = False
    """Whether to hand out what was drawn as well (`docs/tasks.md`)."""
    field: str | None = None
    """The field of pictures; by default the only one."""

    @pydantic.model_validator(mode="after")
    def _blur_fits(self) -> Self:
        if self.blur_kernel is not None and (self.blur_kernel % 2 == 0 or self.blur_kernel // 2 >= self.size):
            raise ValueError(f"blur_kernel {self.blur_kernel} should be odd and below twice the size {self.size}")
        return self

    @property
    def radius(self) -> int:
        """Pixels to either side that the blur looks at."""
        return (self.size // 10 | 1 if self.blur_kernel is None else self.blur_kernel) // 2

    def outputs(self, fields: Fields) -> Fields:
        """`views`, `[views, 3, size, size]`, in place of the picture; `view_params`, float32 `[views, 12]`, if asked for."""
        made = {"views": Field(kind="array", dtype=self.output, shape=(self.views, 3, self.size, self.size))}
        if self.view_params:
            made["view_params"] = Field(kind="array", dtype="float32", shape=(self.views, _PARAMETERS))
        return picture_outputs(self, fields, self.field, made)

    def minimum(self) -> int:
        """One byte: a picture of any size can be cropped."""
        return 1

    def open(self, context: Context) -> Labeller:
        """The task with its field and its laws at hand."""
        from sslpipe.kernels.draw_crop import crop_law
        from sslpipe.kernels.two_views import view_law

        strengths = self.brightness, self.contrast, self.saturation, self.hue
        law = view_law((self.flip, self.jitter, self.gray, self.blur), strengths, self.sigma)
        field = pick_field(self, context.fields, "image", self.field)
        return _Opened(self, field, crop_law(self.scale, self.ratio), law, *affine(self.mean, self.std))


@dataclass(frozen=True)
class _Opened:
    step: TwoViews
    field: str
    crop: NDArray[np.int64]
    law: NDArray[np.int64]
    factor: NDArray[np.float32]
    offset: NDArray[np.float32]

    def label(self, rows: Rows, draw: Draw) -> Rows:
        """The views of a batch."""
        from sslpipe.kernels.two_views import UNITS, draw_views, make_views, views_room

        step, size = self.step, self.step.size
        words = rows.names.words()
        keys = np.stack([draw.for_view(view).keys(len(rows)) for view in range(step.views)], axis=1)
        views = np.empty((len(rows), step.views, 3, size, size), step.output)
        drawn = np.empty((len(rows), step.views, len(UNITS)), np.int64)
        lines, room = np.empty((step.views, 3 * size * size), np.uint8), np.empty(0, np.uint8)
        for row, pixels in enumerate(pictures_of(rows, self.field)):
            height, width, _ = pixels.shape
            needed = views_room(height, width, size)
            room = room if len(room) >= needed else np.empty(needed, np.uint8)
            draw_views(words[row], keys[row], height, width, self.crop, self.law, drawn[row])
            make_views(pixels, drawn[row], step.interpolation == "bicubic", size, step.radius, room, lines)
            self._hand_out(lines, views[row])
        made: dict[str, NDArray[Any]] = {"views": views}
        if step.view_params:
            made["view_params"] = (drawn / UNITS).astype(np.float32)
        return rows.without(self.field).with_columns(**made)

    def _hand_out(self, lines: NDArray[np.uint8], out: NDArray[Any]) -> None:
        from sslpipe.kernels.planes import copy_planes, normalise_planes

        if self.step.output == "uint8":
            copy_planes(lines, out)
        else:
            normalise_planes(lines, self.factor, self.offset, out)
