"""The header of an AIFF or AIFF-C file, and of it only what a decoder needs."""

from __future__ import annotations

import struct
from typing import Final

from sslpipe.codecs.audio_header import MAX_PARTS, Header, Stream, check_facts, empty, truncated, unsupported
from sslpipe.codecs.audio_source import Source
from sslpipe.core.damage import Damage

_PLAIN: Final = (b"NONE", b"twos", b"sowt")
_FIXED: Final = {b"fl32": 32, b"FL32": 32, b"fl64": 64, b"FL64": 64, b"ulaw": 8, b"ULAW": 8, b"alaw": 8, b"ALAW": 8}


def aiff_header(source: Source) -> Header:
    """The facts of an AIFF file; raises Damage, see `codecs.audio`."""
    form = bytes(source.read(8, 4))
    if form not in (b"AIFF", b"AIFC"):
        raise Damage("audio.unknown_format", 8, f"an IFF file of kind {form!r}")
    at, common, data = 12, b"", None
    for _ in range(MAX_PARTS):
        head = source.read(at, 8)
        if len(head) < 8:
            break
        name, size = bytes(head[:4]), int.from_bytes(head[4:], "big")
        if name == b"COMM":
            common = bytes(source.read(at + 8, min(size, 64)))
        elif name == b"SSND":
            data = (at + 8, size)
        if common and data is not None:
            return _with_data(source, form, common, *data)
        at += 8 + size + size % 2
    else:
        raise Damage("audio.limit", at, f"more than {MAX_PARTS:,} chunks")
    frames = int.from_bytes(common[2:6], "big")
    if common and not frames:
        raise empty()
    raise truncated(source.size, "the file ends before its samples begin")


def _with_data(source: Source, form: bytes, common: bytes, start: int, size: int) -> Header:
    if len(common) < (22 if form == b"AIFC" else 18):
        raise Damage("audio.header", 12, f"a common chunk of {len(common)} bytes")
    channels, frames, bits = struct.unpack_from(">HIH", common)
    rate = _extended(common[8:18])
    check_facts(rate, channels, 20)
    codec = common[18:22] if form == b"AIFC" else b"NONE"
    if codec in _PLAIN:
        if not 1 <= bits <= 32:
            raise Damage("audio.header", 26, f"{bits} bits a sample; from 1 to 32 are read")
        width = -(-bits // 8)
    elif codec in _FIXED:
        width = _FIXED[codec] // 8
    else:
        raise unsupported(f"AIFF-C with {codec!r}")
    lead = source.read(start, 8)
    if len(lead) < 8:
        raise truncated(source.size, "the file ends before its samples begin")
    begin = start + 8 + int.from_bytes(lead[:4], "big")
    block = width * channels
    there = max(0, source.size - begin) // block
    if begin + frames * block > start + size:
        raise Damage("audio.header", start, f"{frames:,} frames of {block} bytes are declared in a chunk of {size:,}")
    got = min(frames, there)
    shown = _shown(form, common, got, begin, begin + got * block)
    name = f"pcm-{8 * width}" if codec in _PLAIN else codec.decode("ascii").lower()
    header = Header("aiff", name, rate, channels, got, (shown,))
    if got == frames:
        return header
    return header.without(truncated(source.size, f"{frames:,} frames are declared, {got:,} are there"))


def _extended(data: bytes) -> int:
    """An 80-bit number of the 68881, to the nearest whole one; 0 for what no rate can be."""
    sign_exponent, mantissa = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big")
    shift = 16383 + 63 - sign_exponent
    if sign_exponent & 0x8000 or not 31 < shift <= 63:
        return 0
    return (mantissa + (1 << (shift - 1))) >> shift


def _shown(form: bytes, common: bytes, frames: int, start: int, stop: int) -> Stream:
    codec = common[18:22] + b"\0\0" if form == b"AIFC" else b""
    common = common[:2] + struct.pack(">I", frames) + common[6:18] + codec
    body = form
    if form == b"AIFC":
        body += b"FVER" + struct.pack(">II", 4, 0xA2805140)
    body += b"COMM" + struct.pack(">I", len(common)) + common
    body += b"SSND" + struct.pack(">III", 8 + stop - start, 0, 0)
    return Stream(b"FORM" + struct.pack(">I", len(body) + stop - start) + body, start, stop)
