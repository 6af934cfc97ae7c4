"""Pictures in lines (`resize.py`) to what a model takes: one plane a channel, as bytes or normalised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel


@kernel
def copy_planes(lines: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Fill `out`, uint8 `[n, 3, size, size]`, from `lines`, uint8 `[n, 3 * size * size]`."""
    size = out.shape[3]
    for picture in range(len(out)):
        for channel in range(3):
            for line in range(size):
                start = (3 * line + channel) * size
                out[picture, channel, line] = lines[picture, start : start + size]


@kernel
def normalise_planes(
    lines: NDArray[np.uint8], scale: NDArray[np.float32], offset: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """Fill `out`, float32 `[n, 3, size, size]`, with `value * scale[channel] + offset[channel]`, rounded after each step."""
    size = out.shape[3]
    for picture in range(len(out)):
        for channel in range(3):
            times, plus = scale[channel], offset[channel]
            for line in range(size):
                start = (3 * line + channel) * size
                row, values = out[picture, channel, line], lines[picture, start : start + size]
                for place in range(size):
                    row[place] = np.float32(values[place]) * times + plus
