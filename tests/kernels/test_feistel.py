"""Permutations: one image each, no key like another, no image likelier than another."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.kernels.feistel import LARGEST, ROUNDS, TABLE_BELOW, feistel, shuffled_table


def permuted(positions: np.ndarray, size: int, key: int, rounds: int = ROUNDS) -> np.ndarray:
    out = np.empty(len(positions), np.int64)
    feistel(np.asarray(positions, np.int64), size, np.uint64(key), rounds, out)
    return out


def is_permutation(images: np.ndarray) -> bool:
    return bool((np.sort(images) == np.arange(len(images))).all())


def test_every_small_size_is_permuted() -> None:
    for size in range(1, 301):
        assert is_permutation(permuted(np.arange(size), size, size * 7919))
        assert is_permutation(shuffled_table(size, np.uint64(size)))


@pytest.mark.parametrize("size", [TABLE_BELOW - 1, TABLE_BELOW, TABLE_BELOW + 1, 4 * TABLE_BELOW + 1])
def test_sizes_around_the_table_are_permuted(size: int) -> None:
    assert is_permutation(permuted(np.arange(size), size, 5))
    if size <= TABLE_BELOW:
        assert is_permutation(shuffled_table(size, np.uint64(5)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.integers(0, 2**64 - 1))
def test_any_key_permutes(size: int, key: int) -> None:
    assert is_permutation(permuted(np.arange(size), size, key))
    assert is_permutation(shuffled_table(size, np.uint64(key)))


@settings(max_examples=60, deadline=None)
@given(st.integers(2**16, LARGEST), st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**62 - 1), min_size=1, max_size=40))
def test_large_sizes_stay_inside_and_apart(size: int, key: int, numbers: list[int]) -> None:
    positions = np.unique(np.array([number % size for number in numbers]))
    images = permuted(positions, size, key)
    assert len(np.unique(images)) == len(positions)
    assert images.min() >= 0 and images.max() < size


def test_keys_differ() -> None:
    positions = np.arange(1000)
    images = [permuted(positions, 10**6, key) for key in (0, 1, 2**32, 2**63)]
    tables = [shuffled_table(1000, np.uint64(key)) for key in (0, 1, 2**32, 2**63)]
    for a, b in (*itertools.combinations(images, 2), *itertools.combinations(tables, 2)):
        assert (a == b).mean() < 0.02


def _chi2_over_orders(size: int, orders: list[tuple[int, ...]]) -> float:
    """Chi square, divided by its degrees of freedom, of how often each order of `size` numbers came up."""
    every = dict.fromkeys(itertools.permutations(range(size)), 0)
    for order in orders:
        every[order] += 1
    wanted = len(orders) / len(every)
    return sum((count - wanted) ** 2 / wanted for count in every.values()) / (len(every) - 1)


def _orders(size: int, keys: int, rounds: int) -> list[tuple[int, ...]]:
    return [tuple(permuted(np.arange(size), size, key, rounds).tolist()) for key in range(keys)]


@pytest.mark.parametrize("size", [3, 4, 5])
def test_every_order_is_as_likely(size: int) -> None:
    keys = 24_000
    tables = [tuple(shuffled_table(size, np.uint64(key)).tolist()) for key in range(keys)]
    # 5 sigma of chi2/df: 1 + 5 sqrt(2 / df), df = 5, 23, 119.
    limit = 1 + 5 * (2 / {3: 5, 4: 23, 5: 119}[size]) ** 0.5
    assert _chi2_over_orders(size, tables) < limit


@pytest.mark.parametrize("size", [4, 5])
def test_four_rounds_are_uneven(size: int) -> None:
    """Networks over so few numbers are not quite uniform even with ideal rounds (2.2 for 5 numbers): hence the tables."""
    assert _chi2_over_orders(size, _orders(size, 24_000, ROUNDS)) < 5
    assert _chi2_over_orders(size, _orders(size, 24_000, 4)) > 20, "the mutant with four rounds should be uneven"


def test_images_of_large_sizes_are_spread_evenly() -> None:
    size = TABLE_BELOW + 12_345
    images = np.array([permuted(np.array([0, 1]), size, key) for key in range(16_000)])
    cells = images * 8 // size
    counts = np.bincount(cells[:, 0] * 8 + cells[:, 1], minlength=64)
    chi2 = ((counts - 250) ** 2 / 250).sum() / 63
    assert chi2 < 1 + 5 * (2 / 63) ** 0.5


def test_golden_values() -> None:
    assert shuffled_table(8, np.uint64(7)).tolist() == [3, 6, 4, 2, 5, 0, 1, 7]
    assert permuted(np.arange(4), 10**6, 7).tolist() == [665415, 363953, 232428, 292555]
    assert permuted(np.arange(2), LARGEST, 2**63 + 1).tolist() == [1051796427015458094, 1540402185959988642]
