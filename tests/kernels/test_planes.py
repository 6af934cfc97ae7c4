"""Lines to planes, and the affine step to floats."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.planes import copy_planes, normalise_planes
from tests.support_images import noise
from tests.support_torchvision import by_torchvision, functional, to_lines


@given(st.integers(1, 40), st.integers(0, 3))
def test_planes_are_the_same_pixels(size: int, count: int) -> None:
    pictures = [noise(size, size, seed) for seed in range(count)]
    lines = np.array([to_lines(picture) for picture in pictures], np.uint8).reshape(count, 3 * size * size)
    wanted = np.array(pictures, np.uint8).reshape(count, size, size, 3).transpose(0, 3, 1, 2)
    planes = np.empty((count, 3, size, size), np.uint8)
    copy_planes(lines, planes)
    assert (planes == wanted).all()
    scale, offset = np.array([0.1, 2, -3], np.float32), np.array([1, 0.3, 7], np.float32)
    floats = np.empty((count, 3, size, size), np.float32)
    normalise_planes(lines, scale, offset, floats)
    exact = wanted.astype(np.float32) * scale[:, None, None] + offset[:, None, None]
    assert (floats == exact).all() and exact.dtype == np.float32


def test_normalised_as_by_torchvision() -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    pixels = noise(50, 50)
    scale = np.array([1 / (255 * each) for each in std], np.float32)
    offset = np.array([-a / b for a, b in zip(mean, std, strict=True)], np.float32)
    floats = np.empty((1, 3, 50, 50), np.float32)
    normalise_planes(to_lines(pixels)[None], scale, offset, floats)
    theirs = by_torchvision(lambda planes: functional.normalize(planes.float() / 255, mean, std), pixels)
    assert np.abs(floats[0].transpose(1, 2, 0) - theirs).max() < 1e-6
