"""How loud sound is, in whole numbers, so that a threshold divides alike on every processor."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel

FULL: Final = 2**23
"""Full scale: samples of up to 24 bits are exact, floats are rounded to the nearest such step."""
CLIPPED: Final = 32_767 * 2**8
"""From here on a sample is at full scale: 16-bit files can say no more on the positive side."""
ENERGY_STEP: Final = 3
"""Bits that are left off before samples are squared, so that the sum over a slice fits 63 bits."""
ENERGY_FULL: Final = FULL >> ENERGY_STEP

_LOUDEST = 128.0
"""Float files may exceed full scale, but what is beyond this counts as this."""


@kernel
def audio_levels(samples: NDArray[np.float32], slice_frames: int, silence: int) -> Any:
    """Of float32 `[channels, frames]`: peak, clipped samples, largest sum of a channel, slices, silent slices, five numbers.

    Peak and sum are in steps of 2^-23, the sum of the channel whose sum is farthest from 0, as it is without sign. A slice is
    `slice_frames` frames of all channels, the last one may be shorter; it is silent if its root mean square is below `silence`,
    in steps of 2^-20, where samples beyond full scale count as full scale.
    """
    channels, frames = samples.shape
    peak: Any = np.int64(0)
    clipped: Any = np.int64(0)
    offset: Any = np.int64(0)
    slices = (frames + slice_frames - 1) // slice_frames
    energy = np.zeros(slices, np.int64)
    for channel in range(channels):
        total = np.int64(0)
        for part in range(slices):
            start = part * slice_frames
            stop = min(frames, start + slice_frames)
            squares = np.int64(0)
            for place in range(start, stop):
                value = np.int64(np.rint(np.float64(min(max(samples[channel, place], -_LOUDEST), _LOUDEST)) * FULL))
                total += value
                size: Any = abs(value)
                peak = max(peak, size)
                clipped += size >= CLIPPED
                small: Any = min(size >> ENERGY_STEP, ENERGY_FULL)
                squares += small * small
            energy[part] += squares
        offset = max(offset, abs(total))
    silent = np.int64(0)
    for part in range(slices):
        count = channels * (min(frames, (part + 1) * slice_frames) - part * slice_frames)
        silent += energy[part] < np.int64(silence) * silence * count
    return peak, clipped, offset, slices, silent
