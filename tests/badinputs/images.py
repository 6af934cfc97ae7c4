"""Odd and bad pictures, each with the reason it should be refused for, or none. All made by code."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.support_images import chunk, exif, jpeg, photo, png_of, saved, segment, webp_chunks, with_segment

PICTURE = photo(40, 60)
JPEG = jpeg(PICTURE)
PROGRESSIVE = saved(PICTURE, "JPEG", progressive=True)
PNG = saved(PICTURE, "PNG")
WEBP = saved(PICTURE, "WEBP", quality=80)
WEBP_LOSSLESS = saved(PICTURE, "WEBP", lossless=True)
GIF = saved(PICTURE, "GIF")
GOOD = {"jpg": JPEG, "progressive.jpg": PROGRESSIVE, "png": PNG, "webp": WEBP, "lossless.webp": WEBP_LOSSLESS, "gif": GIF}


class Bad(NamedTuple):
    """A file and what should become of it."""

    name: str
    data: bytes
    reason: str | None = None


def animated(kind: str) -> bytes:
    """Three frames."""
    frames = [Image.fromarray(photo(20, 30, seed)) for seed in range(3)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def bomb_of_text(kind: bytes) -> bytes:
    """A PNG with text that unfolds to 100 MiB."""
    packed = zlib.compressobj(9)
    body = b"".join(packed.compress(bytes(1 << 20)) for _ in range(100)) + packed.flush()
    head = b"Comment\0\0" if kind != b"iTXt" else b"Comment\0\1\0en\0Kommentar\0"
    return PNG[:33] + chunk(kind, head + body) + PNG[33:]


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "hidden")
    return out.getvalue()


def _gif(width: int, height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return head + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00\x3b"


def _frame(kind: int, precision: int = 8, height: int = 8, width: int = 8, components: int = 3) -> bytes:
    parts = b"".join(bytes([number + 1, 0x11, 0]) for number in range(components))
    body = struct.pack(">BHHB", precision, height, width, components) + parts
    return b"\xff\xd8" + segment(kind, body) + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x00\xff\xd9"


def images() -> list[Bad]:
    """One file each."""
    black = Image.new("RGB", (8, 8))
    end = b"\xff\xd9"
    two_colours = GIF[:10] + b"\x80" + bytes(2) + bytes(6) + GIF[781:]
    return [
        *(Bad(f"good.{name}", data) for name, data in GOOD.items()),
        Bad("empty.jpg", b"", "image.unknown_format"),
        Bad("three.jpg", b"abc", "image.unknown_format"),
        Bad("page.jpg", b"<!DOCTYPE html><html><title>404</title>", "image.unknown_format"),
        Bad("words.png", b"Only words", "image.unknown_format"),
        Bad("pdf.jpg", b"%PDF-1.7\n", "image.unknown_format"),
        Bad("film.jpg", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "image.unknown_format"),
        Bad("sound.webp", b"RIFF\x24\0\0\0WAVEfmt ", "image.unknown_format"),
        Bad("heic.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image.format_not_allowed"),
        Bad("avif.jpg", saved(black, "AVIF"), "image.format_not_allowed"),
        Bad("bmp.jpg", saved(black, "BMP"), "image.format_not_allowed"),
        Bad("tiff.jpg", saved(black, "TIFF"), "image.format_not_allowed"),
        Bad("jp2.jpg", saved(black, "JPEG2000"), "image.format_not_allowed"),
        Bad("ppm.jpg", saved(black, "PPM"), "image.format_not_allowed"),
        Bad("ico.png", saved(black, "ICO"), "image.format_not_allowed"),
        Bad("eps.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n", "image.format_not_allowed"),
        Bad("psd.jpg", b"8BPS\0\1", "image.format_not_allowed"),
        Bad("jxl.jpg", b"\xff\x0a\0", "image.format_not_allowed"),
        Bad("fits.jpg", b"SIMPLE  =                    T", "image.format_not_allowed"),
        Bad("svg.png", b'<?xml version="1.0"?>\n<!-- a -->\n<svg width="1">', "image.format_not_allowed"),
        *(Bad(f"cut{share}.{name}", data[: len(data) * share // 100], "image.truncated")
          for name, data in GOOD.items() for share in (10, 50, 90, 99)),
        *(Bad(f"end.{name}", data[:-1], "image.truncated") for name, data in GOOD.items()),
        Bad("half.jpg", JPEG[: len(JPEG) * 4 // 5] + b"\xff\xd9", "image.decode"),
        Bad("half_progressive.jpg", PROGRESSIVE[: PROGRESSIVE.rindex(b"\xff\xda") + 20] + b"\xff\xd9", "image.decode"),
        Bad("zeros.jpg", JPEG[:-300] + bytes(200) + JPEG[-100:], "image.decode"),
        Bad("crc.png", PNG[:-14] + b"\0\0" + PNG[-12:], "image.decode"),
        Bad("short.png", png_of(9, 9, 8, 2, zlib.compress(bytes(100))), "image.truncated"),
        Bad("filter.png", png_of(2, 1, 8, 0, zlib.compress(b"\x05ab")), "image.decode"),
        Bad("noise.png", png_of(2, 1, 8, 0, b"no zlib"), "image.decode"),
        Bad("index.png", png_of(2, 1, 8, 3, zlib.compress(b"\0\1\2"), extra=chunk(b"PLTE", bytes(6))), "image.decode"),
        Bad("no_palette.png", png_of(2, 1, 8, 3, zlib.compress(b"\0\1\2")), "image.decode"),
        Bad("depth.png", png_of(2, 1, 4, 2, zlib.compress(bytes(9))), "image.decode"),
        Bad("two.png", png_of(2, 1, 8, 0, zlib.compress(bytes(3)), behind=chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", b"x")),
            "image.decode"),
        Bad("apple.png", PNG[:8] + chunk(b"CgBI", bytes(4)) + PNG[8:], "image.unsupported"),
        Bad("future.png", PNG[:33] + chunk(b"NEWS", b"") + PNG[33:], "image.unsupported"),
        Bad("large.png", png_of(65535, 65535, 8, 2, zlib.compress(bytes(100))), "image.too_large"),
        Bad("long.png", png_of(70000, 1, 8, 2, zlib.compress(bytes(100))), "image.too_large"),
        Bad("large.jpg", _frame(0xC0, 8, 65500, 65500), "image.too_large"),
        Bad("large.gif", _gif(65535, 65535), "image.too_large"),
        Bad("large.webp", webp_chunks((b"VP8X", bytes(4) + b"\xff\xff\0" * 2), (b"VP8L", bytes(9))), "image.too_large"),
        Bad("hollow.png", png_of(13000, 13000, 8, 2, zlib.compress(bytes(100))), "image.truncated"),
        Bad("hollow.jpg", _frame(0xC2, 8, 13000, 13000), "image.truncated"),
        Bad("hollow.gif", _gif(13000, 13000), "image.truncated"),
        Bad("no_height.jpg", _frame(0xC0, 8, 0, 8), "image.dimension"),
        Bad("no_width.png", png_of(0, 1, 8, 2, b""), "image.dimension"),
        Bad("no_width.gif", _gif(0, 5), "image.dimension"),
        Bad("ztxt.png", bomb_of_text(b"zTXt"), "image.limit"),
        Bad("itxt.png", bomb_of_text(b"iTXt"), "image.limit"),
        Bad("iccp.png", bomb_of_text(b"iCCP"), "image.limit"),
        Bad("texts.png", PNG[:33] + chunk(b"tEXt", b"a\0b") * 20_000 + PNG[33:], "image.limit"),
        Bad("metadata.png", PNG[:33] + chunk(b"prIv", bytes(1 << 20)) * 17 + PNG[33:], "image.limit"),
        Bad("metadata.jpg", JPEG[:2] + segment(0xE1, bytes(65000)) * 300 + JPEG[2:], "image.limit"),
        Bad("comments.jpg", JPEG[:2] + segment(0xFE, b"") * 20_000 + JPEG[2:], "image.limit"),
        Bad("tables.jpg", JPEG[:2] + segment(0xC4, bytes(65000)) * 20 + JPEG[2:], "image.limit"),
        Bad("scans.jpg", PROGRESSIVE[:-2] + PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2] * 5000 + end, "image.limit"),
        Bad("blocks.gif", GIF[:-1] + b"\x21\xfe" + b"\1a" * 30_000 + b"\0" + b"\x3b", "image.limit"),
        Bad("arithmetic.jpg", _frame(0xC9), "image.unsupported"),
        Bad("lossless.jpg", _frame(0xC3), "image.unsupported"),
        Bad("twelve.jpg", _frame(0xC1, 12), "image.unsupported"),
        Bad("two_parts.jpg", _frame(0xC0, components=2), "image.unsupported"),
        Bad("no_frame.jpg", b"\xff\xd8" + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\xff\xd9", "image.decode"),
        Bad("no_scan.jpg", b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9", "image.decode"),
        Bad("colours.gif", two_colours, "image.decode"),
        Bad("no_colours.gif", GIF[:10] + b"\0\0\0" + GIF[781:], "image.decode"),
        Bad("nothing.gif", GIF[:781] + b"\x3b", "image.decode"),
        Bad("nothing.webp", webp_chunks((b"EXIF", b"x")), "image.decode"),
        Bad("noise.webp", webp_chunks((b"VP8L", b"\x2f\x09\x40\x02\x00" + bytes(20))), "image.decode"),
        Bad("behind.jpg", JPEG + _zip()),
        Bad("behind.png", PNG + b"garbage"),
        Bad("behind.gif", GIF + b"garbage"),
        Bad("behind.webp", WEBP + b"garbage"),
        Bad("exif_cut.jpg", with_segment(JPEG, 0xE1, exif(6)[:20])),
        Bad("exif_noise.jpg", with_segment(JPEG, 0xE1, b"Exif\0\0" + bytes(range(256)))),
        Bad("grey.jpg", saved(Image.fromarray(PICTURE).convert("L"), "JPEG")),
        Bad("cmyk.jpg", saved(Image.fromarray(PICTURE).convert("CMYK"), "JPEG")),
        Bad("animated.gif", animated("GIF")),
        Bad("animated.webp", animated("WEBP")),
        Bad("animated.png", animated("PNG")),
        Bad("constant.png", saved(np.full((50, 50, 3), 7, np.uint8), "PNG")),
        Bad("pixel.gif", saved(Image.new("P", (1, 1)), "GIF")),
    ]  # fmt: skip
