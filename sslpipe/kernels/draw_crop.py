"""Where a random resized crop lies (Inception, arXiv 1409.4842), as torchvision draws it, in whole numbers.

A try draws the share of the area, evenly, and the ratio of width to height, evenly in its logarithm; it fails where the piece
doesn't fit into the picture. After ten tries the largest piece of an allowed ratio is taken from the middle. So the shares that
come out of a picture far from square are smaller than those drawn.

The draws of a row (see `philox.py` for counter and key) are used like this:

    block 4 + t       try t: word 0 the area, 1 the ratio, 2 the place from the top, 3 from the left

Tries always have the same blocks, whatever else a task draws.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.fixed_point import exp2_mantissa, integer_root, log2_fixed
from sslpipe.kernels.jit import kernel
from sslpipe.kernels.philox import below, philox_block

TRIES: Final = 10
FIRST_BLOCK: Final = 4
LARGEST_AREA: Final = 2**31
"""Pictures have fewer pixels than this."""
WIDEST: Final = 16.0
"""Ratios lie between its inverse and this."""

Law = NDArray[np.int64]


def crop_law(scale: tuple[float, float], ratio: tuple[float, float]) -> Law:
    """The law of crops as numbers, int64 `[6]`.

    Lowest share of the area and span (Q32), lowest log2 of the ratio and span (Q32), both ratios as counts of 2^-16.
    """
    shares = [round(share * 2**32) for share in scale]
    logs = [log2_fixed(bound) for bound in ratio]
    bounds = [round(bound * 2**16) for bound in ratio]
    return np.array([shares[0], shares[1] - shares[0], logs[0], logs[1] - logs[0], *bounds], np.int64)


@kernel
def _side(root: np.uint64, exponent: np.int64) -> np.int64:
    """`root`, in 2^-16 of a pixel, times 2^exponent (Q32), in pixels, rounded."""
    mantissa = exp2_mantissa(np.uint64(exponent & 0xFFFFFFFF))
    bits = np.uint64(47 - (exponent >> 32))
    return np.int64((np.uint64(root) * mantissa + (np.uint64(1) << (bits - np.uint64(1)))) >> bits)


@kernel
def draw_box(
    n0: np.uint64, n1: np.uint64, n2: np.uint64, k0: np.uint64, k1: np.uint64, height: int, width: int, law: Law
) -> tuple[Any, Any, Any, Any]:
    """Top, left, height and width of the crop of one picture, whose name and key are given as words."""
    area = np.uint64(height) * np.uint64(width)
    for turn in range(TRIES):
        a, b, c, d = philox_block(np.uint64(FIRST_BLOCK + turn), n0, n1, n2, k0, k1)
        share = np.uint64(law[0] + below(a, law[1]))
        root = integer_root(area * share)
        half = (law[2] + np.int64((b * np.uint64(law[3] >> 4)) >> np.uint64(28))) >> 1
        rows, columns = _side(root, -half), _side(root, half)
        if 0 < rows <= height and 0 < columns <= width:
            return below(c, height - rows + 1), below(d, width - columns + 1), rows, columns
    rows, columns = np.int64(height), np.int64(width)
    if width << 16 < law[4] * height:
        rows = max(((width << 16) + law[4] // 2) // law[4], np.int64(1))
    elif width << 16 > law[5] * height:
        columns = max((height * law[5] + 32768) >> 16, np.int64(1))
    return (height - rows) // 2, (width - columns) // 2, rows, columns
