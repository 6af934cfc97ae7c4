"""LZW as GIF has it: codes of growing width, least significant bit first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel

_CODES = 4096


@kernel
def unlzw(packed: NDArray[np.uint8], size: int, out: NDArray[np.uint8]) -> Any:
    """Fill `out`, uint8 `[n]`, from codes that start with `size + 1` bits, `size` from 2 to 8.

    Returns how many there were, fewer than `n` where the codes end early, or -1 for a code that means nothing yet.
    """
    before = np.zeros(_CODES, np.int64)
    last = np.zeros(_CODES, np.uint8)
    first = np.zeros(_CODES, np.uint8)
    length = np.ones(_CODES, np.int64)
    clear = 1 << size
    for literal in range(clear):
        last[literal] = literal
        first[literal] = literal
    free, width, previous = clear + 2, size + 1, np.int64(-1)
    held, bits, at, done = np.int64(0), 0, 0, np.int64(0)
    while done < len(out):
        while bits < width:
            if at == len(packed):
                return done
            held |= np.int64(packed[at]) << bits
            bits += 8
            at += 1
        code = held & ((1 << width) - 1)
        held >>= width
        bits -= width
        if code == clear:
            free, width, previous = clear + 2, size + 1, np.int64(-1)
            continue
        if code == clear + 1:
            return done
        if previous < 0:
            if code > clear:
                return -1
        elif free < _CODES:
            if code > free:
                return -1
            # The new string is the one before and the first of this one, which may be the new string itself.
            before[free] = previous
            first[free] = first[previous]
            length[free] = length[previous] + 1
            last[free] = first[code]
            free += 1
            if free == 1 << width and width < 12:
                width += 1
        end = done + length[code]
        string: Any = code
        place = end - 1
        while place >= done:
            if place < len(out):
                out[place] = last[string]
            string = before[string]
            place -= 1
        done = end
        previous = code
    return len(out)
