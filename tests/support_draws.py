"""Draws in plain Python, and tests of distributions."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

P_VALUE = 1e-4
"""Tests of distributions fail by chance once in so many seeds; seeds are fixed."""


def philox(counter: tuple[int, int, int, int], key: int) -> tuple[int, int, int, int]:
    """Philox4x32-10 as in the paper."""
    c0, c1, c2, c3 = counter
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        left, right = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (right >> 32) ^ c1 ^ k0, right & 0xFFFFFFFF, (left >> 32) ^ c3 ^ k1, left & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def same_law(one: np.ndarray, other: np.ndarray) -> None:
    """Two samples come from one law, by Kolmogorov and Smirnov."""
    found = stats.ks_2samp(one, other)
    assert found.pvalue > P_VALUE, (found, one.mean(), other.mean())


def uniform(values: np.ndarray, low: float, high: float) -> None:
    """A sample is uniform between two numbers, and reaches near both."""
    found = stats.kstest((values - low) / (high - low), "uniform")
    assert found.pvalue > P_VALUE, (found, values.min(), values.max())
    assert values.min() >= low and values.max() <= high


def happens(found: np.ndarray, share: float) -> None:
    """A yes or no has a share, within 4 sigma."""
    assert abs(found.mean() - share) <= 4 * math.sqrt(share * (1 - share) / found.size), (found.mean(), share)


def even(found: np.ndarray, classes: int) -> None:
    """All classes are as frequent, by chi square."""
    counts = np.bincount(found.astype(np.int64), minlength=classes)
    assert len(counts) == classes and stats.chisquare(counts).pvalue > P_VALUE, counts.tolist()
