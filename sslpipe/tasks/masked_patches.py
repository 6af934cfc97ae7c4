"""Masked patches, for models of the MAE family."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
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
    Spreads,
    affine,
    picture_outputs,
    pictures_of,
)


class MaskedPatches(Task):
    """Hide most patches of a picture and predict them from the rest (MAE, arXiv 2111.06377).

    The picture is cropped and mirrored, nothing else. Of its patches an exact number is hidden, every choice of as many being
    as likely. All pixels are handed out: the encoder takes the patches of `ids_keep`, the loss those of `bool_masked_pos`, so a
    trainer can also hide in its own way. A size that patches don't fill is refused.
    """

    kind: ClassVar[Kind] = "image"

    size: Side = 224
    """Side of the picture in pixels, a multiple of `patch`."""
    patch: int = pydantic.Field(default=16, ge=1)
    """Side of a patch in pixels."""
    ratio: Share = 0.75
    """The share of patches hidden: `round_half_even(ratio * N)` of `N`, 147 of 196 (MAE); at least one is, and one isn't."""
    scale: Areas = (0.2, 1.0)
    """Smallest and largest share of the picture's area that the crop has (MAE); uniform between."""
    aspect: Ratios = (3 / 4, 4 / 3)
    """Smallest and largest ratio of its width to its height; uniform in the logarithm."""
    interpolation: Literal["bilinear", "bicubic"] = "bicubic"
    """How the crop is resized, antialiased either way (MAE: bicubic)."""
    flip: Share = 0.5
    """Probability of a mirrored picture."""
    mean: Means = IMAGENET_MEAN
    """What is taken off each channel, of values between 0 and 1."""
    std: Spreads = IMAGENET_STD
    """By what each channel is divided then."""
    patch_targets: bool = False
    """Whether to hand out what MAE predicts as well: the values of each patch, less their mean, over their spread."""
    field: str | None = None
    """The field of pictures; by default the only one."""

    @pydantic.model_validator(mode="after")
    def _patches_fit(self) -> Self:
        if self.size % self.patch:
            raise ValueError(f"size {self.size} should be a multiple of patch {self.patch}")
        if not 1 <= self.masked <= self.patches - 1:
            raise ValueError(f"ratio {self.ratio} hides {self.masked} of {self.patches} patches; one must be, and one must not")
        return self

    @property
    def patches(self) -> int:
        """How many patches a picture has."""
        return (self.size // self.patch) ** 2

    @property
    def masked(self) -> int:
        """How many of them are hidden; the ratio counts as it is written, so 0.575 of 100 is 58."""
        return round(Fraction(str(self.ratio)) * self.patches)

    def outputs(self, fields: Fields) -> Fields:
        """In place of the picture what `docs/tasks.md` says of masked patches."""
        places, side = self.patches, self.size
        made = {
            "pixel_values": Field(kind="array", dtype="float32", shape=(3, side, side)),
            "bool_masked_pos": Field(kind="array", dtype="bool", shape=(places,)),
            "ids_keep": Field(kind="array", dtype="int64", shape=(places - self.masked,)),
            "ids_restore": Field(kind="array", dtype="int64", shape=(places,)),
        }
        if self.patch_targets:
            made["patch_targets"] = Field(kind="array", dtype="float32", shape=(places, 3 * self.patch**2))
        return picture_outputs(self, fields, self.field, made)

    def minimum(self) -> int:
        """One byte: a picture of any size can be cropped."""
        return 1

    def open(self, context: Context) -> Labeller:
        """The task with its field and its laws at hand."""
        from sslpipe.kernels.draw_crop import crop_law

        field = pick_field(self, context.fields, "image", self.field)
        return _Opened(self, field, crop_law(self.scale, self.aspect), *affine(self.mean, self.std))


@dataclass(frozen=True)
class _Opened:
    step: MaskedPatches
    field: str
    law: NDArray[np.int64]
    factor: NDArray[np.float32]
    offset: NDArray[np.float32]

    def label(self, rows: Rows, draw: Draw) -> Rows:
        """Pictures and masks of a batch."""
        from sslpipe.kernels.masked_patches import draw_patches

        step, count = self.step, len(rows)
        words, keys = rows.names.words(), draw.keys(count)
        keep = np.empty((count, step.patches - step.masked), np.int64)
        restore, masked = np.empty((count, step.patches), np.int64), np.empty((count, step.patches), np.bool_)
        for row in range(count):
            draw_patches(words[row], keys[row], keep[row], restore[row], masked[row])
        made = {**self._pictures(rows, words, keys), "bool_masked_pos": masked, "ids_keep": keep, "ids_restore": restore}
        return rows.without(self.field).with_columns(**made)

    def _pictures(self, rows: Rows, words: NDArray[np.uint32], keys: NDArray[np.uint64]) -> dict[str, NDArray[Any]]:
        from sslpipe.kernels.masked_patches import make_crop, patch_targets
        from sslpipe.kernels.planes import copy_planes, normalise_planes
        from sslpipe.kernels.resize import resize_room

        step, size = self.step, self.step.size
        flip, bicubic = round(step.flip * 2**32), step.interpolation == "bicubic"
        values = np.empty((len(rows), 3, size, size), np.float32)
        targets = np.empty((len(rows) if step.patch_targets else 0, step.patches, 3 * step.patch**2), np.float32)
        lines, planes = np.empty((1, 3 * size * size), np.uint8), np.empty((1, 3, size, size), np.uint8)
        room = np.empty(0, np.uint8)
        for row, pixels in enumerate(pictures_of(rows, self.field)):
            needed = resize_room(pixels.shape[0], pixels.shape[1], size)
            room = room if len(room) >= needed else np.empty(needed, np.uint8)
            make_crop(pixels, words[row], keys[row], flip, self.law, bicubic, size, room, lines[0])
            normalise_planes(lines, self.factor, self.offset, values[row : row + 1])
            if step.patch_targets:
                copy_planes(lines, planes)
                patch_targets(planes[0], self.factor, self.offset, values[row], step.patch, targets[row])
        return {"pixel_values": values, **({"patch_targets": targets} if step.patch_targets else {})}
