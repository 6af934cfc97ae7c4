"""Brightness, contrast, saturation, hue and grey of a picture in whole numbers, on pictures in lines (`resize.py`).

What torchvision's functions of these names compute in floating point, to within 1 of 255. Factors are counts of 2^-20, shifts
of hue counts of 2^-16 of a sixth of a turn; results are rounded down, as theirs are, but for hue, where half rounds up. Grey is
Pillow's: (19595 R + 38470 G + 7471 B + 32768) / 65536, so that white stays white (torchvision's weights add up to 0.9999).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, inlined, kernel
from sslpipe.kernels.lanes import byte, plus, shifted, times

FACTOR: Final = 2**20
"""The factor 1."""
SIXTH: Final = 2**16
"""A sixth of a turn of hue."""
TURN: Final = 6 * SIXTH

_BITS = 20
Lines = NDArray[np.uint8]


@inlined
def _grey(red: Any, green: Any, blue: Any) -> Any:
    return shifted(times(red, 19595) + times(green, 38470) + times(blue, 7471) + 32768, 16)


@inlined
def _blend(value: Any, factor: Any, offset: Any) -> Any:
    return byte(shifted(plus(times(value, factor), offset), _BITS))


@kernel
def brighten(lines: Lines, factor: int) -> None:
    """Every value times `factor`."""
    for place in range(len(lines)):
        lines[place] = _blend(lines[place], factor, 0)


@inlined
def _channels(lines: Any, size: Any, line: Any) -> tuple[Any, Any, Any]:
    """Red, green and blue of one row."""
    start = 3 * line * size
    return lines[start : start + size], lines[start + size : start + 2 * size], lines[start + 2 * size : start + 3 * size]


@helper
def _grey_sum(reds: Lines, greens: Lines, blues: Lines) -> Any:
    total = np.int32(0)
    for place in range(len(reds)):
        total = plus(total, _grey(reds[place], greens[place], blues[place]))
    return total


@kernel
def contrast(lines: Lines, size: int, factor: int) -> None:
    """Every value drawn towards the mean grey of the picture, or away from it where `factor` is above 1."""
    total = np.int64(0)
    for line in range(size):
        reds, greens, blues = _channels(lines, size, line)
        total += _grey_sum(reds, greens, blues)
    offset = total * (FACTOR - factor) // (size * size)
    for place in range(len(lines)):
        lines[place] = _blend(lines[place], factor, offset)


@helper
def _saturate(reds: Lines, greens: Lines, blues: Lines, factor: int) -> None:
    rest = FACTOR - factor
    for place in range(len(reds)):
        offset = times(_grey(reds[place], greens[place], blues[place]), rest)
        reds[place] = _blend(reds[place], factor, offset)
        greens[place] = _blend(greens[place], factor, offset)
        blues[place] = _blend(blues[place], factor, offset)


@kernel
def saturate(lines: Lines, size: int, factor: int) -> None:
    """Every value drawn towards the grey of its pixel, or away from it where `factor` is above 1."""
    for line in range(size):
        reds, greens, blues = _channels(lines, size, line)
        _saturate(reds, greens, blues, factor)


@helper
def _desaturate(reds: Lines, greens: Lines, blues: Lines) -> None:
    for place in range(len(reds)):
        grey = np.uint8(_grey(reds[place], greens[place], blues[place]))
        reds[place] = grey
        greens[place] = grey
        blues[place] = grey


@kernel
def desaturate(lines: Lines, size: int) -> None:
    """Grey in all three channels."""
    for line in range(size):
        reds, greens, blues = _channels(lines, size, line)
        _desaturate(reds, greens, blues)


@inlined
def _channel(hue: Any, turned: Any, value: Any, chroma: Any) -> Any:
    """One channel of a colour: `value` less as much of `chroma` as its place on the hexagon says.

    Places run from a sixth before 0, which counts as 0, up to a turn; `hue` from there to five sixths, `turned` up to a turn.
    """
    place = plus(hue, turned)
    place = plus(place, -TURN) if place >= np.int32(TURN) else place
    share = min(max(min(place, np.int32(4 * SIXTH - place)), np.int32(0)), np.int32(SIXTH))
    return np.uint8(value - shifted(plus(times(chroma, share), 32768), 16))


@helper
def _turn_hue(reds: Lines, greens: Lines, blues: Lines, to_red: int, to_green: int, to_blue: int) -> None:
    for place in range(len(reds)):
        red, green, blue = np.int32(reds[place]), np.int32(greens[place]), np.int32(blues[place])
        value = max(max(red, green), blue)
        chroma = np.int32(value - min(min(red, green), blue))
        over = np.int32(green - blue) if value == red else np.int32(blue - red) if value == green else np.int32(red - green)
        start = np.int32(0) if value == red else np.int32(2 * SIXTH) if value == green else np.int32(4 * SIXTH)
        part = np.int32(np.float32(times(over, SIXTH)) / np.float32(max(chroma, np.int32(1))))
        hue = plus(start, part)
        reds[place] = _channel(hue, to_red, value, chroma)
        greens[place] = _channel(hue, to_green, value, chroma)
        blues[place] = _channel(hue, to_blue, value, chroma)


@kernel
def turn_hue(lines: Lines, size: int, shift: int) -> None:
    """Colours turned on the hexagon of HSV by `shift`; the largest and the smallest value of each pixel stay.

    The hue of a pixel is the quotient of two differences: floats of 32 bits hold both exactly and divide as IEEE 754 says.
    """
    to_red, to_green, to_blue = (shift + 5 * SIXTH) % TURN, (shift + 3 * SIXTH) % TURN, (shift + SIXTH) % TURN
    for line in range(size):
        reds, greens, blues = _channels(lines, size, line)
        _turn_hue(reds, greens, blues, to_red, to_green, to_blue)
