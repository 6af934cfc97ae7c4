"""A piece of a picture brought to one size: the bytes of Pillow's `resize` along rows and then columns, many times faster.

Antialiased: shrinking looks at all pixels beneath, growing at neighbours. Weights are Pillow's, counts of 2^-22, computed with
the four basic operations alone; each pass rounds to bytes. (Pillow itself takes columns first where that is less work, which
can change a byte.) Both passes run over contiguous bytes: the one along rows sees a block of rows turned into columns
(`transpose.py`), and its result is turned back.

Pictures made here are held in *lines*, uint8 `[size, 3, size]`: the reds of the first row, its greens, its blues, then the
next row. So all three channels share one pass along columns, and each channel of a row is contiguous for what follows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, inlined, kernel
from sslpipe.kernels.lanes import byte, plus, shifted, times
from sslpipe.kernels.transpose import transpose

_BITS = 22
_HALF = 1 << 21
_BLOCK = 64
"""Rows turned at once: what they become stays in the second-level cache."""
_SPARE = 4
"""Weights come in groups of up to four, so a pass may read (and weigh with 0) so many rows behind the last."""

Bytes = NDArray[np.uint8]
Weights = NDArray[np.int32]


@helper
def _filter(distance: float, bicubic: bool) -> float:
    """A triangle, or Keys' cubic with a = -1/2, at a distance of 0 or more."""
    if bicubic:
        if distance < 1.0:
            return (1.5 * distance - 2.5) * distance * distance + 1.0
        if distance < 2.0:
            return (((distance - 5.0) * distance + 8.0) * distance - 4.0) * -0.5
        return 0.0
    return 1.0 - distance if distance < 1.0 else 0.0


