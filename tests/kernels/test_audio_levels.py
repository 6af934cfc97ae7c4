"""Levels against numpy in whole numbers, at the edges of the format and beyond them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.kernels.audio_levels import CLIPPED, ENERGY_FULL, FULL, audio_levels


def by_numpy(samples: np.ndarray, size: int, silence: int) -> tuple[int, ...]:
    """The same, slowly, in Python's numbers."""
    values = [[int(value) for value in row] for row in np.rint(np.clip(samples.astype(np.float64), -128, 128) * FULL)]
    flat = [value for row in values for value in row]
    slices = silent = 0
    for start in range(0, samples.shape[1], size):
        part = [min(abs(value) >> 3, ENERGY_FULL) for row in values for value in row[start : start + size]]
        slices += 1
        silent += sum(value**2 for value in part) < silence**2 * len(part)
    peak, offset = max(map(abs, flat), default=0), max((abs(sum(row)) for row in values), default=0)
    return peak, sum(abs(value) >= CLIPPED for value in flat), offset, slices, silent


sample = st.one_of(
    st.integers(-(2**15), 2**15 - 1).map(lambda value: value / 2**15),
    st.floats(-2, 2, width=32),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 32767 / 32768, 1 - 2.0**-23, 0.001, 1e30, -1e30, 1e-40]),
)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 3), st.lists(sample, min_size=3, max_size=90), st.integers(1, 20), st.integers(0, 2**20))
def test_levels_are_those_of_numpy(channels: int, values: list[float], size: int, silence: int) -> None:
    frames = len(values) // channels
    samples = np.array(values[: channels * frames], np.float32).reshape(channels, frames)
    assert audio_levels(samples, size, silence) == by_numpy(samples, size, silence)


def test_the_largest_sums_fit() -> None:
    samples = np.ones((64, 15_360), np.float32)
    assert audio_levels(samples, 15_360, 2**20) == (FULL, 64 * 15_360, 15_360 * FULL, 1, 0), "full scale is not below itself"
    assert audio_levels(-samples * np.float32(3e38), 15_360, 2**20)[:3] == (128 * FULL, 64 * 15_360, 128 * 15_360 * FULL)


@pytest.mark.parametrize(("value", "silent"), [(1048, 1), (1049, 0)])
def test_a_slice_on_the_level_is_not_silent(value: int, silent: int) -> None:
    samples = np.full((1, 320), value / 2**20, np.float32)
    assert audio_levels(samples, 320, 1049)[3:] == (1, silent)
