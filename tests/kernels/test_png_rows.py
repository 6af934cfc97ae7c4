"""Filters undone are the rows as they were."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.png_rows import filter_rows, unfilter, unpack
from tests.support_images import png


def filtered(rows: np.ndarray, filters: tuple[int, ...]) -> np.ndarray:
    """What stands in the file, by the writer of the tests; `rows` is `[h, w, channels]`."""
    data = png(rows, 8, {1: 0, 2: 4, 3: 2, 4: 6}[rows.shape[2]], filters=filters)
    at = data.index(b"IDAT")
    size = int.from_bytes(data[at - 4 : at], "big")
    return np.frombuffer(zlib.decompress(data[at + 4 : at + 4 + size]), np.uint8).reshape(len(rows), -1)


@given(
    st.integers(1, 6), st.integers(1, 9), st.sampled_from([1, 2, 3, 4]), st.integers(0, 99),
    st.lists(st.integers(0, 4), min_size=1, max_size=6),
)  # fmt: skip
def test_rows_come_back(height: int, width: int, channels: int, seed: int, filters: list[int]) -> None:
    rows = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    out = np.empty((height, width * channels), np.uint8)
    assert unfilter(filtered(rows, tuple(filters)), channels, out) == -1
    np.testing.assert_array_equal(out.reshape(rows.shape), rows)


@given(st.integers(1, 6), st.integers(1, 9), st.sampled_from([1, 3, 4]), st.integers(0, 99))
def test_the_filter_that_leaves_the_least_is_taken(height: int, width: int, channels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = (random.integers(0, 256, (height, width, channels)) // random.choice([1, 16, 128])).astype(np.uint8)
    out = np.empty((height, 1 + width * channels), np.uint8)
    filter_rows(rows.reshape(height, -1), channels, out)
    back = np.empty((height, width * channels), np.uint8)
    assert unfilter(out, channels, back) == -1
    np.testing.assert_array_equal(back.reshape(rows.shape), rows)
    every = np.stack([filtered(rows, (kind,)) for kind in range(5)])
    left = np.abs(every[:, :, 1:].view(np.int8).astype(int)).sum(axis=2)
    np.testing.assert_array_equal(out[:, 0], left.argmin(axis=0))


@pytest.mark.parametrize("row", [0, 2])
def test_an_unknown_filter_is_told_by_its_row(row: int) -> None:
    packed = np.zeros((3, 5), np.uint8)
    packed[row, 0] = 5
    assert unfilter(packed, 1, np.empty((3, 4), np.uint8)) == row


@given(st.sampled_from([1, 2, 4]), st.integers(1, 20), st.integers(0, 99))
def test_unpacking(bits: int, width: int, seed: int) -> None:
    samples = np.random.default_rng(seed).integers(0, 2**bits, (3, width))
    digits = ["".join(format(value, f"0{bits}b") for value in row) for row in samples.tolist()]
    size = -(-width * bits // 8)
    rows = np.array([list(int(row.ljust(8 * size, "1"), 2).to_bytes(size, "big")) for row in digits], np.uint8)
    out = np.empty((3, width), np.uint8)
    unpack(rows, bits, out)
    np.testing.assert_array_equal(out, samples)
