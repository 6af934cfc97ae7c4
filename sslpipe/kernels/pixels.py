"""Pixels of other kinds to 8-bit RGB, in integers: every division rounds to the nearest, and none meets a tie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel

_EIGHT_OF_32 = 65535 * 257
"""What a product of two 16-bit numbers is divided by to have 8 bits."""


def over_white(samples: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Grey or colour with alpha, uint8 or uint16 `[..., 2 or 4]`, over white; uint8 `[..., 3]`."""
    channels = samples.shape[-1]
    out = np.empty((*samples.shape[:-1], 3), np.uint8)
    blend = _over_white_8 if samples.dtype == np.uint8 else _over_white_16
    blend(_lines(samples), 1 if channels == 4 else 0, out.reshape(-1, 3))
    return out


def to_eight_bits(samples: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Grey or colour uint16 `[..., 1 or 3]` as uint8 `[..., 3]`."""
    out = np.empty((*samples.shape[:-1], 3), np.uint8)
    _to_eight_bits(_lines(samples), 1 if samples.shape[-1] == 3 else 0, out.reshape(-1, 3))
    return out


def inks_to_rgb(inks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cyan, magenta, yellow, black, uint8 `[..., 4]`, 255 for no ink as JPEG files have it; uint8 `[..., 3]`."""
    out = np.empty((*inks.shape[:-1], 3), np.uint8)
    _inks_to_rgb(_lines(inks), out.reshape(-1, 3))
    return out


def _lines(samples: NDArray[Any]) -> NDArray[Any]:
    """One pixel a row, and of one type whoever calls: numba compiles anew for each layout and mutability."""
    lines = np.ascontiguousarray(samples).reshape(-1, samples.shape[-1]).view()
    lines.flags.writeable = False
    return lines


@kernel
def _over_white_8(samples: NDArray[np.uint8], step: int, out: NDArray[np.uint8]) -> None:
    last = samples.shape[1] - 1
    for pixel in range(len(samples)):
        alpha = np.uint32(samples[pixel, last])
        white = np.uint32(255 * (255 - alpha) + 127)
        for channel in range(3):
            out[pixel, channel] = np.uint32(np.uint32(samples[pixel, channel * step]) * alpha + white) // np.uint32(255)


@kernel
def _over_white_16(samples: NDArray[np.uint16], step: int, out: NDArray[np.uint8]) -> None:
    last = samples.shape[1] - 1
    for pixel in range(len(samples)):
        alpha = np.uint64(samples[pixel, last])
        white = np.uint64(65535) * (np.uint64(65535) - alpha) + np.uint64(_EIGHT_OF_32 // 2)
        for channel in range(3):
            out[pixel, channel] = (np.uint64(samples[pixel, channel * step]) * alpha + white) // np.uint64(_EIGHT_OF_32)


@kernel
def _to_eight_bits(samples: NDArray[np.uint16], step: int, out: NDArray[np.uint8]) -> None:
    for pixel in range(len(samples)):
        for channel in range(3):
            out[pixel, channel] = (np.uint32(samples[pixel, channel * step]) + np.uint32(128)) // np.uint32(257)


@kernel
def _inks_to_rgb(inks: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    for pixel in range(len(inks)):
        black = np.uint32(inks[pixel, 3])
        for channel in range(3):
            out[pixel, channel] = (np.uint32(inks[pixel, channel]) * black + np.uint32(127)) // np.uint32(255)
