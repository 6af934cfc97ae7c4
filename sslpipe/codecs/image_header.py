"""What a picture is before it is decoded: its format by content, its size, how it has to be turned.

All of the file is walked, segment by segment, in time that its bytes bound and without memory for what it only promises. A file
whose end mark is missing is truncated, whatever of it could be shown. Formats are JPEG, PNG, WebP and GIF.

Reasons of a Damage, here and in `codecs.image`:

| reason | when |
|---|---|
| `image.unknown_format` | no picture at all: nothing, a page, text, sound, ...; the detail says what |
| `image.format_not_allowed` | a picture of another format: HEIC, AVIF, TIFF, BMP, SVG, ... |
| `image.unsupported` | JPEG that is arithmetic-coded, lossless, hierarchical, has 12 bits or 2 channels; Apple's own PNG |
| `image.truncated` | the file, or its data, end before the picture does |
| `image.dimension` | no pixels |
| `image.too_large` | more than 178,956,970 pixels, or 65,500 a side |
| `image.limit` | more than 100 scans, 16 MiB of metadata, 10,000 pieces that are small; text that unfolds to more than 16 MiB |
| `image.decode` | anything else that can't be right: checksums, sizes that contradict, codes that mean nothing |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import xxhash

from sslpipe.codecs._gif import read_gif
from sslpipe.codecs._image_format import MAX_PIXELS, ImageFormat, ImageHeader
from sslpipe.codecs._image_sniff import sniffed
from sslpipe.codecs._jpeg import read_jpeg
from sslpipe.codecs._png import read_png
from sslpipe.codecs._webp import read_webp
from sslpipe.core.damage import Damage

__all__ = ["MAX_PIXELS", "ImageFormat", "ImageHeader", "image_header", "is_plain_jpeg", "is_plain_png"]

_READERS: Final[Mapping[ImageFormat, Callable[[memoryview], ImageHeader]]] = {
    "jpeg": read_jpeg,
    "png": read_png,
    "webp": read_webp,
    "gif": read_gif,
}

_KEPT: Final = 1 << 14
_KNOWN: Final[dict[bytes, ImageHeader]] = {}
"""Headers by the hash of their pictures; single operations on it are atomic, so threads may share it."""


def image_header(data: bytes | memoryview) -> ImageHeader:
    """The header of a picture; raises Damage with one of the reasons above.

    A picture on its way through a build is asked for its header eight times or so, by as many steps that know nothing of one
    another. To walk a small JPEG costs a twentieth of a millisecond, to hash it next to nothing, so the last headers are kept.
    """
    view = memoryview(data)
    name = xxhash.xxh3_128_digest(view)
    known = _KNOWN.get(name)
    if known is None:
        known = _READERS[sniffed(view)](view)
        if len(_KNOWN) >= _KEPT:
            _KNOWN.clear()
        _KNOWN[name] = known
    return known


def is_plain_jpeg(data: bytes | memoryview) -> bool:
    """Whether bytes are a JPEG of 8-bit YCbCr that is upright as it stands and has nothing behind its end; False for damage."""
    return _is_plain(data, "jpeg")


def is_plain_png(data: bytes | memoryview) -> bool:
    """Whether bytes are a PNG of 8-bit RGB, not interlaced or animated, upright, nothing behind its end; False for damage."""
    return _is_plain(data, "png")


def _is_plain(data: bytes | memoryview, wanted: ImageFormat) -> bool:
    try:
        header = image_header(data)
    except Damage:
        return False
    return header.plain and header.format == wanted
