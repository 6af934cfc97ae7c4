"""Gaussian blur in whole numbers, of pictures in lines (`resize.py`), to within 1 of 255 of torchvision's in floating point.

Weights are counts of 2^-15 that add up to 1 exactly, so a flat picture stays as it is. The pass along columns keeps 8 bits
below the byte for the pass along rows, which rounds half up. Beyond its edge the picture is mirrored, the edge not doubled.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.fixed_point import exp2_mantissa
from sslpipe.kernels.jit import helper, inlined, kernel
from sslpipe.kernels.lanes import plus, shifted, times

SIGMA_ONE: Final = 2**16
"""A standard deviation of one pixel."""
SMALLEST_SIGMA: Final = 2**12
"""A sixteenth of a pixel, by which nothing changes; weights are computed from here on."""

_LOG2_E = np.uint64(13306513097844322492)
"""log2(e) as a count of 2^-63."""
_ONE = 2**15
Row = NDArray[Any]


@kernel
def gaussian_weights(sigma: int, radius: int, weights: NDArray[np.int32]) -> int:
    """Fill `weights`, int32 `[radius + 1]`, from the centre outwards; returns the last that isn't 0.

    Over both sides they add up to 2^15. One is 2^-(k^2 log2(e) / (2 sigma^2)), which needs no more than a table of roots of 2.
    """
    raw = np.empty(radius + 1, np.uint64)
    step = _LOG2_E // (np.uint64(sigma) * np.uint64(sigma))
    total = np.uint64(0)
    for k in range(radius + 1):
        exponent = step * np.uint64(k * k)
        whole = exponent >> np.uint64(32)
        fraction = (np.uint64(0) - exponent) & np.uint64(0xFFFFFFFF)
        down = whole + np.uint64(1 if fraction else 0)
        raw[k] = exp2_mantissa(fraction) >> down if down < np.uint64(32) else np.uint64(0)
        total += raw[k] * np.uint64(2 if k else 1)
    rest, last = _ONE, 0
    for k in range(1, radius + 1):
        weights[k] = np.int32((raw[k] * np.uint64(2 * _ONE) + total) // (np.uint64(2) * total))
        rest -= 2 * weights[k]
        if weights[k]:
            last = k
    weights[0] = rest
    return last


@inlined
def _pair(one: Any, other: Any, weight: Any) -> Any:
    return times(plus(one, other), weight)


@helper
def _add_pairs(a: Row, b: Row, c: Row, d: Row, w0: np.int32, w1: np.int32, totals: NDArray[np.int32]) -> None:
    """Add two pairs of rows of equal weight, `a` and `b`, `c` and `d`.

    Of more rows at once LLVM doesn't prove that `totals` overlaps none of them, and makes no SIMD code.
    """
    for lane in range(len(totals)):
        totals[lane] = plus(totals[lane], plus(_pair(a[lane], b[lane], w0), _pair(c[lane], d[lane], w1)))


@helper
def _mirrored(place: int, size: int) -> int:
    place = abs(place)
    return 2 * (size - 1) - place if place >= size else place


@inlined
def _line(lines: Any, line: Any, size: Any) -> Any:
    """A row of all channels; rows outside of the picture are mirrored into it."""
    start = 3 * size * _mirrored(line, size)
    return lines[start : start + 3 * size]


@helper
def _down(
    lines: NDArray[np.uint8], size: int, line: int, weights: NDArray[np.int32], last: int, totals: NDArray[np.int32]
) -> None:
    """The pass along columns for one row of all channels: counts of 2^-15 of a byte."""
    here, centre = _line(lines, line, size), weights[0]
    for lane in range(len(totals)):
        totals[lane] = times(here[lane], centre)
    for near in range(1, last + 1, 2):
        far = min(near + 1, last)
        _add_pairs(
            _line(lines, line - near, size), _line(lines, line + near, size),
            _line(lines, line - far, size), _line(lines, line + far, size),
            weights[near], weights[near + 1], totals,
        )  # fmt: skip


@helper
def _across(
    padded: NDArray[np.uint16],
    edge: int,
    weights: NDArray[np.int32],
    last: int,
    totals: NDArray[np.int32],
    out: NDArray[np.uint8],
) -> None:
    """The pass along one row of one channel, which stands in `padded` from `edge` on, with its mirrored ends."""
    here, centre = padded[edge:], weights[0]
    for lane in range(len(totals)):
        totals[lane] = plus(times(here[lane], centre), 2**22)
    for near in range(1, last + 1, 2):
        left, right = edge - near, edge + near
        _add_pairs(
            padded[left:], padded[right:], padded[left - 1 :], padded[right + 1 :], weights[near], weights[near + 1], totals
        )
    for lane in range(len(totals)):
        out[lane] = np.uint8(shifted(totals[lane], 23))


@kernel
def blur(lines: NDArray[np.uint8], size: int, sigma: int, radius: int, out: NDArray[np.uint8]) -> None:
    """Fill `out` with `lines` blurred by a Gaussian cut off at `radius`, which is below `size`; see `gaussian_weights`."""
    weights = np.zeros(radius + 2, np.int32)
    last = gaussian_weights(sigma, radius, weights)
    totals = np.empty(3 * size, np.int32)
    edge = last + 1
    padded = np.zeros(size + 2 * edge, np.uint16)
    for line in range(size):
        _down(lines, size, line, weights, last, totals)
        for channel in range(3):
            row, inner = totals[channel * size : (channel + 1) * size], padded[edge : edge + size]
            for lane in range(size):
                inner[lane] = np.uint16(shifted(plus(row[lane], 64), 7))
            for k in range(1, last + 1):
                padded[edge - k] = inner[k]
                padded[edge + size - 1 + k] = inner[size - 1 - k]
            start = (3 * line + channel) * size
            _across(padded, edge, weights, last, row, out[start : start + size])
