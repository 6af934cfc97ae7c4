"""JPEG: segments walked to the end of the file, pixels from libjpeg-turbo."""

from __future__ import annotations

import io
import re
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

MAX_SCANS: Final = 100
"""Encoders write about ten; each costs a pass over the whole picture."""
_MAX_WORK: Final = 1 << 32
"""Pixels times scans."""
_MAX_TABLES: Final = 1 << 20
_DENSEST: Final = 1024
"""Pixels a byte. Every 8 x 8 pixels of one component take a bit or more, and the coarsest sampling allowed has 9 of these bits
for 1024 pixels. Else a few bytes could make the decoder of progressive files set up a gigabyte of zeros."""

_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""What ends entropy-coded data: neither an escaped byte nor a restart."""
_TEM, _SOI, _EOI, _SOS, _APP0, _APP1, _APP14, _COM = 0x01, 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xEE, 0xFE
_APPS: Final = (*range(0xE0, 0xF0), _COM)
_FRAMES: Final = (0xC0, 0xC1, 0xC2)
"""Baseline, sequential, progressive."""
_UNSUPPORTED: Final = {
    0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical", 0xC9: "arithmetic-coded",
    0xCA: "arithmetic-coded", 0xCB: "arithmetic-coded", 0xCD: "hierarchical", 0xCE: "hierarchical", 0xCF: "hierarchical",
    0xF7: "JPEG-LS",
}  # fmt: skip
_LOST: Final = ("remature end", "bad Huffman code", "instead of RST")
"""What libjpeg says when data of pixels are missing or make no sense; it goes on with grey."""
_EXTRANEOUS: Final = re.compile(r"extraneous bytes before marker 0x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegHeader(ImageHeader):
    """The header of a JPEG, and what a second decoder needs of the file."""

    scans: int
    kept: tuple[tuple[int, int], ...]
    """Where everything stands but metadata and bytes between segments."""
    is_littered: bool
    """Whether bytes stand between segments before the first scan."""

    def pixels(self, data: memoryview, at_least: int | None) -> tuple[Pixels, bool]:
        """See `ImageHeader.pixels`; with `at_least` decoded to a half, a quarter or an eighth where that is large enough."""
        import simplejpeg

        from sslpipe.kernels.pixels import inks_to_rgb

        shrink = self.shrink(at_least)
        height, width = -(-self.stored_height // shrink), -(-self.stored_width // shrink)
        space = "CMYK" if self.channels == 4 else "RGB"
        source = self._tidied(data) if self.is_littered else data
        try:
            pixels = simplejpeg.decode_jpeg(source, space, min_height=height, min_width=width, min_factor=shrink)
        except ValueError as error:
            if (damage := self._damage(str(error), len(data))) is not None:
                raise damage from None
            pixels, shrink = self._by_pillow(data), 1
        return (inks_to_rgb(pixels) if self.channels == 4 else pixels), shrink == 1

    def shrink(self, at_least: int | None) -> int:
        """A power of two: these have SIMD code, other scales cost more than they save (3/4: twice the time of the whole)."""
        short = min(self.stored_width, self.stored_height)
        return 1 if at_least is None else next((by for by in (8, 4, 2) if -(-short // by) >= at_least), 1)

    def _damage(self, message: str, size: int) -> Damage | None:
        """What is lost, if libjpeg's complaint says that something is.

        Bytes left over at the end are padding, which some cameras write; left over anywhere else, they were not understood.
        """
        found = _EXTRANEOUS.search(message)
        if (found is not None and int(found[1], 16) != _EOI) or any(words in message for words in _LOST):
            return Damage("image.decode", size, f"libjpeg: {message}")
        return None

    def _tidied(self, data: memoryview) -> bytes:
        """The file without metadata, and without what stands between segments."""
        return b"\xff\xd8" + b"".join(data[start:stop] for start, stop in self.kept)

    def _by_pillow(self, data: memoryview) -> Pixels:
        """A file that has no more than oddities, such as colours sampled in an unusual way."""
        from PIL.JpegImagePlugin import JpegImageFile

        try:
            with JpegImageFile(io.BytesIO(self._tidied(data))) as picture:
                if picture.size != (self.stored_width, self.stored_height) or len(picture.getbands()) != self.channels:
                    raise Damage("image.decode", 0, "two decoders disagree on the size of the picture")
                return ~np.asarray(picture) if self.channels == 4 else np.array(picture.convert("RGB"))
        except (OSError, SyntaxError, ValueError) as error:
            raise Damage("image.decode", len(data), f"libjpeg: {error}") from None


def read_jpeg(data: memoryview) -> JpegHeader:
    """The header, from all segments of the file; raises Damage."""
    frame: _Segment | None = None
    kept: list[tuple[int, int]] = []
    orientation = adobe = None
    jfif = littered = False
    scans = metadata = tables = stop = 0
    before = 2
    for segment in _segments(data):
        code, start, body, stop = segment
        littered = littered or (not scans and bool(bytes(data[before:start]).strip(b"\xff")))
        before = stop
        if code in _APPS:
            metadata += len(body)
            checked_metadata(metadata, start)
            if code == _APP1 and orientation is None and bytes(body[:6]) == b"Exif\0\0":
                orientation = exif_orientation(body)
            jfif = jfif or (code == _APP0 and bytes(body[:5]) == b"JFIF\0")
            if code == _APP14 and bytes(body[:5]) == b"Adobe" and len(body) >= 12:
                adobe = body[11]
        elif code in _UNSUPPORTED:
            raise Damage("image.unsupported", start, f"a JPEG of the kind `{_UNSUPPORTED[code]}`")
        elif code in _FRAMES:
            if frame is not None:
                raise Damage("image.decode", start, "a second frame")
            frame = segment
            _check_frame(body, start)
        elif code == _SOS:
            scans += 1
            if frame is None:
                raise Damage("image.decode", start, "data before the frame that they belong to")
            _check_work(scans, frame.body, start)
        elif (tables := tables + len(body)) > _MAX_TABLES:
            raise Damage("image.limit", start, f"more than {_MAX_TABLES:,} bytes of tables")
        if code not in _APPS or code in (_APP0, _APP14):
            kept.append((start, stop))
    if frame is None or not scans:
        raise Damage("image.decode", stop, "the file ends without a picture")
    width, height = _size(frame.body)
    if width * height > _DENSEST * len(data):
        raise Damage("image.truncated", len(data), f"{len(data):,} bytes can't hold {width:,} x {height:,} pixels", cut=True)
    upright = orientation in (None, 1)
    is_ycc = frame.body[5] == 3 and _is_ycc(bytes(frame.body[6::3]), jfif, adobe)
    return JpegHeader(
        format="jpeg",
        stored_width=width,
        stored_height=height,
        orientation=orientation or 1,
        channels=frame.body[5],
        bits=8,
        plain=is_ycc and upright and stop == len(data),
        scans=scans,
        kept=tuple(kept),
        is_littered=littered,
    )


class _Segment(NamedTuple):
    code: int
    start: int
    body: memoryview
    stop: int
    """Where the next marker starts behind a scan, which holds data of pixels; the segment's end otherwise."""


