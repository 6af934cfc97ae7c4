"""Bad text, JSON lines and compressed files, each with the verdict that it should get. All made by code."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Final, NamedTuple

import zstandard

COMPRESSORS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}

GOOD_LINES: Final = b"".join(b'{"id": %d, "text": "line number %d, and more of it"}\n' % (n, n * n) for n in range(40))


class Bad(NamedTuple):
    """An input and what should become of it."""

    name: str
    data: bytes
    reasons: tuple[str, ...]
    """One for each entry of the quarantine."""
    rows: int = 0


def png() -> bytes:
    """A picture of one pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")


def zeros(suffix: str, size: int) -> bytes:
    """`size` zero bytes, compressed a piece at a time."""
    piece = bytes(1 << 20)
    makers = {
        ".gz": lambda: zlib.compressobj(9, zlib.DEFLATED, 31),
        ".zst": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
        ".bz2": bz2.BZ2Compressor,
        ".xz": lambda: lzma.LZMACompressor(preset=1),
    }
    maker = makers[suffix]()  # type: ignore[no-untyped-call]
    return b"".join([maker.compress(piece) for _ in range(size >> 20)]) + bytes(maker.flush())


def zstd_window(log: int) -> bytes:
    """A frame that asks for a window of `2 ** log` bytes."""
    return b"\x28\xb5\x2f\xfd" + b"\0" + bytes([(log - 10) << 3]) + b"\x09\0\0" + b"x"


def xz_dictionary() -> bytes:
    """A stream that asks for a dictionary of 4 GiB less one byte."""
    data = bytearray(lzma.compress(b"text", check=lzma.CHECK_NONE))
    at = data.index(b"\x21\x01", 12) + 2
    data[at] = 40
    start, size = 12, (data[12] + 1) * 4
    data[start + size - 4 : start + size] = struct.pack("<I", zlib.crc32(data[start : start + size - 4]))
    return bytes(data)


def skippable(body: bytes) -> bytes:
    """A zstandard frame that holds no data."""
    return b"\x53\x2a\x4d\x18" + struct.pack("<I", len(body)) + body


def texts() -> list[Bad]:
    """Whole files for `readers.text`."""
    plain = b"Ein Satz, der gut ist.\n"
    packed = COMPRESSORS[".gz"](plain * 9)
    return [
        Bad("latin1.txt", "caf\xe9 au lait\n".encode("latin-1"), ("text.utf8",)),
        Bad("overlong.txt", b"ab\xc0\x80cd", ("text.utf8",)),
        Bad("surrogate.txt", b"ab\xed\xa0\x80cd", ("text.utf8",)),
        Bad("beyond.txt", b"ab\xf4\x90\x80\x80cd", ("text.utf8",)),
        Bad("cut.txt", "abc\u20ac".encode()[:-1], ("text.utf8",)),
        Bad("bom.txt", b"\xef\xbb\xbf" + plain, (), 1),
        Bad("utf16.txt", "Ein Satz.".encode("utf-16"), ("text.encoding",)),
        Bad("utf16le.txt", "Ein Satz.".encode("utf-16-le"), ("text.encoding",)),
        Bad("utf16be.txt", "Ein Satz.".encode("utf-16-be"), ("text.encoding",)),
        Bad("utf32.txt", "Ein Satz.".encode("utf-32"), ("text.encoding",)),
        Bad("utf32be.txt", "Ein Satz.".encode("utf-32-be"), ("text.encoding",)),
        Bad("png.txt", png(), ("text.binary",)),
        Bad("png.html", png(), ("text.binary",)),
        Bad("controls.txt", b"\x01\x02\x03\x04abc", ("text.binary",)),
        Bad("nul.txt", b"a long enough text with one \0 in it", (), 1),
        Bad("colours.txt", b"\x1b[1mb\x1b[0m a\x08a\x0c\x1c\x1d", (), 1),
        Bad("empty.txt", b"", (), 1),
        Bad("blank.txt", b"\n\n \r\n", (), 1),
        Bad("empty.txt.gz", b"", ("gz.empty",)),
        Bad("empty.txt.zst", b"", ("zst.empty",)),
        Bad("nothing.txt.gz", COMPRESSORS[".gz"](b""), (), 1),
        Bad("cut.txt.gz", packed[:-9], ("gz.truncated",)),
        Bad("cut1.txt.gz", packed[:1], ("gz.truncated",)),
        Bad("junk.txt.gz", packed + b"junk", ("gz.data",)),
        Bad("zeros.txt.gz", packed + bytes(512), (), 1),
        Bad("two.txt.gz", packed + packed, (), 1),
        Bad("plain.txt.gz", plain, (), 1),
        Bad("packed.txt", packed, (), 1),
        Bad("crc.txt.gz", packed[:-8] + b"\0\0\0\0" + packed[-4:], ("gz.data",)),
        Bad("cut1.txt.bz2", b"BZh9", ("bz2.data",)),
        Bad("flipped.txt.bz2", _flipped(COMPRESSORS[".bz2"](plain), 20), ("bz2.data",)),
        Bad("cut.txt.xz", COMPRESSORS[".xz"](plain)[:-1], ("xz.data",)),
        Bad("cut.txt.zst", COMPRESSORS[".zst"](plain)[:-1], ("zst.data",)),
        Bad("skip.txt.zst", skippable(b"note") + COMPRESSORS[".zst"](plain) + skippable(b""), (), 1),
        Bad("junk.txt.zst", COMPRESSORS[".zst"](plain) + b"more", ("zst.data",)),
        Bad("checksum.txt.zst", _flipped(COMPRESSORS[".zst"](plain), -1), ("zst.data",)),
        Bad("dictionary.txt.zst", b"\x28\xb5\x2f\xfd\x23\x07\0\0\0\x05" + b"\x29\0\0hello", ("zst.data",)),
        Bad("window.txt.zst", zstd_window(31), ("bomb",)),
        Bad("dictionary.txt.xz", xz_dictionary(), ("bomb",)),
        Bad("deep.html", b"<div>" * 100_000 + b"x", ("html.limit",)),
        Bad("fonts.html", b"".join(b"<p><font a=%d>x" % n for n in range(100_000)), ("html.limit",)),
        Bad("ends.html", b"".join(b"<i%d>" % n for n in range(50_000)) + b"</x>" * 50_000, ("html.limit",)),
        Bad("attributes.html", b"<p " + b" ".join(b"a%d" % n for n in range(50_000)) + b">x", ("html.limit",)),
        Bad("long.html", b"<p>" + b"x " * (11 << 20), ("html.limit",)),
    ]


