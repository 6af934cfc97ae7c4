"""What a reader looks at before a picture becomes a row."""

from __future__ import annotations

from fractions import Fraction

from sslpipe.codecs.image_header import image_header
from sslpipe.core.damage import Damage


def check_picture(data: bytes, max_pixels: int, min_side: int, max_aspect: float) -> None:
    """Raises the damage of `image_header`, `image.too_large` above `max_pixels`, `image.dimension` outside of the other two."""
    header = image_header(data)
    width, height = header.width, header.height
    short, long = sorted((width, height))
    if width * height > max_pixels:
        raise Damage("image.too_large", 0, f"{width:,} x {height:,} pixels, more than `max_pixels`, which is {max_pixels:,}")
    if short < min_side:
        raise Damage("image.dimension", 0, f"{width} x {height} pixels, a side below `min_side`, which is {min_side}")
    if long > Fraction(repr(float(max_aspect))) * short:
        raise Damage("image.dimension", 0, f"{width} x {height} pixels, narrower than `max_aspect`, which is {max_aspect:g}")
