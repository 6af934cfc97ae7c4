"""Pictures for the benchmarks: two photographs cut up, built by the shipped recipe."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import build_shipped
from benchmarks.views import made_up

PICTURES, QUICK_PICTURES = 256, 64


def photographs() -> list[NDArray[np.uint8]]:
    """A temple and a flower, uint8 `[427, 640, 3]`, which scikit-learn brings."""
    from sklearn.datasets import load_sample_images

    images: list[NDArray[np.uint8]] = load_sample_images().images
    return images


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """As cameras and Pillow make them: quality 90, colours at half the resolution."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90, subsampling=2)
    return out.getvalue()


def build_pictures(folder: Path, quick: bool) -> None:
    """A finished dataset of JPEGs of 500 x 375; all have the right size, so the build keeps their bytes."""
    raw = folder.with_name("pictures")
    raw.mkdir()
    for number, stored in enumerate(made_up(QUICK_PICTURES if quick else PICTURES)):
        (raw / f"{number:06d}.jpg").write_bytes(stored)
    build_shipped("images", raw, folder, "shards.splits={}")
