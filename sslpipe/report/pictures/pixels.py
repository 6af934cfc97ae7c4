"""Pixels as tasks hand them out, back to pixels that can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.steps import Task
from sslpipe.report.pictures.scene import Scene
from sslpipe.report.pictures.sheet import Colour

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST: Final = 224
"""The longer side of a picture on a sheet."""
SMALLEST: Final = 128
"""A smaller picture is enlarged, pixel by pixel, to at least this."""
NOTHING: Final[Colour] = (236, 238, 240)
"""Where there is no picture."""


def seen(planes: NDArray[Any], scene: Scene) -> NDArray[np.uint8]:
    """Planes `[3, h, w]` as pixels uint8 `[h, w, 3]`, their normalisation undone, or guessed where no task tells it."""
    values = np.moveaxis(planes, 0, 2)
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    values = np.nan_to_num(values.astype(np.float64))
    task = next((step for step in scene.steps if isinstance(step, Task)), None)
    mean, std = getattr(task, "mean", None), getattr(task, "std", None)
    if mean is not None and std is not None:
        values = values * np.asarray(std) + np.asarray(mean)
    else:
        low, high = values.min(), values.max()
        values = (values - low) / (high - low if high > low else 1)
    return np.asarray(np.clip(np.rint(values * 255), 0, 255), np.uint8)


def fitted(pixels: NDArray[np.uint8], largest: int = LARGEST) -> tuple[Image, float]:
    """Pixels as an image of a size that fits a sheet, and how many times as large it is as they are."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    longest = max(image.size)
    if longest > largest:
        scale = largest / longest
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        return image.resize(size, Image.Resampling.LANCZOS), scale
    times = max(1, -(-SMALLEST // longest))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST), float(times)
