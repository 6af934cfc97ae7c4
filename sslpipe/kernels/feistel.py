"""Keyed permutations of `[0, N)` that need no table of N numbers, so that an order of any size is a function.

A Feistel network permutes a power of four; numbers that fall outside of `[0, N)` walk on through the network until they fall
inside (cycle walking), less than four steps in the mean. Four rounds are visibly uneven for small N, eight are not; and small N
take a shuffled table instead, which is uniform by construction. The keys of the rounds are Philox draws of the key.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel
from sslpipe.kernels.philox import philox_block

TABLE_BELOW: Final = 2**16
"""Permutations of fewer numbers than this are tables."""

LARGEST: Final = 2**62
"""No permutation is larger."""

ROUNDS: Final = 8

_MASK = np.uint64(0xFFFFFFFF)


@kernel
def shuffled_table(size: int, key: np.uint64) -> Any:
    """The numbers `[0, size)` shuffled by Fisher and Yates' method, uint16 `[size]`; `size` is at most `TABLE_BELOW`.

    Step `i` swaps place `i` with a place in `[0, i]`: word `i % 4` of Philox block `(i // 4, 0, 0, 0)`, scaled, uneven by less
    than 2^-16.
    """
    k0, k1 = np.uint64(key) & _MASK, np.uint64(key) >> np.uint64(32)
    zero = np.uint64(0)
    table = np.arange(size).astype(np.uint16)
    for block in range((size + 3) // 4):
        words = philox_block(np.uint64(block), zero, zero, zero, k0, k1)
        for lane in range(4):
            place = 4 * block + lane
            if place < size:
                other = np.int64((words[lane] * np.uint64(place + 1)) >> np.uint64(32))
                table[place], table[other] = table[other], table[place]
    return table


@kernel
def _scramble(word: np.uint64) -> np.uint64:
    """The 64-bit finaliser of MurmurHash3."""
    word = np.uint64(word)
    word = (word ^ (word >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    word = (word ^ (word >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return word ^ (word >> np.uint64(33))


@kernel
def feistel(positions: NDArray[np.int64], size: int, key: np.uint64, rounds: int, out: NDArray[np.int64]) -> None:
    """Fill `out` with the images of `positions`, int64 `[n]` in `[0, size)`, under the permutation named by `key`.

    A number is split into halves of `h` bits, the smallest `h` with 4^h >= size; a round makes (left, right) into
    (right, left ^ the top `h` bits of scramble(scramble(right) + round key)). `size` is at most `LARGEST`.
    """
    k0, k1 = np.uint64(key) & _MASK, np.uint64(key) >> np.uint64(32)
    half = 1
    while (1 << (2 * half)) < size:
        half += 1
    shift, bits = np.uint64(64 - half), np.uint64(half)
    low = (np.uint64(1) << bits) - np.uint64(1)
    keys = np.empty(rounds, np.uint64)
    one, zero = np.uint64(1), np.uint64(0)
    for turn in range(rounds):
        a, b, _, _ = philox_block(np.uint64(turn), one, zero, zero, k0, k1)
        keys[turn] = (a << np.uint64(32)) | b
    end = np.uint64(size)
    for place in range(len(positions)):
        number = np.uint64(positions[place])
        while True:
            left, right = number >> bits, number & low
            for turn in range(rounds):
                left, right = right, left ^ (_scramble(_scramble(right) + keys[turn]) >> shift)
            number = (left << bits) | right
            if number < end:
                break
        out[place] = np.int64(number)
