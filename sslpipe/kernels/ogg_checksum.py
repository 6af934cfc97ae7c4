"""The checksum of an Ogg page (RFC 3533, section 6)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel

_FIELD: Final = 22
"""Where the page holds its checksum; these four bytes count as zeros."""


def _table() -> NDArray[np.int64]:
    values = []
    for byte in range(256):
        rest = byte << 24
        for _ in range(8):
            rest = ((rest << 1) ^ 0x04C11DB7 if rest & 0x80000000 else rest << 1) & 0xFFFFFFFF
        values.append(rest)
    return np.array(values, np.int64)


_CRC32: Final = _table()


@kernel
def ogg_checksum(page: NDArray[np.uint8]) -> int:
    """The checksum that a whole page should have, whatever its own field says."""
    crc = np.int64(0)
    for place in range(len(page)):
        byte = 0 if _FIELD <= place < _FIELD + 4 else page[place]
        crc = ((crc << 8) & 0xFFFFFFFF) ^ _CRC32[(crc >> 24) ^ byte]
    return int(crc)
