"""Philox4x32-10, the counter-based generator behind every draw (Salmon et al., SC 2011).

One layout for all draws:

    counter = (block, name word 0, name word 1, name word 2)      32 bits each
    key     = (low half, high half) of the row's 64-bit draw key

Block `b` of a row holds its draws `4 b .. 4 b + 3`. Nothing else enters, so a draw depends on its name and key alone, never on
the batch, the order, or the thread. Equal to Random123's `philox4x32_R(10)`; golden values in the tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import inlined, kernel

_MASK = np.uint64(0xFFFFFFFF)


@inlined
def philox_block(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Ten rounds over one counter; all words are 32 bits held in uint64, so that nothing is promoted to a signed type."""
    for _ in range(10):
        left = c0 * np.uint64(0xD2511F53)
        right = c2 * np.uint64(0xCD9E8D57)
        c0 = (right >> np.uint64(32)) ^ c1 ^ k0
        c2 = (left >> np.uint64(32)) ^ c3 ^ k1
        c1 = right & _MASK
        c3 = left & _MASK
        k0 = (k0 + np.uint64(0x9E3779B9)) & _MASK
        k1 = (k1 + np.uint64(0xBB67AE85)) & _MASK
    return c0, c1, c2, c3


@kernel
def philox_row(words: NDArray[np.uint32], key: np.uint64, out: NDArray[np.uint32]) -> None:
    """Fill `out`, uint32 `[count]`, with the draws of one row named by `words`, uint32 `[3]`."""
    k0, k1 = np.uint64(key) & _MASK, np.uint64(key) >> np.uint64(32)
    n0, n1, n2 = np.uint64(words[0]), np.uint64(words[1]), np.uint64(words[2])
    whole = len(out) // 4
    for block in range(whole):
        a, b, c, d = philox_block(np.uint64(block), n0, n1, n2, k0, k1)
        out[4 * block] = a
        out[4 * block + 1] = b
        out[4 * block + 2] = c
        out[4 * block + 3] = d
    if len(out) % 4:
        rest = philox_block(np.uint64(whole), n0, n1, n2, k0, k1)
        for lane in range(len(out) % 4):
            out[4 * whole + lane] = rest[lane]


@kernel
def philox_rows(words: NDArray[np.uint32], keys: NDArray[np.uint64], out: NDArray[np.uint32]) -> None:
    """Fill row `i` of `out`, uint32 `[n, count]`, with the draws of the row named `words[i]` under `keys[i]`."""
    for row in range(len(words)):
        philox_row(words[row], keys[row], out[row])


@kernel
def below(draw: Any, bound: Any) -> Any:
    """An integer in `[0, bound)` from one 32-bit draw, by multiplication; uneven by at most `bound / 2^32`."""
    return np.int64((np.uint64(draw) * np.uint64(bound)) >> np.uint64(32))
