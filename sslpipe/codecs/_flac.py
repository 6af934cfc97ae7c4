"""The header of a FLAC file, and what its frames say without being decoded (RFC 9639)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from sslpipe.codecs.audio_header import MAX_PARTS, Header, Stream, check_facts, truncated, unsupported
from sslpipe.codecs.audio_source import Source
from sslpipe.core.damage import Damage

_CHUNK: Final = 8 << 20
"""More than half of it is always enough for the longest frame that encoders make: 65,535 samples of 8 channels at 24 bits."""
_BITS: Final = (8, 16, 24)


def flac_header(source: Source, at: int) -> Header:
    """The facts of a FLAC file that begins at `at`; raises Damage, see `codecs.audio`.

    Where the header doesn't know the number of samples, the frames are counted.
    """
    info = bytes(source.read(at + 8, 34))
    if len(info) < 34:
        raise truncated(source.size, "the file ends within its header")
    if bytes(source.read(at + 4, 1))[0] & 0x7F != 0 or source.read(at + 5, 3) != b"\0\0\x22":
        raise Damage("audio.header", at + 4, "the file does not begin with its stream's facts")
    packed = int.from_bytes(info[10:18], "big")
    rate, channels, bits, frames = packed >> 44, (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1, packed & (1 << 36) - 1
    check_facts(rate, channels, at + 18)
    if bits not in _BITS:
        raise unsupported(f"FLAC of {bits} bits a sample")
    start = _first_frame(source, at + 4)
    checksum = info[18:] if any(info[18:]) else b""
    header = Header("flac", f"pcm-{bits}", rate, channels, frames, (_shown(info, start, source.size),), bits, checksum)
    if frames or start >= source.size:
        return header
    counted, end = count_frames(source, start)
    if end < source.size:
        return prefix(header, counted, end).without(_bad_frame(source, end))
    return prefix(header, counted, end)


def _first_frame(source: Source, at: int) -> int:
    for _ in range(MAX_PARTS):
        head = source.read(at, 4)
        if len(head) < 4:
            raise truncated(source.size, "the file ends within its header")
        at += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            if at > source.size:
                raise truncated(source.size, "the file ends within its header")
            return at
    raise Damage("audio.limit", at, f"more than {MAX_PARTS:,} blocks of metadata")


def _shown(info: bytes, start: int, stop: int) -> Stream:
    return Stream(b"fLaC\x80\0\0\x22" + info, start, stop)


def prefix(header: Header, frames: int, end: int) -> Header:
    """The sound of a FLAC file up to the end of one of its frames."""
    (stream,) = header.streams
    packed = int.from_bytes(stream.head[18:26], "big") >> 36 << 36 | frames
    head = stream.head[:18] + packed.to_bytes(8, "big") + bytes(16)
    kept = header.checksum if frames == header.frames or not header.frames else b""
    return replace(header, frames=frames, checksum=kept, streams=(Stream(head, stream.start, end),))


def count_frames(source: Source, start: int) -> tuple[int, int]:
    """How many samples the sound frames from `start` on hold, and where they end."""
    from sslpipe.kernels.flac_frames import flac_frames

    samples = 0
    while start < source.size:
        chunk = np.frombuffer(source.read(start, _CHUNK), np.uint8)
        more, end = flac_frames(chunk, start + len(chunk) >= source.size)
        if end == 0:
            break
        samples += more
        start += end
    return samples, start


def flac_damage(source: Source, header: Header) -> tuple[Damage, Header]:
    """What is wrong with a file that can't be decoded, and the part of it that can."""
    (stream,) = header.streams
    samples, end = count_frames(source, stream.start)
    left = prefix(header, samples, end)
    if end < source.size:
        return _bad_frame(source, end), left
    if samples < header.frames:
        return truncated(end, f"{header.frames:,} samples are declared, {samples:,} are there"), left
    return Damage("audio.decode", end, "frames whose checksums are right can't be decoded"), left


def _bad_frame(source: Source, at: int) -> Damage:
    """Of the first frame that isn't sound: whether the file ends in it, or goes on behind it."""
    from sslpipe.kernels.flac_frames import later_header

    rest = np.frombuffer(source.read(at, _CHUNK), np.uint8)
    if later_header(rest) < 0:
        return truncated(at, "the last frame is not whole")
    return Damage("audio.checksum", at, "a frame's checksum is wrong")
