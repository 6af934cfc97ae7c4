"""Rows of pixels as PNG filters and packs them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel


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
