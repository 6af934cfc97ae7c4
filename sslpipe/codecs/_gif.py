"""GIF: the first frame, on white where it is transparent or doesn't cover the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sslpipe.codecs._image_format import ImageHeader, Pixels, checked_pieces, checked_size, need
from sslpipe.core.damage import Damage

_IMAGE, _EXTENSION, _TRAILER, _CONTROL = 0x2C, 0x21, 0x3B, 0xF9
_INTERLACED: Final = ((0, 8), (4, 8), (2, 4), (1, 2))
"""Each pass: first row, step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GifHeader(ImageHeader):
    """The header of a GIF, and its first frame."""

    left: int
    top: int
    frame_width: int
    frame_height: int
    is_interlaced: bool
    palette: bytes
    clear: int | None
    """The colour that stands for nothing."""
    code_size: int
    spans: tuple[tuple[int, int], ...]
    """The bytes of each block of data."""

    def pixels(self, data: memoryview, at_least: int | None) -> tuple[Pixels, bool]:
        """See `ImageHeader.pixels`; always whole."""
        from sslpipe.kernels.lzw import unlzw

        packed = np.frombuffer(b"".join(data[start:stop] for start, stop in self.spans), np.uint8)
        codes = np.zeros((self.frame_height, self.frame_width), np.uint8)
        found = unlzw(packed, self.code_size, codes.reshape(-1))
        if found < 0:
            raise Damage("image.decode", self.spans[0][0], "a code of LZW that means nothing yet")
        if found < codes.size:
            raise Damage("image.truncated", len(data), f"{codes.size - found:,} of {codes.size:,} pixels are missing", cut=True)
        colours = np.frombuffer(self.palette, np.uint8).reshape(-1, 3).copy()
        if (highest := int(codes.max())) >= len(colours) and highest != self.clear:
            raise Damage("image.decode", 0, f"a pixel has colour {highest} of a palette of {len(colours)}")
        if self.clear is not None:
            colours = np.concatenate([colours, np.full((256 - len(colours), 3), 255, np.uint8)])
            colours[self.clear] = 255
        out = np.full((self.stored_height, self.stored_width, 3), 255, np.uint8)
        frame = out[self.top : self.top + self.frame_height, self.left : self.left + self.frame_width]
        start = 0
        for first, step in _INTERLACED if self.is_interlaced else ((0, 1),):
            rows = len(range(first, self.frame_height, step))
            frame[first::step] = colours[codes[start : start + rows]]
            start += rows
        return out, True


def read_gif(data: memoryview) -> GifHeader:
    """The header, from all blocks of the file; raises Damage."""
    head = need(data, 0, 13)
    screen = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    shared, at = _colour_table(data, 13, head[10])
    clear: int | None = None
    frame: GifHeader | None = None
    frames = blocks = 0
    while (kind := need(data, at, 1)[0]) != _TRAILER:
        if kind == _EXTENSION:
            label = need(data, at, 2)[1]
            spans, at = _blocks(data, at + 2)
            if label == _CONTROL and spans and spans[0][1] - spans[0][0] == 4:
                start = spans[0][0]
                clear = data[start + 3] if data[start] & 1 else None
        elif kind == _IMAGE:
            place = at
            box = need(data, at, 10)
            own, at = _colour_table(data, at + 10, box[9])
            code_size = need(data, at, 1)[0]
            spans, at = _blocks(data, at + 1)
            frames += 1
            if frame is None:
                frame = _frame(screen, box, own or shared, clear, code_size, spans, place)
            clear = None
        elif kind == 0:
            spans, at = (), at + 1
        else:
            raise Damage("image.decode", at, f"a block of the kind {kind}")
        blocks += 1 + len(spans)
        checked_pieces(blocks, len(data), 64, at)
    if frame is None:
        raise Damage("image.decode", at, "the file ends without a picture")
    return frame


def _colour_table(data: memoryview, at: int, flags: int) -> tuple[bytes, int]:
    size = 3 << ((flags & 7) + 1) if flags & 0x80 else 0
    return bytes(need(data, at, size)), at + size


def _blocks(data: memoryview, at: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """Blocks of data up to the empty one, and where that ends."""
    spans = []
    while size := need(data, at, 1)[0]:
        need(data, at + 1, size)
        spans.append((at + 1, at + 1 + size))
        at += 1 + size
    return tuple(spans), at + 1


def _frame(
    screen: tuple[int, int],
    box: memoryview,
    palette: bytes,
    clear: int | None,
    code_size: int,
    spans: tuple[tuple[int, int], ...],
    at: int,
) -> GifHeader:
    left, top, frame_width, frame_height = (int.from_bytes(box[k : k + 2], "little") for k in (1, 3, 5, 7))
    checked_size(frame_width, frame_height, at)
    width, height = checked_size(max(screen[0], left + frame_width), max(screen[1], top + frame_height), at)
    if not palette:
        raise Damage("image.decode", at, "no table of colours")
    if not 2 <= code_size <= 8 or not spans:
        raise Damage("image.decode", at, f"codes of {code_size} bits in {len(spans)} blocks")
    return GifHeader(
        format="gif",
        stored_width=width,
        stored_height=height,
        orientation=1,
        channels=1,
        bits=8,
        plain=False,
        left=left,
        top=top,
        frame_width=frame_width,
        frame_height=frame_height,
        is_interlaced=bool(box[9] & 0x40),
        palette=palette,
        clear=clear,
        code_size=code_size,
        spans=spans,
    )
