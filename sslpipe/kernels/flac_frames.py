"""The frames of a FLAC stream, found by their checksums and without decoding (RFC 9639, section 9)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, kernel

LONGEST_HEADER: Final = 16


def _table(polynomial: int, bits: int) -> NDArray[np.int64]:
    """What each value of the top byte adds to a checksum, int64 `[256]`."""
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    values = []
    for byte in range(256):
        rest = byte << (bits - 8)
        for _ in range(8):
            rest = ((rest << 1) ^ polynomial if rest & top else rest << 1) & mask
        values.append(rest)
    return np.array(values, np.int64)


_CRC8: Final = _table(0x07, 8)
_CRC16: Final = _table(0x8005, 16)


@helper
def _header(data: NDArray[np.uint8], at: Any, end: Any) -> Any:
    """The size of the frame header at a place, and the samples of its frame; 0 and 0 where there is no valid one."""
    if end - at < 6 or data[at] != 0xFF or (data[at + 1] & 0xFE) != 0xF8:
        return 0, 0
    blocks, rate = data[at + 2] >> 4, data[at + 2] & 15
    if blocks == 0 or rate == 15 or (data[at + 3] >> 4) > 10 or (data[at + 3] >> 1) & 7 == 3 or data[at + 3] & 1:
        return 0, 0
    more = 0
    while more < 7 and (data[at + 4] << more) & 0x80:
        more += 1
    if more == 1:
        return 0, 0
    place = at + 4 + max(1, more)
    size = place - at + (1 if blocks == 6 else 2 if blocks == 7 else 0)
    size += 1 if rate == 12 else 2 if rate in (13, 14) else 0
    if at + size + 1 > end:
        return 0, 0
    for index in range(at + 5, at + 4 + more):
        if (data[index] & 0xC0) != 0x80:
            return 0, 0
    crc = 0
    for index in range(at, at + size):
        crc = _CRC8[crc ^ data[index]]
    if crc != data[at + size]:
        return 0, 0
    if blocks == 1:
        samples = 192
    elif blocks < 6:
        samples = 576 << (blocks - 2)
    elif blocks == 6:
        samples = data[place] + 1
    elif blocks == 7:
        samples = data[place] * 256 + data[place + 1] + 1
    else:
        samples = 256 << (blocks - 8)
    return size + 1, samples


@kernel
def flac_frames(data: NDArray[np.uint8], last: bool) -> tuple[int, int]:
    """How many samples the sound frames at the start of `data` hold, and where they end.

    A frame is sound if the checksums of its header and of all of it are right. It ends where another header begins, or where
    `data` does if `last` says that nothing follows.
    """
    at, samples, end = 0, 0, len(data)
    while at < end:
        size, count = _header(data, at, end)
        if size == 0:
            break
        crc, found = 0, -1
        for place in range(at, end):
            if crc == 0 and data[place] == 0xFF and place >= at + size and _header(data, place, end)[0] > 0:
                found = place
                break
            crc = ((crc << 8) & 0xFFFF) ^ _CRC16[(crc >> 8) ^ data[place]]
        if found < 0 and last and crc == 0:
            found = end
        if found < 0:
            break
        samples += count
        at = found
    return samples, at


@kernel
def later_header(data: NDArray[np.uint8]) -> int:
    """The place of the first valid frame header behind the first byte, or -1."""
    for place in range(1, len(data)):
        if data[place] == 0xFF and _header(data, place, len(data))[0] > 0:
            return place
    return -1