def _flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 0x10
    return bytes(changed)


def lines() -> list[Bad]:
    """Whole files for `readers.jsonl`, most of one line between two good ones."""
    good = b'{"text":"good"}\n'

    def between(name: str, line: bytes, *reasons: str) -> Bad:
        return Bad(f"{name}.jsonl", good + line + b"\n" + good, reasons, 2 + (not reasons))

    return [
        between("byte", b'{"text":"a\xffb"}', "text.utf8"),
        between("overlong", b'{"text":"a\xc0\x80b"}', "text.utf8"),
        between("encoded_surrogate", b'{"text":"a\xed\xa0\x80b"}', "text.utf8"),
        Bad("bom.jsonl", b"\xef\xbb\xbf" + good, (), 1),
        between("bom_inside", b'\xef\xbb\xbf{"text":"a"}', "json.syntax"),
        Bad("utf16.jsonl", (good * 9).decode().encode("utf-16"), ("text.encoding",)),
        Bad("utf32be.jsonl", (good * 9).decode().encode("utf-32-be"), ("text.encoding",)),
        between("nul", b'{"text":"a\\u0000b"}'),
        between("raw_control", b'{"text":"a\x00b\x01\tc"}'),
        between("binary", b'{"text":"a\\u0000\\u0001\\u0002\\u0003"}', "text.binary"),
        between("surrogate", b'{"text":"\\ud800"}', "json.surrogate"),
        between("pair", b'{"text":"\\ud83d\\ude00"}'),
        Bad("last.jsonl", good + good[:-1], (), 2),
        Bad("truncated.jsonl", good + good[:-4], ("json.truncated",), 1),
        Bad("truncated_character.jsonl", good + '{"text":"\u20ac'.encode()[:-1], ("json.truncated",), 1),
        Bad("crlf.jsonl", good.replace(b"\n", b"\r\n") * 3, (), 3),
        between("separators", '{"text":"a\u2028b\u2029c\u0085d\x0ce\x1cf"}'.encode()),
        Bad("blank.jsonl", b"\n\n" + good + b" \t\r\n\n" + good + b"\n", (), 2),
        Bad("empty.jsonl", b"", ()),
        Bad("newlines.jsonl", b"\n\n\n", ()),
        Bad("empty.jsonl.gz", b"", ("gz.empty",)),
        between("type", b'{"text":1}', "json.field_type"),
        between("null", b'{"text":null}', "json.field_type"),
        between("list", b'{"text":["a"]}', "json.field_type"),
        between("missing", b'{"body":"a"}', "json.missing_field"),
        between("array", b'["text"]', "json.not_object"),
        between("scalar", b"17", "json.not_object"),
        between("nan", b'{"text":"a","n":NaN}', "json.nonfinite"),
        between("infinity", b'{"text":"a","n":-Infinity}', "json.nonfinite"),
        between("overflow", b'{"text":"a","n":1e999}', "json.nonfinite"),
        between("twice", b'{"text":"a","text":"b"}', "json.duplicate_key"),
        between("twice_escaped", b'{"text":"a","te\\u0078t":"b"}', "json.duplicate_key"),
        between("twice_inside", b'{"text":"a","n":{"m":1,"m":1}}', "json.duplicate_key"),
        between("deep", b'{"text":"a","n":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "json.depth"),
        between("deep_objects", b'{"n":' * 100_000, "json.depth"),
        between("brackets_in_text", b'{"text":"' + b'[{\\"' * 5000 + b'"}'),
        between("number", b'{"text":"a","n":' + b"1" * 5000 + b"}", "json.number"),
        between("comma", b'{"text":"a",}', "json.syntax"),
        between("comment", b'{"text":"a"} // b', "json.syntax"),
        between("quotes", b"{'text':'a'}", "json.syntax"),
        between("two", b'{"text":"a"}{"text":"b"}', "json.syntax"),
        between("tail", b'{"text":"a', "json.syntax"),
        between("png", png().replace(b"\n", b""), "text.utf8"),
        between("large", b'{"text":"' + b"x" * 200_000 + b'"}', "record_too_large"),
        Bad("cut.jsonl.bz2", COMPRESSORS[".bz2"](good * 3)[:-1], ("bz2.data",), 3),
        Bad("junk.jsonl.gz", COMPRESSORS[".gz"](good * 3) + b"junk", ("gz.data",), 3),
    ]
