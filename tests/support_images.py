"""Pictures for tests, of every kind and made by code: writers that do what no library's does, and plain oracles."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    """Pixels without any pattern."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def photo(height: int, width: int, seed: int = 0) -> Pixels:
    """Something smooth with edges and a little noise, which JPEG likes."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    waves = np.stack([(x * (3 + seed) + y) % 256, (x + y * 2) * 255 // (width + 2 * height), (x * y // 16) % 256], axis=2)
    return np.clip(waves + np.random.default_rng(seed).integers(-3, 4, waves.shape), 0, 255).astype(np.uint8)


def scene(height: int, width: int) -> Pixels:
    """Slow changes of colour behind a few large boxes: what a picture keeps when it is made small."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    out = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], axis=2).astype(np.uint8)
    out[height // 4 : height // 2, width // 3 : width // 2] = (250, 20, 20)
    out[height // 2 : height * 3 // 4, width // 5 : width // 3] = (10, 40, 200)
    return out


def jpeg(pixels: Pixels, **options: Any) -> bytes:
    """By simplejpeg."""
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), **{"quality": 90, **options}))


def saved(picture: Image.Image | Pixels, kind: str, **options: Any) -> bytes:
    """By Pillow."""
    out = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(out, kind, **options)
    return out.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def exif(orientation: int, order: str = "<", kind: int = 3, prefix: bytes = b"Exif\0\0") -> bytes:
    """EXIF data with one tag."""
    value = struct.pack(order + ("H" if kind == 3 else "I"), orientation).ljust(4, b"\0")
    entry = struct.pack(order + "HHI", 0x0112, kind, 1) + value
    mark = b"II" if order == "<" else b"MM"
    return prefix + mark + struct.pack(order + "HI", 42, 8) + struct.pack(order + "H", 1) + entry + bytes(4)


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """A JPEG with another segment in front."""
    return data[:2] + segment(marker, body) + data[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, depth: int, colour: int, idat: bytes, *, interlace: int = 0, extra: bytes = b"",
           behind: bytes = b"") -> bytes:  # fmt: skip
    """A PNG around data as they are."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    middle = chunk(b"IHDR", header) + extra + chunk(b"IDAT", idat) + behind
    return b"\x89PNG\r\n\x1a\n" + middle + chunk(b"IEND", b"")


def png(samples: NDArray[Any], depth: int, colour: int, *, interlace: int = 0, filters: tuple[int, ...] = (0,),
        extra: bytes = b"") -> bytes:  # fmt: skip
    """A PNG of samples `[h, w, channels]`, row `y` of each pass filtered by `filters[y % len(filters)]`."""
    height, width, channels = samples.shape
    raw = b""
    for y, x, down, right in ADAM7 if interlace else ((0, 0, 1, 1),):
        part = samples[y::down, x::right]
        if part.size:
            raw += _filtered(_packed(part, depth), max(1, channels * depth // 8), filters)
    return png_of(width, height, depth, colour, zlib.compress(raw), interlace=interlace, extra=extra)


def _packed(samples: NDArray[Any], depth: int) -> NDArray[np.uint8]:
    """Rows of bytes, `[h, n]`."""
    rows = samples.reshape(len(samples), -1)
    if depth == 16:
        return rows.astype(">u2").view(np.uint8)
    if depth == 8:
        return rows.astype(np.uint8)
    bits = (rows[..., None].astype(np.uint8) >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(len(rows), -1).astype(bool), axis=1)


def _filtered(rows: NDArray[np.uint8], step: int, filters: tuple[int, ...]) -> bytes:
    out = b""
    above = np.zeros(rows.shape[1], np.int64)
    for y, line in enumerate(rows.astype(np.int64)):
        left = np.concatenate([np.zeros(step, np.int64), line])[: len(line)]
        corner = np.concatenate([np.zeros(step, np.int64), above])[: len(line)]
        guess = left + above - corner
        distances = np.abs(np.stack([guess - left, guess - above, guess - corner]))
        paeth = np.choose(np.argmin(distances, axis=0), [left, above, corner])
        kind = filters[y % len(filters)]
        predicted = [np.zeros_like(line), left, above, (left + above) // 2, paeth][kind]
        out += bytes([kind]) + ((line - predicted) % 256).astype(np.uint8).tobytes()
        above = line
    return out


def webp_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP out of chunks."""
    body = b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def composed(samples: NDArray[Any], largest: int) -> Pixels:
    """The oracle for 8-bit RGB: samples `[h, w, 1 to 4]` over white, rounded once, in whole numbers of any size."""
    wide = samples.astype(object)
    alpha = wide[..., -1:] if samples.shape[2] in (2, 4) else np.full((*samples.shape[:2], 1), largest, object)
    colours = wide[..., :3] if samples.shape[2] >= 3 else np.repeat(wide[..., :1], 3, axis=2)
    exact = (colours * alpha + largest * (largest - alpha)) * 255
    return np.asarray((2 * exact + largest * largest) // (2 * largest * largest)).astype(np.uint8)


def by_pillow(data: bytes) -> Pixels:
    """What Pillow makes of a file."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))