def _segments(data: memoryview) -> Iterator[_Segment]:
    """All segments up to the end of the picture; bytes between them are passed over, as libjpeg does."""
    at = 2
    pieces = 0
    while (found := _MARKER.search(data, at)) is not None:
        start, at = found.span()
        code = data[at - 1]
        if code == _EOI:
            yield _Segment(code, start, data[at:at], at)
            return
        if code in (_TEM, _SOI):
            continue
        size = int.from_bytes(need(data, at, 2), "big")
        if size < 2:
            raise Damage("image.decode", at, "a segment shorter than its own length")
        body = need(data, at, size)[2:]
        at += size
        pieces += 1
        checked_pieces(pieces, len(data), 1024, at)
        if code == _SOS and (found := _MARKER.search(data, at)) is not None:
            at = found.start()
        yield _Segment(code, start, body, at)
    raise cut_off(data)


def _check_frame(body: memoryview, at: int) -> None:
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise Damage("image.decode", at, "a frame header that is too short")
    if body[0] != 8:
        raise Damage("image.unsupported", at, f"a JPEG with {body[0]} bits a sample")
    if body[5] not in (1, 3, 4):
        raise Damage("image.unsupported", at, f"a JPEG with {body[5]} components")
    checked_size(*_size(body), at)


def _size(frame: memoryview) -> tuple[int, int]:
    return int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")


def _check_work(scans: int, frame: memoryview, at: int) -> None:
    width, height = _size(frame)
    pixels = width * height
    if scans > MAX_SCANS or scans * pixels > _MAX_WORK:
        raise Damage("image.limit", at, f"{scans:,} scans of {pixels:,} pixels")


def _is_ycc(components: bytes, jfif: bool, adobe: int | None) -> bool:
    """Whether three components are luma and chroma, by the rules of libjpeg."""
    if jfif:
        return True
    return components[:3] != b"RGB" if adobe is None else adobe != 0
