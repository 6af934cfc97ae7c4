"""Long sound in windows of equal length, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def windows_of(blocks: Iterator[NDArray[np.float32]], size: int) -> Iterator[NDArray[np.float32]]:
    """Blocks of frames, float32 `[frames, channels]`, as windows of `size` frames laid end to end.

    What is left at the end is a window of its own if it is at least half as long, else it belongs to the one before it; so the
    last window has from `size / 2` to below `3 / 2 size` frames, unless the sound is shorter. At most that much and one block
    is held. Where `blocks` raises, whole windows have been given.
    """
    enough = size + (size + 1) // 2
    held: list[NDArray[np.float32]] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count < enough:
            continue
        joined = np.concatenate(held)
        start = 0
        while count - start >= enough:
            yield joined[start : start + size]
            start += size
        held, count = [joined[start:]], count - start
    if count:
        yield np.concatenate(held)
