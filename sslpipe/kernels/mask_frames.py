"""Spans of masked frames, and negatives among them, for tasks on sound.

The draws of a row (see `philox.py` for counter and key) are used like this:

    block 0                        word 0 is where the crop begins, word 1 rounds the number of spans
    block 1 + i // 4               word i % 4 is the start of span i
    block 2^31 + f t + k // 4      word k % 4 is negative k of frame t; f = ceil(negatives / 4) blocks belong to a frame

So what one frame draws depends neither on how many others are masked nor on what its row is padded to.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel
from sslpipe.kernels.philox import philox_block

SHARE_RANGE: Final = 2**32
"""The share of frames that begin a span is a multiple of its inverse."""

_MASK = np.uint64(0xFFFFFFFF)
_NEGATIVES = np.uint64(2**31)


@kernel
def mask_spans(
    words: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    frames: NDArray[np.int64],
    share: int,
    length: int,
    least: int,
    mask: NDArray[np.bool_],
) -> None:
    """Set `mask`, bool `[n, T]`, False before, in spans of `length` among the first `frames[row]` places of each row.

    Of `t` frames, `t * share / 2^32` begin a span, rounded up or down by chance so that the mean is that; at least `least`, and
    at most so many that one frame stays visible even if no spans overlap. Starts are drawn without replacement, all sets of
    them as likely (Floyd's method), from 0 to `t - length` both included; spans may overlap.
    """
    begins = np.zeros(mask.shape[1] + 1, np.bool_)
    for row in range(len(frames)):
        total = frames[row]
        starts = total - length + 1
        if starts < 1:
            continue
        k0, k1 = np.uint64(keys[row]) & _MASK, np.uint64(keys[row]) >> np.uint64(32)
        n0, n1, n2 = np.uint64(words[row, 0]), np.uint64(words[row, 1]), np.uint64(words[row, 2])
        rounding = np.int64(philox_block(np.uint64(0), n0, n1, n2, k0, k1)[1])
        count: Any = (np.int64(total) * share + rounding) >> 32
        count = min(max(count, least), max(1, (total - 1) // length), starts)
        begins[:starts] = False
        for index in range(count):
            drawn = philox_block(np.uint64(1 + index // 4), n0, n1, n2, k0, k1)
            lane = index % 4
            word = drawn[0] if lane == 0 else drawn[1] if lane == 1 else drawn[2] if lane == 2 else drawn[3]
            last = starts - count + index
            start = np.int64((word * np.uint64(last + 1)) >> np.uint64(32))
            begins[last if begins[start] else start] = True
        end = 0
        for place in range(total):
            if place < starts and begins[place]:
                end = place + length
            mask[row, place] = place < end


@kernel
def masked_negatives(
    words: NDArray[np.uint32], keys: NDArray[np.uint64], mask: NDArray[np.bool_], negatives: NDArray[np.int64]
) -> None:
    """Fill `negatives`, int64 `[n, T, K]`, with places of the same row, for each masked frame K other masked ones.

    Each is uniform over the other masked frames, drawn with replacement. Frames that aren't masked, and the only masked one
    of a row, get 0, which is a place that exists and says nothing.
    """
    count = negatives.shape[2]
    blocks = (count + 3) // 4
    places = np.empty(mask.shape[1], np.int64)
    for row in range(len(mask)):
        found = 0
        for place in range(mask.shape[1]):
            places[found] = place
            found += mask[row, place]
        negatives[row] = 0
        if found < 2:
            continue
        k0, k1 = np.uint64(keys[row]) & _MASK, np.uint64(keys[row]) >> np.uint64(32)
        n0, n1, n2 = np.uint64(words[row, 0]), np.uint64(words[row, 1]), np.uint64(words[row, 2])
        others = np.uint64(found - 1)
        for rank in range(found):
            place = places[rank]
            first = _NEGATIVES + np.uint64(place * blocks)
            for block in range(blocks):
                drawn = philox_block((first + np.uint64(block)) & _MASK, n0, n1, n2, k0, k1)
                for lane in range(min(4, count - 4 * block)):
                    word = drawn[0] if lane == 0 else drawn[1] if lane == 1 else drawn[2] if lane == 2 else drawn[3]
                    other = np.int64((word * others) >> np.uint64(32))
                    negatives[row, place, 4 * block + lane] = places[other + (other >= rank)]


@kernel
def normalized(samples: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Write samples with a mean of 0 and a variance of 1, as `(x - mean) / sqrt(variance + 1e-7)`.

    Sums are in double precision, each of eight in turn, added up in a fixed order: the same bits on every processor.
    """
    sums = np.zeros(8)
    whole = len(samples) // 8 * 8
    for place in range(0, whole, 8):
        for lane in range(8):
            sums[lane] += np.float64(samples[place + lane])
    for place in range(whole, len(samples)):
        sums[0] += np.float64(samples[place])
    total = 0.0
    for lane in range(8):
        total += sums[lane]
    mean = total / len(samples)
    sums[:] = 0.0
    for place in range(0, whole, 8):
        for lane in range(8):
            apart = np.float64(samples[place + lane]) - mean
            sums[lane] += apart * apart
    for place in range(whole, len(samples)):
        apart = np.float64(samples[place]) - mean
        sums[0] += apart * apart
    total = 0.0
    for lane in range(8):
        total += sums[lane]
    scale = 1.0 / np.sqrt(total / len(samples) + 1e-7)
    for place in range(len(samples)):
        out[place] = np.float32((np.float64(samples[place]) - mean) * scale)
