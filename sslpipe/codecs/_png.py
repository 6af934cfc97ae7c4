"""PNG of every kind, decoded here: checksums are checked, all 16 bits of a sample count, only pixels are unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs._image_format import (
    MAX_METADATA,
    ImageHeader,
    Pixels,
    checked_metadata,
    checked_pieces,
    checked_size,
    exif_orientation,
    need,
)
from sslpipe.core.damage import Damage

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_CHANNELS: Final = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_DEPTHS: Final = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
_TEXTS: Final = (b"zTXt", b"iTXt", b"iCCP")
_PIXELS: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS")
_WHOLE: Final = ((0, 0, 1, 1),)
_ADAM7: Final = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""Each pass: first row, first column, step of rows, step of columns."""

Samples = NDArray[Any]
"""uint8, or uint16 where there are 16 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PngHeader(ImageHeader):
    """The header of a PNG, and where its pixels are."""

    colour: int
    passes: tuple[tuple[int, int, int, int], ...]
    palette: bytes
    transparency: bytes
    spans: tuple[tuple[int, int], ...]
    """The bytes of each IDAT chunk."""

    def pixels(self, data: memoryview, at_least: int | None) -> tuple[Pixels, bool]:
        """See `ImageHeader.pixels`; always whole."""
        from sslpipe.kernels.pixels import over_white, to_eight_bits

        samples = self._samples(data)
        largest = 2**self.bits - 1
        if self.colour == PALETTE:
            return self._coloured(samples), True
        if self.transparency:
            samples = self._with_alpha(samples)
        elif self.bits < 8:
            samples = samples * np.uint8(255 // largest)
        channels = samples.shape[2]
        if (channels, self.bits) == (3, 8):
            return samples, True
        if channels in (2, 4):
            return over_white(samples), True
        if self.bits == 16:
            return to_eight_bits(samples), True
        return np.repeat(samples, 3, axis=2), True

    def _samples(self, data: memoryview) -> Samples:
        """Every sample as it is stored, `[h, w, channels]`."""
        parts = [
            (-(-(self.stored_height - y) // down), -(-(self.stored_width - x) // right)) for y, x, down, right in self.passes
        ]
        sizes = [rows * (self._stride(columns) + 1) if columns else 0 for rows, columns in parts]
        packed = self._inflated(data, sum(sizes))
        if len(parts) == 1:
            return self._unfiltered(packed, *parts[0])
        whole = np.empty((self.stored_height, self.stored_width, self.channels), np.uint16 if self.bits == 16 else np.uint8)
        start = 0
        for (y, x, down, right), part, size in zip(self.passes, parts, sizes, strict=True):
            if size:
                whole[y::down, x::right] = self._unfiltered(packed[start : start + size], *part)
            start += size
        return whole

    def _stride(self, columns: int) -> int:
        return -(-columns * self.channels * self.bits // 8)

    def _unfiltered(self, packed: NDArray[np.uint8], rows: int, columns: int) -> Samples:
        """The samples of one pass, `[rows, columns, channels]`."""
        from sslpipe.kernels.png_rows import unfilter, unpack

        lines = np.empty((rows, self._stride(columns)), np.uint8)
        step = max(1, self.channels * self.bits // 8)
        if (line := unfilter(packed.reshape(rows, -1), step, lines)) >= 0:
            raise Damage("image.decode", self.spans[-1][1], f"row {line} is filtered in a way that PNG doesn't have")
        if self.bits == 8:
            return lines.reshape(rows, columns, self.channels)
        if self.bits == 16:
            return lines.view(">u2").astype(np.uint16).reshape(rows, columns, self.channels)
        samples = np.empty((rows, columns), np.uint8)
        unpack(lines, self.bits, samples)
        return samples.reshape(rows, columns, 1)

    def _inflated(self, data: memoryview, size: int) -> NDArray[np.uint8]:
        """Filtered rows of all passes. Nothing is allocated for what a header promises, only for what comes out."""
        inflate = zlib.decompressobj()
        pieces: list[bytes] = []
        left = size
        try:
            for start, stop in self.spans:
                pieces.append(inflate.decompress(data[start:stop], left))
                left -= len(pieces[-1])
                if not left or inflate.eof:
                    break
        except zlib.error as error:
            raise Damage("image.decode", len(data), f"zlib: {error}") from None
        if left:
            raise Damage("image.truncated", len(data), f"{left:,} of {size:,} bytes of pixels are missing", cut=True)
        return np.frombuffer(pieces[0] if len(pieces) == 1 else b"".join(pieces), np.uint8)

    def _coloured(self, samples: Samples) -> Pixels:
        from sslpipe.kernels.pixels import over_white

        colours = np.full((len(self.palette) // 3, 4), 255, np.uint8)
        colours[:, :3] = np.frombuffer(self.palette, np.uint8).reshape(-1, 3)
        alpha = np.frombuffer(self.transparency, np.uint8)[: len(colours)]
        colours[: len(alpha), 3] = alpha
        flat = over_white(colours)
        if (highest := int(samples.max())) >= len(flat):
            raise Damage("image.decode", 0, f"a pixel has colour {highest} of a palette of {len(flat)}")
        return flat[samples[..., 0]]

    def _with_alpha(self, samples: Samples) -> Samples:
        """One colour is transparent; samples below 8 bits are spread to 8."""
        clear = np.frombuffer(self.transparency, ">u2")
        shown = ~(samples == clear).all(axis=2)
        largest = 2**self.bits - 1
        alpha = shown * samples.dtype.type(255 if self.bits < 8 else largest)
        spread = samples * samples.dtype.type(255 // largest if self.bits < 8 else 1)
        return np.concatenate([spread, alpha[..., None].astype(samples.dtype)], axis=2)


def read_png(data: memoryview) -> PngHeader:
    """The header, from all chunks of the file; raises Damage."""
    chunks = _chunks(data)
    first = next(chunks)
    width, height, depth, colour, passes = _facts(first)
    palette = transparency = b""
    spans: list[tuple[int, int]] = []
    orientation = 1
    metadata = 0
    is_animated = ended = False
    stop = first.stop
    for kind, start, body, stop in chunks:  # noqa: B007 (the end of the last one is used below)
        if kind == b"IDAT":
            if ended:
                raise Damage("image.decode", start, "pixels in two places")
            spans.append((start, start + len(body)))
            continue
        ended = bool(spans)
        is_animated = is_animated or kind == b"acTL"
        if kind == b"PLTE" and not spans:
            palette = bytes(body)
        elif kind == b"tRNS" and not spans:
            transparency = bytes(body)
        elif kind == b"eXIf":
            orientation = exif_orientation(body)
        elif kind in _TEXTS:
            _check_text(body, start)
        elif kind[0] < 97 and kind not in _PIXELS:
            raise Damage("image.unsupported", start, f"a PNG with chunks of the kind {kind!r}")
        if kind not in _PIXELS and kind != b"fdAT":
            metadata += len(body)
            checked_metadata(metadata, start)
    if not spans:
        raise Damage("image.decode", stop, "the file ends without a picture")
    _check_colours(colour, palette, transparency, stop)
    alpha = transparency if colour in (GREY, RGB, PALETTE) else b""
    plain_kind = (colour, depth, passes, alpha, orientation) == (RGB, 8, _WHOLE, b"", 1)
    return PngHeader(
        format="png",
        stored_width=width,
        stored_height=height,
        orientation=orientation,
        channels=_CHANNELS[colour],
        bits=depth,
        plain=plain_kind and not is_animated and stop == len(data),
        colour=colour,
        passes=passes,
        palette=palette,
        transparency=alpha,
        spans=tuple(spans),
    )


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    body: memoryview
    stop: int


def _chunks(data: memoryview) -> Iterator[_Chunk]:
    """All chunks to the end of the picture, their checksums right."""
    at = len(SIGNATURE)
    pieces = 0
    while True:
        size = int.from_bytes(need(data, at, 8)[:4], "big")
        kind = bytes(data[at + 4 : at + 8])
        stop = at + 12 + size
        if not kind.isalpha():
            raise Damage("image.decode", at, f"{kind!r} is no kind of chunk")
        _check_first(pieces, kind, size, at)
        checked = need(data, at + 4, size + 8)
        if zlib.crc32(checked[:-4]) != int.from_bytes(checked[-4:], "big"):
            raise Damage("image.decode", at, f"the checksum of a chunk {kind.decode()} is wrong")
        pieces += 1
        checked_pieces(pieces, len(data), 1024, at)
        yield _Chunk(kind, at + 8, checked[4:-4], stop)
        if kind == b"IEND":
            return
        at = stop


def _check_first(pieces: int, kind: bytes, size: int, at: int) -> None:
    if (kind == b"IHDR") != (not pieces) or (kind == b"IHDR" and size != 13):
        known = "Apple's own kind of PNG" if kind == b"CgBI" else "the file should begin with one chunk IHDR of 13 bytes"
        raise Damage("image.unsupported" if kind == b"CgBI" else "image.decode", at, known)


def _facts(first: _Chunk) -> tuple[int, int, int, int, tuple[tuple[int, int, int, int], ...]]:
    body, at = first.body, first.start
    width, height = checked_size(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"), at)
    depth, colour, compression, filters, interlace = body[8:]
    if depth not in _DEPTHS.get(colour, ()) or compression or filters or interlace > 1:
        found = f"depth {depth}, colour {colour}, compression {compression}, filters {filters}, interlace {interlace}"
        raise Damage("image.decode", at, f"no PNG is like this: {found}")
    return width, height, depth, colour, _ADAM7 if interlace else _WHOLE


def _check_colours(colour: int, palette: bytes, transparency: bytes, at: int) -> None:
    if colour == PALETTE and (not palette or len(palette) % 3 or len(palette) > 768):
        raise Damage("image.decode", at, f"a palette of {len(palette)} bytes")
    wanted = {GREY: 2, RGB: 6}.get(colour)
    if transparency and wanted and len(transparency) != wanted:
        raise Damage("image.decode", at, f"a transparent colour of {len(transparency)} bytes, wanted {wanted}")


def _check_text(body: memoryview, at: int) -> None:
    """Refuses text that unfolds beyond all measure, since others who read the file unpack it; deflate reaches 1032 to 1."""
    start = bytes(body[:1024]).find(b"\0") + 1
    if len(body) * 1032 < MAX_METADATA or not start:
        return
    for skipped in _text_starts(body, start):
        inflate = zlib.decompressobj()
        try:
            if len(inflate.decompress(body[skipped:], MAX_METADATA + 1)) > MAX_METADATA:
                raise Damage("image.limit", at, f"text that unfolds to more than {MAX_METADATA:,} bytes")
        except zlib.error:
            continue


def _text_starts(body: memoryview, start: int) -> Iterator[int]:
    """Where compressed data may begin: behind the keyword, and in iTXt behind a language and a translation too."""
    yield start + 1
    at = start + 2
    for _ in range(2):
        end = bytes(body[at : at + 1024]).find(b"\0")
        if end < 0:
            return
        at += end + 1
    yield at
