"""Pictures to pixels and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs.image_header import image_header
from sslpipe.codecs.png_writer import png_bytes
from sslpipe.core.damage import Damage

if TYPE_CHECKING:
    from collections.abc import Mapping

Pixels = NDArray[np.uint8]

_MIRROR: Final = 1
_TURNS: Final[Mapping[int, int]] = {3: 1, 6: 0, 8: 2}
"""OpenCV's names for turns by 180 degrees, by 90 clockwise, and by 90 the other way."""


class ImageCodec:
    """Decodes JPEG, PNG, WebP and GIF to upright RGB, and encodes losslessly as PNG.

    One picture has one value, whatever it was stored as: the EXIF orientation is applied, grey and palettes become RGB, 16 bits
    are rounded to 8, transparency lies over white, inks (CMYK) are inverted as Adobe's are and multiplied, of several frames
    the first is taken. Colour profiles are not applied. All of it is integer arithmetic, the same on every processor.
    """

    def decode(self, data: bytes | memoryview, at_least: int | None = None) -> tuple[Pixels, bool]:
        """Pixels uint8 `[h, w, 3]`, C-contiguous, and whether they are all there are; raises Damage, see `image_header`.

        With `at_least` a JPEG comes out at a half, a quarter or an eighth, the smallest whose short side is not below it. That
        skips most of the work: a scaled inverse transform, not a decoding followed by a reduction.
        """
        view = memoryview(data)
        header = image_header(view)
        pixels, whole = header.pixels(view, at_least)
        return upright(pixels, header.orientation), whole

    def shrinks(self, data: bytes | memoryview, at_least: int) -> bool:
        """Whether it is a JPEG at least twice as large as it has to be."""
        try:
            header = image_header(data)
        except Damage:
            return False
        return header.shrink(at_least) > 1

    def encode(self, value: Pixels) -> bytes:
        """A PNG of 8-bit RGB; the same pixels give the same bytes."""
        return png_bytes(value)

    def blank(self) -> Pixels:
        """One black pixel."""
        return np.zeros((1, 1, 3), np.uint8)

    def weight(self, data: bytes | memoryview) -> int:
        """Height times width times 3, from the header; 0 without a readable one."""
        try:
            header = image_header(data)
        except Damage:
            return 0
        return header.width * header.height * 3


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Pixels `[h, w, 3]` turned as an EXIF orientation says, 1 to 8; C-contiguous."""
    import cv2

    if orientation == 1:
        return np.ascontiguousarray(pixels)
    if orientation in _TURNS:
        return np.asarray(cv2.rotate(pixels, _TURNS[orientation]), np.uint8)
    if orientation in (2, 4):
        return np.asarray(cv2.flip(pixels, _MIRROR if orientation == 2 else 0), np.uint8)
    turned = cv2.transpose(pixels)
    return np.asarray(turned if orientation == 5 else cv2.rotate(turned, _TURNS[3]), np.uint8)
