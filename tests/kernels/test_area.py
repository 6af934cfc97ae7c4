"""Means over areas are exact: against sums of fractions, and near OpenCV's."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.area import area_mean
from tests.support_images import noise, photo


def shares(size: int, wanted: int) -> np.ndarray:
    """How much of each old column lies in each new one, in fractions of the new one, `[wanted, size]`."""
    scale = Fraction(size, wanted)
    return np.array(
        [
            [max(Fraction(0), min((new + 1) * scale, old + 1) - max(new * scale, old)) / scale for old in range(size)]
            for new in range(wanted)
        ],
        object,
    )


def exact(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    down = np.einsum("yh,hwc->ywc", shares(len(pixels), height), pixels.astype(object))
    means = np.einsum("xw,ywc->yxc", shares(pixels.shape[1], width), down)
    return np.vectorize(lambda mean: int(mean + Fraction(1, 2)))(means).astype(np.uint8)


@given(st.integers(1, 9), st.integers(1, 9), st.data(), st.integers(0, 99))
def test_every_pixel_is_the_mean_of_its_area(height: int, width: int, data: st.DataObject, seed: int) -> None:
    pixels = noise(height, width, seed)
    new_height, new_width = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    np.testing.assert_array_equal(area_mean(pixels, new_height, new_width), exact(pixels, new_height, new_width))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 255))
def test_one_colour_stays(height: int, width: int, value: int) -> None:
    flat = np.full((31, 37, 3), value, np.uint8)
    assert (area_mean(flat, height, width) == value).all()


@pytest.mark.parametrize(("height", "width"), [(100, 150), (77, 201), (1, 1), (399, 600), (200, 300), (400, 600)])
def test_opencv_has_the_same_mean_but_for_rounding(height: int, width: int) -> None:
    pixels = photo(400, 600)
    found = area_mean(pixels, height, width).astype(int)
    peer = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    assert np.abs(found - peer).max() <= 1 and (found != peer).mean() < 0.3


def test_turned_pictures_are_turned_results() -> None:
    pixels = noise(41, 67)
    np.testing.assert_array_equal(area_mean(pixels.transpose(1, 0, 2), 20, 11), area_mean(pixels, 11, 20).transpose(1, 0, 2))
    np.testing.assert_array_equal(area_mean(pixels[::-1], 11, 20), area_mean(pixels, 11, 20)[::-1])


def test_a_mean_that_takes_the_nearest_pixel_is_caught() -> None:
    pixels = noise(9, 9)
    nearest = pixels[1::3, 1::3]
    assert (nearest != exact(pixels, 3, 3)).any()
    np.testing.assert_array_equal(area_mean(pixels, 3, 3), exact(pixels, 3, 3))


def test_long_lines() -> None:
    line = noise(1, 65_500)
    wanted = (2 * line.astype(np.int64).sum(axis=1) + 65_500) // (2 * 65_500)
    assert area_mean(line, 1, 1).tolist() == [wanted.tolist()]
    white = np.full((2, 65_500, 3), 255, np.uint8)
    assert (area_mean(white, 1, 65_499) == 255).all()
