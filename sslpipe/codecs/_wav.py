"""The header of a WAV file, and of it only what a decoder needs."""

from __future__ import annotations

import struct
from typing import Final

from sslpipe.codecs.audio_header import MAX_PARTS, Header, Stream, check_facts, empty, truncated, unsupported
from sslpipe.codecs.audio_source import Source
from sslpipe.core.damage import Damage

_PCM, _MS_ADPCM, _FLOAT, _ALAW, _ULAW, _IMA_ADPCM, _EXTENSIBLE = 1, 2, 3, 6, 7, 0x11, 0xFFFE
_OF_SUBFORMAT: Final = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
"""What follows the tag in the identifier of an extensible format."""
_BITS: Final = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64), _ALAW: (8,), _ULAW: (8,)}
_NAMES: Final = {_PCM: "pcm", _FLOAT: "float", _ALAW: "a-law", _ULAW: "mu-law", _MS_ADPCM: "ms-adpcm", _IMA_ADPCM: "ima-adpcm"}
_STREAMED: Final = (0xFFFFFFFF, 0x7FFFF000, 0x80000000)
"""Sizes of data that ffmpeg, sox and arecord write into a pipe, where they don't know it."""
_LARGEST: Final = 0xFFFFFFFF - 1024


def wav_header(source: Source) -> Header:
    """The facts of a WAV file; raises Damage, see `codecs.audio`."""
    kind = bytes(source.read(8, 4))
    if kind != b"WAVE":
        raise unsupported("AVI video") if kind == b"AVI " else Damage("audio.unknown_format", 8, f"RIFF of kind {kind!r}")
    at, form, fact = 12, b"", None
    for _ in range(MAX_PARTS):
        head = source.read(at, 8)
        if len(head) < 8:
            return _without_data(source, form, at)
        name, size = bytes(head[:4]), int.from_bytes(head[4:], "little")
        if name == b"data":
            return _with_data(source, form, fact, at + 8, size)
        body = bytes(source.read(at + 8, min(size, 64)))
        if name == b"fmt ":
            form = body
        elif name == b"fact" and len(body) >= 4:
            fact = int.from_bytes(body[:4], "little")
        at += 8 + size + size % 2
    raise Damage("audio.limit", at, f"more than {MAX_PARTS:,} chunks before the samples")


def _without_data(source: Source, form: bytes, at: int) -> Header:
    claimed = 8 + int.from_bytes(source.read(4, 4), "little")
    if at > source.size or source.size < claimed < _LARGEST or not form:
        raise truncated(source.size, "the file ends before its samples begin")
    raise empty()


def _with_data(source: Source, form: bytes, fact: int | None, start: int, size: int) -> Header:
    if len(form) < 16:
        raise Damage(
            "audio.header", 12, f"a format chunk of {len(form)} bytes stands before the samples; at least 16 are needed"
        )
    tag, channels, rate, byte_rate, block, bits = struct.unpack_from("<HHIIHH", form)
    check_facts(rate, channels, 20)
    if tag == _EXTENSIBLE:
        if len(form) < 40 or form[26:40] != _OF_SUBFORMAT:
            raise Damage("audio.header", 20, "an extensible format that does not say which")
        tag = int.from_bytes(form[24:26], "little")
    if tag not in _NAMES:
        raise unsupported(f"WAV with format tag {tag:#06x}")
    there = source.size - start
    if (size == 0 and not _chunks_follow(source, start)) or size in _STREAMED:
        size, short = there, False
    else:
        short = size > there
    if tag in (_MS_ADPCM, _IMA_ADPCM):
        per_block = _adpcm(tag, form, channels, block)
        frames = min(size, there) // block * per_block
        if fact is not None and frames - per_block < fact <= frames and not short:
            frames = fact
        form = form[: 18 + int.from_bytes(form[16:18], "little")]
    else:
        _check_plain(tag, channels, rate, byte_rate, block, bits)
        frames = min(size, there) // block
        form = struct.pack("<HHIIHH", tag, channels, rate, byte_rate, block, bits)
    stop = start + min(size, there) // block * block
    header = Header(
        "wav", _NAMES[tag] + (f"-{bits}" if tag in _BITS else ""), rate, channels, frames, (_shown(form, start, stop),)
    )
    if not short:
        return header
    return header.without(truncated(source.size, f"{size:,} bytes of samples are declared, {there:,} are there"))


def _check_plain(tag: int, channels: int, rate: int, byte_rate: int, block: int, bits: int) -> None:
    if bits not in _BITS[tag]:
        raise Damage("audio.header", 34, f"{bits} bits a sample of {_NAMES[tag]}; read are {', '.join(map(str, _BITS[tag]))}")
    if block != channels * bits // 8:
        raise Damage("audio.header", 32, f"frames of {block} bytes, but {channels} channels of {bits} bits")
    if byte_rate != rate * block:
        raise Damage("audio.header", 28, f"{byte_rate:,} bytes a second, but {rate:,} frames of {block} bytes")


def _adpcm(tag: int, form: bytes, channels: int, block: int) -> int:
    """The frames of a block, as its size says and the header must."""
    declared = int.from_bytes(form[18:20], "little")
    coefficients = 30 if tag == _MS_ADPCM else 0
    lead = 7 if tag == _MS_ADPCM else 4
    samples = (block - lead * channels) * 2 // channels + (2 if tag == _MS_ADPCM else 1) if channels else 0
    if channels > 2 or block <= lead * channels or declared != samples or len(form) < 20 + coefficients:
        raise Damage(
            "audio.header", 32, f"{_NAMES[tag]} of {channels} channels in blocks of {block} bytes and {declared} frames"
        )
    return samples


def _chunks_follow(source: Source, at: int) -> bool:
    """Whether what is here is more chunks, up to the end, rather than samples."""
    for _ in range(MAX_PARTS):
        if at >= source.size:
            return True
        head = bytes(source.read(at, 8))
        if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
            return False
        size = int.from_bytes(head[4:], "little")
        at += 8 + size
        if at > source.size:
            return False
        at += size % 2
    return False


def _shown(form: bytes, start: int, stop: int) -> Stream:
    size = min(stop - start, _LARGEST)
    body = b"WAVEfmt " + struct.pack("<I", len(form) + len(form) % 2) + form + bytes(len(form) % 2)
    body += b"data" + struct.pack("<I", size)
    return Stream(b"RIFF" + struct.pack("<I", min(len(body) + size, 0xFFFFFFFF)) + body, start, stop)
