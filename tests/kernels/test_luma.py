"""Histograms and their entropy against plain arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.luma import BLUE, GREEN, RED, entropy, luma_histogram
from tests.support_images import noise


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_every_pixel_is_counted_by_its_luma(height: int, width: int, seed: int) -> None:
    pixels = noise(height, width, seed)
    wanted = [(77 * r + 150 * g + 29 * b + 128) // 256 for r, g, b in pixels.reshape(-1, 3).tolist()]
    counts = luma_histogram(pixels)
    np.testing.assert_array_equal(counts, np.bincount(wanted, minlength=256))
    np.testing.assert_array_equal(luma_histogram(pixels[::-1, ::-1]), counts)


def test_grey_is_its_own_luma() -> None:
    assert RED + GREEN + BLUE == 256
    grey = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    assert luma_histogram(grey).tolist() == [1] * 256


@given(st.lists(st.integers(0, 2**21), max_size=256))
def test_entropy_is_that_of_the_definition(counts: list[int]) -> None:
    total = sum(counts)
    exact = 1000 * sum(count / total * math.log2(total / count) for count in counts if count) if total else 0
    found = int(entropy(np.array(counts, np.int64)))
    assert exact - 1.1 <= found <= exact + 0.1


def test_entropy_of_equal_parts_is_exact() -> None:
    for bits in range(9):
        assert entropy(np.full(2**bits, 12345, np.int64)) == 1000 * bits
    assert entropy(np.zeros(256, np.int64)) == 0 and entropy(np.array([2**30], np.int64)) == 0


@pytest.mark.parametrize(("counts", "wanted"), [([1, 3], 811), ([1, 2**28], 0), ([3, 5, 7, 11], 1851)])
def test_golden_entropies(counts: list[int], wanted: int) -> None:
    assert entropy(np.array(counts, np.int64)) == wanted


def test_an_entropy_that_rounds_counts_is_caught() -> None:
    """The mutant: logarithms of whole bits."""
    counts = [3, 5, 7, 11]
    rough = Fraction(26 * 4 - sum(count * (count.bit_length() - 1) for count in counts), 26) * 1000
    assert abs(rough - 1851) > 100
