"""torchvision as an oracle, with what it needs to load, and the photographs that both sides are given."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def beside_torchvision(name: str) -> Any:
    """A module that imports torchvision, also where its compiled operators don't load, as beside a torch for another processor.

    torchvision registers shapes for them at import, which fails then ("operator torchvision::nms does not exist"). Nothing used
    here is one of them, so those registrations are left out.
    """
    real = torch.library.register_fake

    def register(name: str, *arguments: Any, **options: Any) -> Callable[[Any], Any]:
        return (lambda made: made) if name.startswith("torchvision::") else real(name, *arguments, **options)

    torch.library.register_fake = register  # type: ignore[assignment]
    try:
        return importlib.import_module(name)
    finally:
        torch.library.register_fake = real


beside_torchvision("torchvision")
transforms: Any = importlib.import_module("torchvision.transforms.v2")
functional: Any = importlib.import_module("torchvision.transforms.v2.functional")
modes: Any = importlib.import_module("torchvision.transforms").InterpolationMode
first_transforms: Any = importlib.import_module("torchvision.transforms")


@cache
def photographs() -> tuple[Pixels, ...]:
    """A temple and a flower, uint8 `[427, 640, 3]`; read-only."""
    from sklearn.datasets import load_sample_images

    images: list[Pixels] = load_sample_images().images
    for image in images:
        image.setflags(write=False)
    return tuple(images)


def by_torchvision(operation: Callable[..., Any], pixels: Pixels, *arguments: Any, **options: Any) -> Pixels:
    """What a function of torchvision makes of pixels `[h, w, 3]`."""
    made = operation(torch.from_numpy(pixels.transpose(2, 0, 1).copy()), *arguments, **options)
    return np.ascontiguousarray(made.numpy().transpose(1, 2, 0))


def to_lines(pixels: Pixels) -> Pixels:
    """Square pixels as the kernels hold them, flat: the reds of a row, its greens, its blues, then the next row."""
    return pixels.transpose(0, 2, 1).copy().reshape(-1)


def from_lines(lines: Pixels) -> Pixels:
    """The pixels `[size, size, 3]` of such lines."""
    size = round((lines.size / 3) ** 0.5)
    return lines.reshape(size, 3, size).transpose(0, 2, 1).copy()


def apart(one: Pixels, other: Pixels) -> tuple[int, float]:
    """The largest and the mean difference."""
    difference = np.abs(one.astype(np.int64) - other)
    return int(difference.max()), float(difference.mean())
