"""WebP: chunks walked here; of the file Pillow, and libwebp behind it, see no more than the first frame."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from sslpipe.codecs._image_format import (
    ImageHeader,
    Pixels,
    checked_metadata,
    checked_pieces,
    checked_size,
    cut_off,
    exif_orientation,
    need,
)
from sslpipe.core.damage import Damage

_LOSSY, _LOSSLESS, _EXTENDED, _FRAME, _ALPHA, _EXIF = b"VP8 ", b"VP8L", b"VP8X", b"ANMF", b"ALPH", b"EXIF"
_STILL: Final = (_LOSSY, _LOSSLESS, _ALPHA)
_HAS_ALPHA: Final = 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class WebpHeader(ImageHeader):
    """The header of a WebP, and its first frame."""

    left: int
    top: int
    frame_width: int
    frame_height: int
    spans: tuple[tuple[int, int], ...]
    """The chunks of the frame, each with its own header."""

    def pixels(self, data: memoryview, at_least: int | None) -> tuple[Pixels, bool]:
        """See `ImageHeader.pixels`; always whole, white where a frame is smaller than its canvas."""
        from PIL.WebPImagePlugin import WebPImageFile

        from sslpipe.kernels.pixels import over_white

        try:
            with WebPImageFile(io.BytesIO(self._still(data))) as picture:
                frame = np.array(picture)
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise Damage("image.decode", self.spans[-1][1], f"libwebp: {error or 'can not decode this'}") from None
        if frame.shape[:2] != (self.frame_height, self.frame_width):
            raise Damage("image.decode", self.spans[-1][1], "two decoders disagree on the size of the picture")
        frame = frame if frame.shape[2] == 3 else over_white(frame)
        if (self.frame_width, self.frame_height) == (self.stored_width, self.stored_height):
            return frame, True
        out = np.full((self.stored_height, self.stored_width, 3), 255, np.uint8)
        out[self.top : self.top + self.frame_height, self.left : self.left + self.frame_width] = frame
        return out, True

    def _still(self, data: memoryview) -> bytes:
        """The frame as a file of its own."""
        chunks = b"".join(bytes(data[start:stop]) + bytes((stop - start) % 2) for start, stop in self.spans)
        if chunks[:4] == _ALPHA:
            sides = (self.frame_width - 1).to_bytes(3, "little") + (self.frame_height - 1).to_bytes(3, "little")
            chunks = _EXTENDED + struct.pack("<II", 10, _HAS_ALPHA) + sides + chunks
        return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    body: memoryview
    stop: int


def read_webp(data: memoryview) -> WebpHeader:
    """The header, from all chunks of the file; raises Damage."""
    end = 8 + int.from_bytes(need(data, 4, 4), "little")
    if end > len(data):
        raise cut_off(data)
    canvas: tuple[int, int] | None = None
    box: tuple[int, int, int, int] | None = None
    stills: list[_Chunk] = []
    orientation = 1
    metadata = 0
    for number, chunk in enumerate(_chunks(data, 12, end)):
        checked_pieces(number, len(data), 1024, chunk.start)
        if chunk.kind == _EXTENDED and not number:
            canvas = _canvas(chunk)
        elif chunk.kind in _STILL and box is None:
            stills.append(chunk)
        elif chunk.kind == _FRAME and not stills:
            box = _box(chunk)
            stills = [inner for inner in _chunks(data, chunk.start + 24, chunk.stop) if inner.kind in _STILL]
        elif chunk.kind == _EXIF:
            orientation = exif_orientation(chunk.body)
        if chunk.kind not in (*_STILL, _FRAME):
            metadata += len(chunk.body)
            checked_metadata(metadata, chunk.start)
    if not stills or len(stills) > 2 or stills[-1].kind == _ALPHA or (len(stills) == 2 and stills[0].kind != _ALPHA):
        raise Damage("image.decode", end, "the file ends without a picture")
    size = _size(stills[-1])
    canvas = canvas or size
    left, top, *sides = box or (0, 0, *canvas)
    if tuple(sides) != size or left + size[0] > canvas[0] or top + size[1] > canvas[1]:
        raise Damage("image.decode", stills[-1].start, f"a frame of {size[0]} x {size[1]} pixels in {canvas[0]} x {canvas[1]}")
    return WebpHeader(
        format="webp",
        stored_width=canvas[0],
        stored_height=canvas[1],
        orientation=orientation,
        channels=4 if len(stills) == 2 or (stills[0].kind == _LOSSLESS and stills[0].body[4] & 0x10) else 3,
        bits=8,
        plain=False,
        left=left,
        top=top,
        frame_width=size[0],
        frame_height=size[1],
        spans=tuple((chunk.start, chunk.stop) for chunk in stills),
    )


def _chunks(data: memoryview, at: int, end: int) -> Iterator[_Chunk]:
    while at + 8 <= end:
        stop = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if stop > end:
            raise Damage("image.decode", at, f"a chunk {bytes(data[at : at + 4])!r} longer than what it is part of")
        yield _Chunk(bytes(data[at : at + 4]), at, data[at + 8 : stop], stop)
        at = stop + (stop - at) % 2


def _canvas(chunk: _Chunk) -> tuple[int, int]:
    need(chunk.body, 0, 10)
    return checked_size(1 + _int24(chunk.body, 4), 1 + _int24(chunk.body, 7), chunk.start)


def _box(chunk: _Chunk) -> tuple[int, int, int, int]:
    """Left, top, width, height of a frame."""
    need(chunk.body, 0, 16)
    return 2 * _int24(chunk.body, 0), 2 * _int24(chunk.body, 3), 1 + _int24(chunk.body, 6), 1 + _int24(chunk.body, 9)


def _size(chunk: _Chunk) -> tuple[int, int]:
    body = chunk.body
    if chunk.kind == _LOSSLESS and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return checked_size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), chunk.start)
    if chunk.kind == _LOSSY and len(body) >= 10 and bytes(body[3:6]) == b"\x9d\x01\x2a":
        sides = (int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF)
        return checked_size(*sides, chunk.start)
    raise Damage("image.decode", chunk.start, f"a chunk {chunk.kind!r} that says nothing of the picture")


def _int24(body: memoryview, at: int) -> int:
    return int.from_bytes(body[at : at + 3], "little")
