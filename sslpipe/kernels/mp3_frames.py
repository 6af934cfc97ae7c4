"""The frames of an MP3 stream, walked from header to header (ISO 11172-3 and 13818-3, layer III)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, kernel

ENDED: Final = 0
"""Too few bytes are left for the next frame."""
LOST: Final = 1
"""There is no frame header where one should be."""
CHANGED: Final = 2
"""The next header is of a stream of another version, rate or number of channels."""
INFO: Final = 3
"""The next frame holds a table of contents (Xing, Info, VBRI) instead of sound."""

_HIGH = np.array([0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0], np.int64)
_LOW = np.array([0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0], np.int64)
_RATES = np.array([44100, 48000, 32000, 0], np.int64)

_XING, _INFO, _VBRI = (int.from_bytes(name, "big") for name in (b"Xing", b"Info", b"VBRI"))


@helper
def _word(data: NDArray[np.uint8], at: Any) -> Any:
    return (np.int64(data[at]) << 24) | (np.int64(data[at + 1]) << 16) | (np.int64(data[at + 2]) << 8) | np.int64(data[at + 3])


@helper
def frame_facts(word: Any) -> Any:
    """Of a header: bytes of the frame, its rate, its channels, the samples of each, and where its table would stand.

    All 0 for a word that is no header of layer III, or one of free format, whose length no header tells.
    """
    version, layer, index, rates = (word >> 19) & 3, (word >> 17) & 3, (word >> 12) & 15, (word >> 10) & 3
    if (word >> 21) != 0x7FF or version == 1 or layer != 1 or index in (0, 15) or rates == 3 or word & 3 == 2:
        return 0, 0, 0, 0, 0
    first = version == 3
    rate = _RATES[rates] >> (0 if first else 1 if version == 2 else 2)
    bitrate = 1000 * (_HIGH[index] if first else _LOW[index])
    size = (144 if first else 72) * bitrate // rate + ((word >> 9) & 1)
    channels = 1 if (word >> 6) & 3 == 3 else 2
    side = (32 if first else 17) if channels == 2 else (17 if first else 9)
    return size, rate, channels, 1152 if first else 576, 4 + side


@kernel
def frame_at(data: NDArray[np.uint8], at: int) -> tuple[int, int, int, int, int]:
    """The facts of the frame at a place: see `frame_facts`."""
    if at + 4 > len(data):
        return 0, 0, 0, 0, 0
    size, rate, channels, samples, table = frame_facts(_word(data, at))
    return size, rate, channels, samples, table


@kernel
def first_frame(data: NDArray[np.uint8], at: int, limit: int, last: bool) -> int:
    """The place of the first of three frames of one kind in a row, not behind `limit`; -1 if there are none.

    Where `last` says that nothing follows `data`, its end may stand for the second and third, if the first is at `at` or the
    last ends with `data`.
    """
    for start in range(at, min(limit, len(data) - 4) + 1):
        if data[start] != 0xFF:
            continue
        size, rate, channels, _, _ = frame_facts(_word(data, start))
        place, found = start, 0
        while size > 0:
            found += 1
            place += size
            if found == 3 or place + 4 > len(data):
                break
            size, other_rate, other_channels, _, _ = frame_facts(_word(data, place))
            if other_rate != rate or other_channels != channels:
                found = 0
                break
        if found == 3 or (found > 0 and last and (place == len(data) or (start == at and place + 4 > len(data)))):
            return start
    return -1


@kernel
def mp3_frames(data: NDArray[np.uint8], at: int, rate: int, channels: int) -> tuple[int, int, int]:
    """How many frames follow one another from `at`, where they end, and why: `ENDED`, `LOST`, `CHANGED` or `INFO`.

    The frame at `at` itself is taken for sound; a table of contents behind it ends the walk.
    """
    count, end, start = 0, len(data), at
    while at + 4 <= end:
        size, own_rate, own_channels, _, table = frame_facts(_word(data, at))
        if size == 0:
            return count, at, LOST
        if own_rate != rate or own_channels != channels:
            return count, at, CHANGED
        if at + size > end:
            break
        if at > start:
            name = _word(data, at + table) if table + 4 <= size else 0
            fraunhofer = _word(data, at + 36) if size >= 40 else 0
            if name in (_XING, _INFO) or fraunhofer == _VBRI:
                return count, at, INFO
        at += size
        count += 1
    return count, at, ENDED
