"""Rows of pixels as PNG filters and packs them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel


@kernel
def filter_rows(pixels: NDArray[np.uint8], step: int, out: NDArray[np.uint8]) -> None:
    """Fill `out`, uint8 `[h, 1 + n]`, with the rows of `pixels`, uint8 `[h, n]`, each by the filter that leaves the least.

    `step` is the distance to the same channel of the pixel before. What is left is the sum of how far bytes are from zero, on
    the circle of 256; of equals the first in PNG's order is taken.
    """
    height, width = pixels.shape
    above = np.zeros(step + width, np.uint8)
    line = np.zeros(step + width, np.uint8)
    tries = np.empty((5, width), np.uint8)
    for y in range(height):
        line[step:] = pixels[y]
        row, left, up, corner = line[step:], line[:width], above[step:], above[:width]
        for x in range(width):
            tries[0, x] = row[x]
            tries[1, x] = row[x] - left[x]
            tries[2, x] = row[x] - up[x]
            tries[3, x] = row[x] - ((np.int16(left[x]) + np.int16(up[x])) >> 1)
        for x in range(width):
            a, b, c = np.int16(left[x]), np.int16(up[x]), np.int16(corner[x])
            by_a, by_b, by_c = abs(b - c), abs(a - c), abs(a + b - c - c)
            nearest = b if by_b <= by_c else c
            tries[4, x] = row[x] - (a if by_a <= by_b and by_a <= by_c else nearest)
        best, least = 0, np.int64(width) << 8
        for kind in range(5):
            total = np.int64(0)
            for x in range(width):
                total += abs(np.int64(np.int8(tries[kind, x])))
            if total < least:
                best, least = kind, total
        out[y, 0] = best
        out[y, 1:] = tries[best]
        above[:] = line


@kernel
def unfilter(rows: NDArray[np.uint8], step: int, out: NDArray[np.uint8]) -> int:
    """Undo the filters of `rows`, uint8 `[h, 1 + n]` with the filter's number first, into `out`, uint8 `[h, n]`.

    `step` is the distance to the same channel of the pixel before, in bytes. Returns -1, or the first row with a filter that
    there isn't.
    """
    height, width = out.shape
    for y in range(height):
        kind = rows[y, 0]
        if kind > 4:
            return y
        line, row = out[y], rows[y, 1:]
        first = min(step, width)
        if y == 0:
            # Above the first row are zeros: of the sums only the pixel before is left.
            if kind == 1 or kind == 4:
                line[:first] = row[:first]
                for x in range(step, width):
                    line[x] = row[x] + line[x - step]
            elif kind == 3:
                line[:first] = row[:first]
                for x in range(step, width):
                    line[x] = row[x] + (line[x - step] >> 1)
            else:
                line[:] = row
            continue
        above = out[y - 1]
        if kind == 0:
            line[:] = row
        elif kind == 1:
            line[:first] = row[:first]
            for x in range(step, width):
                line[x] = row[x] + line[x - step]
        elif kind == 2:
            for x in range(width):
                line[x] = row[x] + above[x]
        elif kind == 3:
            for x in range(first):
                line[x] = row[x] + (above[x] >> 1)
            for x in range(step, width):
                line[x] = row[x] + ((np.int64(line[x - step]) + np.int64(above[x])) >> 1)
        else:
            for x in range(first):
                line[x] = row[x] + above[x]
            for x in range(step, width):
                a, b, c = np.int32(line[x - step]), np.int32(above[x]), np.int32(above[x - step])
                by_a, by_b, by_c = abs(b - c), abs(a - c), abs(a + b - c - c)
                nearest = a if by_a <= by_b and by_a <= by_c else (b if by_b <= by_c else c)
                line[x] = row[x] + nearest
    return -1


@kernel
def unpack(rows: NDArray[np.uint8], bits: int, out: NDArray[np.uint8]) -> None:
    """Samples of 1, 2 or 4 bits, most significant first, from `rows`, uint8 `[h, n]`, to `out`, uint8 `[h, w]`."""
    mask = (1 << bits) - 1
    height, width = out.shape
    for y in range(height):
        for x in range(width):
            place = x * bits
            out[y, x] = (rows[y, place >> 3] >> (8 - bits - (place & 7))) & mask
