"""How the brightness of a picture is spread, in whole numbers alone: filters decide by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, kernel

RED, GREEN, BLUE = 77, 150, 29
"""Luma of ITU-R BT.601 in 256ths, as in JPEG."""
_BITS = 16
"""Behind the point of a logarithm."""


def luma_histogram(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many pixels of uint8 `[h, w, 3]` have each luma, int64 `[256]`."""
    counts = np.zeros(256, np.int64)
    flat = np.ascontiguousarray(pixels).reshape(-1, 3).view()
    flat.flags.writeable = False
    _count(flat, counts)
    return counts


@kernel
def _count(pixels: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    # Neighbours are alike, and one counter would wait for itself.
    parts = np.zeros((4, 256), np.int64)
    for pixel in range(len(pixels)):
        red, green, blue = np.uint32(pixels[pixel, 0]), np.uint32(pixels[pixel, 1]), np.uint32(pixels[pixel, 2])
        parts[pixel & 3, (RED * red + GREEN * green + BLUE * blue + 128) >> 8] += 1
    for part in range(4):
        for luma in range(256):
            counts[luma] += parts[part, luma]


@kernel
def entropy(counts: NDArray[np.int64]) -> Any:
    """The entropy of a histogram, int64 `[n]`, in thousandths of a bit, cut; 0 for an empty one. Counts sum to at most 2^30."""
    total, weighted = np.int64(0), np.int64(0)
    for count in counts:
        if count:
            total += count
            weighted += count * _log2(count)
    if not total:
        return np.int64(0)
    return (total * _log2(total) - weighted) * 1000 // (total << _BITS)


@helper
def _log2(number: Any) -> Any:
    """The logarithm of a number from 1 to 2^31 in 65536ths, cut: each squaring of the mantissa gives one more bit."""
    whole = 0
    while number >> (whole + 1):
        whole += 1
    mantissa = np.uint64(number) << np.uint64(31 - whole)
    out = np.int64(whole)
    for _ in range(_BITS):
        mantissa = (mantissa * mantissa) >> np.uint64(31)
        carry = mantissa >> np.uint64(32)
        mantissa >>= carry
        out = out * 2 + np.int64(carry)
    return out