@helper
def _weigh(size_in: int, size_out: int, bicubic: bool, starts: NDArray[np.int64], weights: NDArray[np.int32]) -> int:
    """For each pixel out, the first pixel in that counts and the weights from there on; returns how many count at most."""
    scale = size_in / size_out
    widen = max(scale, 1.0)
    support = (2.0 if bicubic else 1.0) * widen
    narrow = 1.0 / widen
    most = 0
    for place in range(size_out):
        centre = (place + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        count = min(int(centre + support + 0.5), size_in) - first
        total = 0.0
        for tap in range(count):
            total += _filter(abs((tap + first - centre + 0.5) * narrow), bicubic)
        for tap in range(weights.shape[1]):
            weights[place, tap] = 0
        for tap in range(count):
            weight = _filter(abs((tap + first - centre + 0.5) * narrow), bicubic) / total * (1 << _BITS)
            weights[place, tap] = int(weight - 0.5) if weight < 0 else int(weight + 0.5)
        starts[place] = first
        most = max(most, count)
    return most


@inlined
def _rounded(total: Any) -> Any:
    return byte(shifted(plus(total, _HALF), _BITS))


@inlined
def _four(a: Any, b: Any, c: Any, d: Any, weights: Any) -> Any:
    low = plus(times(a, weights[0]), times(b, weights[1]))
    return plus(low, plus(times(c, weights[2]), times(d, weights[3])))


@helper
def _sum2(a: Bytes, b: Bytes, weights: Weights, out: Bytes) -> None:
    w0, w1 = weights[0], weights[1]
    for lane in range(len(out)):
        out[lane] = _rounded(plus(times(a[lane], w0), times(b[lane], w1)))


@helper
def _sum3(a: Bytes, b: Bytes, c: Bytes, weights: Weights, out: Bytes) -> None:
    w0, w1, w2 = weights[0], weights[1], weights[2]
    for lane in range(len(out)):
        out[lane] = _rounded(plus(plus(times(a[lane], w0), times(b[lane], w1)), times(c[lane], w2)))


@helper
def _sum4(a: Bytes, b: Bytes, c: Bytes, d: Bytes, weights: Weights, out: Bytes) -> None:
    four = weights[0], weights[1], weights[2], weights[3]
    for lane in range(len(out)):
        out[lane] = _rounded(_four(a[lane], b[lane], c[lane], d[lane], four))


@helper
def _start(a: Bytes, b: Bytes, c: Bytes, d: Bytes, weights: Weights, totals: Weights) -> None:
    four = weights[0], weights[1], weights[2], weights[3]
    for lane in range(len(totals)):
        totals[lane] = _four(a[lane], b[lane], c[lane], d[lane], four)


@helper
def _go_on(a: Bytes, b: Bytes, c: Bytes, d: Bytes, weights: Weights, totals: Weights) -> None:
    four = weights[0], weights[1], weights[2], weights[3]
    for lane in range(len(totals)):
        totals[lane] = plus(totals[lane], _four(a[lane], b[lane], c[lane], d[lane], four))


@helper
def _finish(a: Bytes, b: Bytes, c: Bytes, d: Bytes, weights: Weights, totals: Weights, out: Bytes) -> None:
    four = weights[0], weights[1], weights[2], weights[3]
    for lane in range(len(out)):
        out[lane] = _rounded(plus(totals[lane], _four(a[lane], b[lane], c[lane], d[lane], four)))


@helper
def _weighted_sum(rows: Bytes, stride: int, weights: Weights, taps: int, totals: Weights, out: Bytes) -> None:
    """Rows `stride` apart, weighed and added. Each count of rows has its own loop; from five on, four rows at a time."""
    a, b, c, d = rows, rows[stride:], rows[2 * stride :], rows[3 * stride :]
    if taps <= 2:
        _sum2(a, b, weights, out)
    elif taps == 3:
        _sum3(a, b, c, weights, out)
    elif taps == 4:
        _sum4(a, b, c, d, weights, out)
    else:
        _start(a, b, c, d, weights, totals)
        last = (taps - 1) // 4 * 4
        for tap in range(4, last, 4):
            here = tap * stride
            _go_on(
                rows[here:], rows[here + stride :], rows[here + 2 * stride :], rows[here + 3 * stride :], weights[tap:], totals
            )
        here = last * stride
        a, b, c, d = rows[here:], rows[here + stride :], rows[here + 2 * stride :], rows[here + 3 * stride :]
        _finish(a, b, c, d, weights[last:], totals, out)


@kernel
def _most_taps(size_in: int, size_out: int) -> int:
    """Room for the weights of one pixel out."""
    return (2 * int(2 * max(size_in / size_out, 1.0) + 1) + 1 + _SPARE) // _SPARE * _SPARE


def resize_room(height: int, width: int, size: int) -> int:
    """Bytes of working memory that `crop_resize` needs for a picture of this size and any crop of it."""
    columns = 3 * (width + _SPARE) * _BLOCK
    turned = 3 * (size + _SPARE) * _BLOCK
    lines = 3 * size * (height + _SPARE)
    return columns + turned + lines


@kernel
def crop_resize(
    picture: NDArray[np.uint8], top: int, left: int, height: int, width: int, flip: bool, bicubic: bool, size: int,
    room: NDArray[np.uint8], lines: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Fill `lines`, uint8 `[3 * size * size]`, from a piece of `picture`, uint8 `[H, W, 3]`, mirrored if `flip`.

    The piece must lie inside. `room`, uint8, has at least `resize_room` bytes, of any content.
    """
    across = np.empty((size, _most_taps(width, size)), np.int32)
    down = np.empty((size, _most_taps(height, size)), np.int32)
    from_left, from_top = np.empty(size, np.int64), np.empty(size, np.int64)
    totals = np.empty(3 * max(size, _BLOCK), np.int32)
    taps_across = _weigh(width, size, bicubic, from_left, across)
    taps_down = _weigh(height, size, bicubic, from_top, down)
    pixels = picture.reshape(-1)
    stride = 3 * picture.shape[1]
    columns = room[: 3 * (width + _SPARE) * _BLOCK]
    turned = room[len(columns) : len(columns) + 3 * (size + _SPARE) * _BLOCK]
    rows = room[len(columns) + len(turned) :]
    for block in range(0, height, _BLOCK):
        count = min(_BLOCK, height - block)
        transpose(pixels, (top + block) * stride + 3 * left, stride, columns, 0, _BLOCK, count, 3 * width)
        for place in range(size):
            target = size - 1 - place if flip else place
            _weighted_sum(
                columns[from_left[place] * 3 * _BLOCK :], 3 * _BLOCK, across[place], taps_across, totals[: 3 * _BLOCK],
                turned[target * 3 * _BLOCK : (target + 1) * 3 * _BLOCK],
            )  # fmt: skip
        for channel in range(3):
            transpose(turned, channel * _BLOCK, 3 * _BLOCK, rows, (3 * block + channel) * size, 3 * size, size, count)
    for line in range(size):
        _weighted_sum(
            rows[from_top[line] * 3 * size :], 3 * size, down[line], taps_down, totals[: 3 * size],
            lines[line * 3 * size : (line + 1) * 3 * size],
        )  # fmt: skip
