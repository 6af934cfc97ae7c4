"""Boxes of crops: the layout that the file promises, and the law of torchvision."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.draw_crop import TRIES, WIDEST, crop_law, draw_box
from tests.support_draws import even, happens, philox, same_law, uniform
from tests.support_torchvision import first_transforms

getcontext().prec = 40
DEFAULT = ((0.08, 1.0), (3 / 4, 4 / 3))
Box = tuple[int, int, int, int]


def box(words: tuple[int, int, int], key: int, height: int, width: int, *law: tuple[float, float]) -> Box:
    """The kernel's box."""
    parts = [*words, key & 0xFFFFFFFF, key >> 32]
    found = draw_box(*(np.uint64(part) for part in parts), height, width, crop_law(*(law or DEFAULT)))
    return tuple(int(side) for side in found)


def half_up(number: Decimal) -> tuple[int, bool]:
    """A side in pixels, and whether it lies so near a half that the last bits decide."""
    return math.floor(number + Decimal("0.5")), abs(number % 1 - Decimal("0.5")) < Decimal("0.001")


def reference(words: tuple[int, int, int], key: int, height: int, width: int, law: list[int]) -> Box | None:
    """The first try that fits, by exact powers; None if none does, or if one is too close to call."""
    for turn in range(TRIES):
        a, b, c, d = philox((4 + turn, *words), key)
        share = law[0] + (a * law[1] >> 32)
        ratio = Decimal(2) ** ((law[2] + Decimal(b) * law[3] / 2**32) / 2**32)
        area = Decimal(height * width * share) / 2**32
        (rows, unsure), (columns, unsure_too) = half_up((area / ratio).sqrt()), half_up((area * ratio).sqrt())
        if unsure or unsure_too:
            return None
        if 0 < rows <= height and 0 < columns <= width:
            return c * (height - rows + 1) >> 32, d * (width - columns + 1) >> 32, rows, columns
    return None


@given(
    st.tuples(*[st.integers(0, 2**32 - 1)] * 3), st.integers(0, 2**64 - 1), st.integers(1, 3000), st.integers(1, 3000),
    st.sampled_from([DEFAULT, ((0.2, 1.0), (0.5, 2.0)), ((1e-4, 0.01), (1 / WIDEST, WIDEST)), ((0.5, 0.5), (1.0, 1.0))]),
)  # fmt: skip
def test_tries_are_laid_out_as_promised(
    words: tuple[int, int, int], key: int, height: int, width: int, law: tuple[tuple[float, float], tuple[float, float]]
) -> None:
    found = box(words, key, height, width, *law)
    top, left, rows, columns = found
    assert 0 <= top <= height - rows and 0 <= left <= width - columns and rows > 0 and columns > 0
    wanted = reference(words, key, height, width, crop_law(*law).tolist())
    assert wanted is None or wanted == found


def boxes(height: int, width: int, count: int, *law: tuple[float, float]) -> np.ndarray:
    rng = np.random.default_rng([height, width])
    names = rng.integers(0, 2**32, (count, 3)).tolist()
    return np.array([box(tuple(words), 7, height, width, *law) for words in names], np.float64)


def theirs(height: int, width: int, count: int, scale: tuple[float, float], ratio: tuple[float, float]) -> np.ndarray:
    torch.manual_seed(1)
    empty = torch.empty(3, height, width)
    drawn = [first_transforms.RandomResizedCrop.get_params(empty, list(scale), list(ratio)) for _ in range(count)]
    return np.array(drawn, np.float64)


@lru_cache(maxsize=1)
def usual() -> np.ndarray:
    return boxes(375, 500, 4000)


@pytest.mark.parametrize(
    ("height", "width", "law"), [(375, 500, DEFAULT), (500, 375, ((0.2, 1.0), (3 / 4, 4 / 3))), (90, 400, DEFAULT)]
)
def test_the_law_is_that_of_torchvision(height: int, width: int, law: tuple[tuple[float, float], tuple[float, float]]) -> None:
    ours, other = boxes(height, width, 3000, *law), theirs(height, width, 3000, *law)
    noise = np.random.default_rng(0).random((2, *ours.shape)) - 0.5  # sides are whole: without ties the test is exact
    for column in range(4):
        same_law((ours + noise[0])[:, column], (other + noise[1])[:, column])
    for what in (lambda made: made[:, 2] * made[:, 3], lambda made: np.log(made[:, 3] / made[:, 2])):
        same_law(what(ours + noise[0] / 100), what(other + noise[1] / 100))


def test_area_and_ratio_of_first_tries_are_uniform() -> None:
    """A square picture never needs a second try for areas up to 3/4."""
    found = boxes(1000, 1000, 4000, (0.08, 0.7), (3 / 4, 4 / 3))
    uniform(found[:, 2] * found[:, 3] / 1e6 + np.random.default_rng(0).uniform(-1e-4, 1e-4, 4000), 0.0795, 0.7005)
    uniform(np.log(found[:, 3] / found[:, 2]), math.log(3 / 4) - 0.003, math.log(4 / 3) + 0.003)


def test_borders_are_reached_on_all_sides() -> None:
    found = boxes(8, 8, 4000, (0.25, 0.25), (1.0, 1.0))
    assert (found[:, 2:] == 4).all()
    even(found[:, 0], 5)
    even(found[:, 1], 5)
    happens(found[:, 0] == found[:, 1], 1 / 5)


@pytest.mark.parametrize(
    ("height", "width", "wanted"),
    [(100, 1000, (0, 433, 100, 133)), (1000, 100, (433, 0, 133, 100)), (60, 60, (0, 0, 60, 60)), (1, 500, (0, 249, 1, 1))],
)
def test_the_middle_is_taken_where_nothing_fits(height: int, width: int, wanted: Box) -> None:
    """As torchvision falls back; areas above the whole never fit."""
    narrow = ((0.999999, 1.0), (3 / 4, 4 / 3))
    found = {box((number, 0, 0), 1, height, width, *narrow) for number in range(20)}
    assert wanted in found
    if height != width:
        assert found == {wanted}
    if min(height, width) > 1:
        assert tuple(theirs(height, width, 1, *narrow)[0]) == wanted or height == width


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 65_535), (65_535, 1), (2, 3), (46_000, 46_000)])
def test_the_smallest_and_the_largest_pictures(height: int, width: int) -> None:
    for number in range(200):
        top, left, rows, columns = box((number, 5, 6), 3, height, width)
        assert 0 <= top <= height - rows and 0 <= left <= width - columns and rows > 0 and columns > 0


def test_ratios_even_in_themselves_are_caught() -> None:
    """The mutant: drawn from [3/4, 4/3] itself, not its logarithm, crops are wide too often."""
    wrong = np.log(np.random.default_rng(0).uniform(3 / 4, 4 / 3, 4000))
    with pytest.raises(AssertionError):
        uniform(wrong, math.log(3 / 4), math.log(4 / 3))
