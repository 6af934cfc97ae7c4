"""The blur against exact sums and torchvision's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sslpipe.kernels.blur import SIGMA_ONE, SMALLEST_SIGMA, blur, gaussian_weights
from tests.support_images import noise
from tests.support_torchvision import Pixels, apart, by_torchvision, from_lines, functional, photographs, to_lines


def blurred(pixels: Pixels, sigma: float, radius: int = 11) -> Pixels:
    """What the kernel makes of square pixels."""
    lines = to_lines(pixels)
    out = np.full_like(lines, 7)
    blur(lines, len(pixels), round(sigma * SIGMA_ONE), radius, out)
    assert (lines == to_lines(pixels)).all()
    return from_lines(out)


def weights_of(sigma: int, radius: int) -> list[int]:
    found = np.zeros(radius + 2, np.int32)
    last = gaussian_weights(sigma, radius, found)
    assert not found[last + 1 :].any()
    return found[: radius + 1].tolist()


@given(st.integers(SMALLEST_SIGMA, 50 * SIGMA_ONE), st.integers(0, 40))
def test_weights_are_a_gaussian_and_add_up(sigma: int, radius: int) -> None:
    found = weights_of(sigma, radius)
    exact = [math.exp(-((place * SIGMA_ONE / sigma) ** 2) / 2) for place in range(radius + 1)]
    total = exact[0] + 2 * sum(exact[1:])
    assert found[0] + 2 * sum(found[1:]) == 2**15
    assert all(abs(a - b / total * 2**15) <= 0.51 for a, b in zip(found[1:], exact[1:], strict=True))
    assert min(found) >= 0 and sorted(found[1:], reverse=True) == found[1:]


def mirrored(size: int, radius: int) -> np.ndarray:
    return np.pad(np.arange(size), radius, mode="reflect")


@given(st.integers(2, 40), st.integers(SMALLEST_SIGMA, 4 * SIGMA_ONE), st.integers(0, 12), st.integers(0, 99))
def test_both_passes_are_exact(size: int, sigma: int, radius: int, seed: int) -> None:
    radius = min(radius, size - 1)
    pixels = noise(size, size, seed)
    half = weights_of(sigma, radius)
    weights = np.array([*half[:0:-1], *half], np.int64)
    places = mirrored(size, radius)
    windows = np.stack([places[start : start + 2 * radius + 1] for start in range(size)])
    down = (np.einsum("ykxc,k->yxc", pixels.astype(np.int64)[windows], weights) + 64) >> 7
    across = (np.einsum("yxkc,k->yxc", down[:, windows], weights) + 2**22) >> 23
    assert (blurred(pixels, sigma / SIGMA_ONE, radius) == across).all()


@pytest.mark.parametrize("sigma", [0.1, 0.25, 0.5, 0.9, 1.3, 2.0])
@pytest.mark.parametrize("number", [0, 1])
def test_blur_is_that_of_torchvision(number: int, sigma: float) -> None:
    pixels = np.asarray(Image.fromarray(photographs()[number]).resize((224, 224)), np.uint8)
    theirs = by_torchvision(functional.gaussian_blur, pixels, [23, 23], [sigma, sigma])
    largest, mean = apart(blurred(pixels, sigma), theirs)
    assert largest <= 1 and mean < 0.01


@pytest.mark.parametrize("sigma", [0.6, 1.0, 2.0])
def test_a_point_spreads_by_sigma(sigma: float) -> None:
    """lightly once took Pillow's radius for something else, and blurred far too much."""
    pixels = np.zeros((65, 65, 3), np.uint8)
    pixels[32] = 255
    column = blurred(pixels, sigma)[:, 10, 0].astype(np.float64)
    spread = math.sqrt((column * (np.arange(65) - 32) ** 2).sum() / column.sum())
    assert abs(spread - sigma) < 0.03 * sigma


@given(st.integers(0, 255), st.integers(SMALLEST_SIGMA, 9 * SIGMA_ONE))
def test_a_flat_picture_stays_flat(value: int, sigma: int) -> None:
    assert (blurred(np.full((15, 15, 3), value, np.uint8), sigma / SIGMA_ONE) == value).all()


def test_blur_knows_no_direction() -> None:
    pixels = noise(31, 31)
    assert (blurred(pixels[::-1, ::-1], 1.4) == blurred(pixels, 1.4)[::-1, ::-1]).all()
    largest, _ = apart(blurred(pixels.transpose(1, 0, 2), 1.4), blurred(pixels, 1.4).transpose(1, 0, 2))
    assert largest <= 1, "only the rounding between the passes does"


def test_another_edge_is_caught() -> None:
    """Mutants: an edge that is doubled or repeated is not the mirror."""
    pixels = noise(31, 31)
    theirs = by_torchvision(functional.gaussian_blur, pixels, [23, 23], [2.0, 2.0])
    inner = np.pad(pixels, ((11, 11), (11, 11), (0, 0)), mode="symmetric")
    other = by_torchvision(functional.gaussian_blur, inner, [23, 23], [2.0, 2.0])[11:-11, 11:-11]
    assert apart(blurred(pixels, 2.0), theirs)[0] <= 1 < apart(other, theirs)[0]
