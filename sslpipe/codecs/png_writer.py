"""Pixels as PNG, the same bytes on every machine."""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_ZLIB: Final = b"\x78\x01"


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of 8-bit RGB from uint8 `[h, w, 3]`, without loss.

    Photographs come out as small as by zlib's usual level, drawings somewhat larger. Libraries' own writers take three to ten
    times as long, and what they write depends on their version of zlib, in some builds on the processor too.
    """
    from sslpipe.kernels.deflate import deflate
    from sslpipe.kernels.png_rows import filter_rows

    height, width, _ = pixels.shape
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    filter_rows(np.ascontiguousarray(pixels).reshape(height, -1), 3, rows)
    body = _ZLIB + deflate(rows.reshape(-1)).tobytes() + struct.pack(">I", zlib.adler32(rows.data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
