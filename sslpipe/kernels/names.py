"""Row names and draw keys as the generator wants them, without a temporary array a step.

The mixing is that of `core.hashes.mix`, bit for bit; there it serves the build, here every batch of a stream.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import inlined, kernel

_WHOLE = -1


@inlined
def _mixed(state: Any, word: Any) -> Any:
    state = np.uint64(state) + np.uint64(word) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x2545F4914F6CDD1D)
    state = (state ^ (state >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    state = (state ^ (state >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return state ^ (state >> np.uint64(33))


@kernel
def name_words(
    high: NDArray[np.uint64],
    low: NDArray[np.uint64],
    occurrence: NDArray[np.uint32],
    offset: NDArray[np.int64],
    words: NDArray[np.uint32],
) -> None:
    """Fill `words`, uint32 `[n, 3]`: see `Names.words`."""
    for row in range(len(high)):
        a, b = high[row], low[row]
        if occurrence[row] > 0 or offset[row] != _WHOLE:
            tail = _mixed(np.uint64(occurrence[row]), np.uint64(offset[row]))
            a, b = _mixed(a, tail), _mixed(b, tail)
        words[row, 0] = a >> np.uint64(32)
        words[row, 1] = a & np.uint64(0xFFFFFFFF)
        words[row, 2] = b >> np.uint64(32)


@kernel
def draw_keys(base: np.uint64, epochs: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
    """Fill `keys`, uint64 `[n]`, from the key of a step and the epoch of each row: see `Draw.keys`."""
    for row in range(len(epochs)):
        keys[row] = _mixed(base, np.uint64(epochs[row]))
