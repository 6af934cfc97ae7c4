"""Codes of LZW against a decoder written with strings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.lzw import unlzw


def packed(codes: list[tuple[int, int]]) -> np.ndarray:
    """Codes with their widths, least significant bit first."""
    bits, size = 0, 0
    for code, width in codes:
        bits |= code << size
        size += width
    return np.frombuffer(bits.to_bytes(-(-size // 8), "little"), np.uint8)


def lzw(pixels: list[int], size: int, end: bool = True, late_clear: bool = False) -> np.ndarray:
    """An encoder out of a textbook, with a clear when the table is full, or none."""
    clear = 1 << size
    codes = [(clear, size + 1)]
    table = {(pixel,): pixel for pixel in range(clear)}
    free, width, string = clear + 2, size + 1, ()
    for pixel in pixels:
        if (*string, pixel) in table:
            string = (*string, pixel)
            continue
        codes.append((table[string], width))
        if free < 4096:
            table[*string, pixel] = free
            width += free == 1 << width
            free += 1
        elif not late_clear:
            codes.append((clear, width))
            table = {(pixel,): pixel for pixel in range(clear)}
            free, width = clear + 2, size + 1
        string = (pixel,)
    codes += [(table[string], width)] if string else []
    return packed(codes + ([(clear + 1, min(width + (free == 1 << width), 12))] if end else []))


@given(st.integers(2, 8), st.integers(0, 99), st.integers(0, 300), st.booleans())
def test_what_a_textbook_encodes(size: int, seed: int, count: int, end: bool) -> None:
    random = np.random.default_rng(seed)
    pixels = np.repeat(random.integers(0, min(1 << size, 3), count), random.integers(1, 9, count)).astype(np.uint8)
    out = np.zeros(len(pixels), np.uint8)
    assert unlzw(lzw(pixels.tolist(), size, end), size, out) == len(pixels)
    np.testing.assert_array_equal(out, pixels)


@pytest.mark.parametrize("late_clear", [True, False])
def test_a_full_table(late_clear: bool) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, 20_000).astype(np.uint8)
    out = np.zeros(len(pixels), np.uint8)
    assert unlzw(lzw(pixels.tolist(), 8, late_clear=late_clear), 8, out) == len(pixels)
    np.testing.assert_array_equal(out, pixels)


def test_a_string_that_contains_itself() -> None:
    out = np.zeros(6, np.uint8)
    assert unlzw(packed([(4, 3), (1, 3), (6, 3), (7, 3), (5, 4)]), 2, out) == 6
    assert out.tolist() == [1] * 6


def test_missing_surplus_and_senseless_codes() -> None:
    out = np.zeros(9, np.uint8)
    assert unlzw(packed([(4, 3), (1, 3), (6, 3), (5, 3)]), 2, out) == 3
    assert unlzw(packed([]), 2, out) == 0
    assert unlzw(packed([(4, 3), (1, 3), (7, 3)]), 2, out) == -1
    assert unlzw(packed([(4, 3), (6, 3)]), 2, out) == -1
    assert unlzw(packed([(4, 3), (1, 3), (6, 3), (7, 3)]), 2, np.zeros(4, np.uint8)) == 4
