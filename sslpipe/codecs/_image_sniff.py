"""What a file is, by how it begins."""

from __future__ import annotations

import re
from typing import Final

from sslpipe.codecs._image_format import ImageFormat
from sslpipe.core.damage import Damage

ALLOWED: Final = "JPEG, PNG, WebP and GIF"

_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"), "HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    b"crx ": "Canon raw",
}
_PICTURES: Final = {
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"II\xbc": "JPEG XR",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"8BPS": "Photoshop",
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"\xd7\xcd\xc6\x9a": "WMF",
    b"\x01\0\0\0": "EMF",
    b"\0\0\x01\0": "an icon",
    b"\0\0\x02\0": "a cursor",
    b"SIMPLE  =": "FITS",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"DDS ": "DDS",
    b"qoif": "QOI",
    b"\x8aMNG": "MNG",
    b"\x8bJNG": "JNG",
    b"gimp xcf": "XCF",
    b"AT&TFORM": "DjVu",
    b"FLIF": "FLIF",
    b"icns": "an icon",
}
_OTHERS: Final = {
    b"%PDF": "PDF",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x7fELF": "a program",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"ID3": "MP3",
    b"\x1aE\xdf\xa3": "Matroska",
    b"RIFF": "RIFF",
}
_BMP: Final = re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)
_PNM: Final = re.compile(rb"P[1-7F][\s#]")
_SVG: Final = re.compile(rb"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE\s+svg[^>]*>\s*)*<svg[\s>]", re.DOTALL | re.IGNORECASE)
_PAGE: Final = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)", re.DOTALL | re.IGNORECASE)
_LOOKED_AT: Final = 4096


def sniffed(data: memoryview) -> ImageFormat:
    """The format of a picture.

    Raises Damage: `image.format_not_allowed` for another picture, `image.unknown_format` for anything else.
    """
    head = bytes(data[:_LOOKED_AT])
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if (name := _picture(head)) is not None:
        raise Damage("image.format_not_allowed", 0, f"this is {name}; {ALLOWED} are read")
    raise Damage("image.unknown_format", 0, f"this is {_other(head)}, no picture; {ALLOWED} are read")


def _picture(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        brands = (head[8:12], *(head[at : at + 4] for at in range(16, min(int.from_bytes(head[:4], "big"), 64), 4)))
        return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
    for pattern, name in ((_BMP, "BMP"), (_PNM, "PNM"), (_SVG, "SVG")):
        if pattern.match(head):
            return name
    return next((name for magic, name in _PICTURES.items() if head.startswith(magic)), None)


def _other(head: bytes) -> str:
    if not head:
        return "an empty file"
    if head[4:8] == b"ftyp":
        return "a film or sound in MP4"
    if _PAGE.match(head):
        return "an HTML page"
    named = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), None)
    if named is not None:
        return named
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return f"something that begins with {head[:8].hex(' ')}"
    controls = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
    return "text" if not controls else f"something that begins with {head[:8].hex(' ')}"
