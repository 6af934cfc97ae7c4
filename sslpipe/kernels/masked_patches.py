"""Patches of one picture, some of them hidden (MAE, arXiv 2111.06377): what is drawn, and the targets.

The draws of a row (see `philox.py` for counter and key) are used like this:

    block 0              word 0 the flip
    blocks 4 to 13       the crop, see `draw_crop.py`
    block 2^31 + i // 4  word i % 4: step i of the shuffle of patches, i from 1 on
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.draw_crop import Law, draw_box
from sslpipe.kernels.jit import kernel
from sslpipe.kernels.philox import below, philox_block
from sslpipe.kernels.resize import crop_resize

_SHUFFLE = np.uint64(2**31)
_MASK = np.uint64(0xFFFFFFFF)


@kernel
def draw_patches(
    words: NDArray[np.uint32], key: np.uint64, keep: NDArray[np.int64], restore: NDArray[np.int64], masked: NDArray[np.bool_]
) -> None:
    """Shuffle the patches of one row, by Fisher and Yates' method: step `i` swaps place `i` with one in `[0, i]`.

    `restore`, int64 `[N]`, is the place of each patch in the shuffle, `keep`, int64 `[visible]`, the patches at its start, in
    its order; `masked`, bool `[N]`, is True at all others.
    """
    n0, n1, n2 = np.uint64(words[0]), np.uint64(words[1]), np.uint64(words[2])
    k0, k1 = np.uint64(key) & _MASK, np.uint64(key) >> np.uint64(32)
    count = len(restore)
    shuffle = np.arange(count)
    for block in range((count + 3) // 4):
        draws = philox_block(_SHUFFLE + np.uint64(block), n0, n1, n2, k0, k1)
        for lane in range(4):
            place = 4 * block + lane
            if 0 < place < count:
                other = below(draws[lane], place + 1)
                shuffle[place], shuffle[other] = shuffle[other], shuffle[place]
    for place in range(count):
        restore[shuffle[place]] = place
        masked[shuffle[place]] = place >= len(keep)
    keep[:] = shuffle[: len(keep)]


@kernel
def make_crop(
    picture: NDArray[np.uint8], words: NDArray[np.uint32], key: np.uint64, flip_below: int, law: Law, bicubic: bool, size: int,
    room: NDArray[np.uint8], lines: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Fill `lines`, uint8 `[3 * size * size]`, with the crop of one row; `room` as for `crop_resize`."""
    n0, n1, n2 = np.uint64(words[0]), np.uint64(words[1]), np.uint64(words[2])
    k0, k1 = np.uint64(key) & _MASK, np.uint64(key) >> np.uint64(32)
    flips, _, _, _ = philox_block(np.uint64(0), n0, n1, n2, k0, k1)
    top, left, height, width = draw_box(n0, n1, n2, k0, k1, picture.shape[0], picture.shape[1], law)
    flip = bool(np.int64(flips) < flip_below)
    crop_resize(picture, top, left, height, width, flip, bicubic, size, room, lines)


@kernel
def _moments(
    planes: NDArray[np.uint8], top: int, left: int, side: int, scale: NDArray[np.float32], offset: NDArray[np.float32]
) -> tuple[Any, Any]:
    """Mean of the normalised values of a patch, and their variance without bias, out of exact sums of bytes."""
    count = 3 * side * side
    total = squares = 0.0
    for channel in range(3):
        first = second = np.int64(0)
        for line in range(top, top + side):
            for place in range(left, left + side):
                value = np.int64(planes[channel, line, place])
                first += value
                second += value * value
        factor, added = np.float64(scale[channel]), np.float64(offset[channel])
        total += factor * first + added * (side * side)
        squares += factor * factor * second + 2.0 * factor * added * first + added * added * (side * side)
    mean = total / count
    return mean, max(squares - total * mean, 0.0) / (count - 1)


@kernel
def patch_targets(
    planes: NDArray[np.uint8], scale: NDArray[np.float32], offset: NDArray[np.float32], values: NDArray[np.float32], side: int,
    out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Fill `out`, float32 `[N, side * side * 3]`, with the patches of `values`, float32 `[3, S, S]`.

    Each less its mean and over its spread, sqrt(variance + 1e-6). `planes`, uint8 `[3, S, S]`, are the bytes that `values` were
    made from by `scale` and `offset`. Within a patch row by row, pixel by pixel, channel by channel.
    """
    across = values.shape[2] // side
    for patch in range(len(out)):
        top, left = patch // across * side, patch % across * side
        mean, variance = _moments(planes, top, left, side, scale, offset)
        over = 1.0 / math.sqrt(variance + 1e-6)
        for line in range(side):
            for place in range(side):
                for channel in range(3):
                    value = np.float64(values[channel, top + line, left + place])
                    out[patch, 3 * (line * side + place) + channel] = (value - mean) * over
