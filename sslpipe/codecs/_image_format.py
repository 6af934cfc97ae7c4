"""What the formats of pictures share: the facts that a header tells, caps on what it may ask for, reads that stay in bounds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.damage import Damage

ImageFormat = Literal["jpeg", "png", "webp", "gif"]
Pixels = NDArray[np.uint8]

MAX_PIXELS: Final = 178_956_970
"""Where Pillow gives up by default (twice the 89,478,485 it warns at): 512 MiB of RGB. A reader's own cap can only be lower."""
MAX_SIDE: Final = 65_500
"""What libjpeg decodes and writes at most."""
MAX_METADATA: Final = 16 << 20
"""Bytes of metadata in one file, and what a compressed piece of it may unfold to. A JPEG's colour profile can have 16 MiB."""

_FREE_PIECES: Final = 10_000
_ORIENTATION: Final = 0x0112
_SHORT, _LONG = 3, 4
_MAX_TAGS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader(ABC):
    """What a picture's file says of itself before anything is decoded."""

    format: ImageFormat
    stored_width: int
    stored_height: int
    orientation: int
    """1 to 8 as EXIF counts them: how the stored pixels have to be turned."""
    channels: int
    """As they are stored, 1 to 4; a palette counts as one."""
    bits: int
    """Of one channel of one pixel, as they are stored."""
    plain: bool
    """Whether every decoder agrees on the file: 8-bit RGB, upright, one frame, nothing behind the end."""

    @property
    def width(self) -> int:
        """Of the upright picture."""
        return self.stored_height if self.orientation > 4 else self.stored_width

    @property
    def height(self) -> int:
        """Of the upright picture."""
        return self.stored_width if self.orientation > 4 else self.stored_height

    def shrink(self, at_least: int | None) -> int:
        """By how much `pixels` makes the picture smaller: 1, or for a JPEG up to 8."""
        return 1

    @abstractmethod
    def pixels(self, data: memoryview, at_least: int | None) -> tuple[Pixels, bool]:
        """The pixels as stored, RGB uint8 `[h, w, 3]`, of the file that the header is of; and whether they are all of them."""


def need(data: memoryview, at: int, size: int) -> memoryview:
    """`size` bytes from `at`; raises Damage `image.truncated` where the file ends before."""
    if at + size > len(data):
        raise cut_off(data)
    return data[at : at + size]


def cut_off(data: memoryview) -> Damage:
    """The damage of a file that ends too early."""
    return Damage("image.truncated", len(data), "the file ends before the picture does", cut=True)


def checked_size(width: int, height: int, at: int) -> tuple[int, int]:
    """The two sides; raises Damage `image.dimension` for none, `image.too_large` above the caps."""
    if not (width and height):
        raise Damage("image.dimension", at, f"{width} x {height} pixels")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise Damage(
            "image.too_large",
            at,
            f"{width:,} x {height:,} pixels; at most {MAX_PIXELS:,} are decoded, {MAX_SIDE:,} a side",
        )
    return width, height


def checked_pieces(count: int, size: int, average: int, at: int) -> None:
    """Raises Damage `image.limit` for more pieces than files have whose pieces are `average` bytes or longer."""
    if count > _FREE_PIECES + size // average:
        raise Damage("image.limit", at, f"more than {count - 1:,} pieces in {size:,} bytes")


def checked_metadata(size: int, at: int) -> None:
    """Raises Damage `image.limit` for too much metadata."""
    if size > MAX_METADATA:
        raise Damage("image.limit", at, f"more than {MAX_METADATA:,} bytes of metadata")


def exif_orientation(exif: memoryview) -> int:
    """The orientation in EXIF data, 1 to 8; 1 where there is none or the data are broken."""
    if bytes(exif[:6]) == b"Exif\0\0":
        exif = exif[6:]
    mark = bytes(exif[:4])
    order: Literal["little", "big"] = "little" if mark == b"II*\0" else "big"
    if mark not in (b"II*\0", b"MM\0*") or len(exif) < 8:
        return 1
    start = int.from_bytes(exif[4:8], order)
    count = int.from_bytes(exif[start : start + 2], order)
    for tag in range(min(count, _MAX_TAGS)):
        entry = exif[start + 2 + 12 * tag : start + 14 + 12 * tag]
        if len(entry) < 12:
            break
        if int.from_bytes(entry[:2], order) == _ORIENTATION:
            size = {_SHORT: 2, _LONG: 4}.get(int.from_bytes(entry[2:4], order), 0)
            value = int.from_bytes(entry[8 : 8 + size], order)
            return value if 1 <= value <= 8 and int.from_bytes(entry[4:8], order) == 1 else 1
    return 1
