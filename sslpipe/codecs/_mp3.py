"""The frames of an MP3 file, walked one by one, since its headers can't be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from sslpipe.codecs.audio_header import MAX_PARTS, MAX_TAG, Header, Stream, check_facts, truncated
from sslpipe.codecs.audio_source import Source
from sslpipe.core.damage import Damage

MAX_GARBAGE: Final = 64 << 10
"""How far into a file its first frame may begin, tags not counted."""
_CHUNK: Final = 8 << 20
_DELAY: Final = 529
"""Samples that a decoder of layer III adds, which libsndfile takes off again."""
_TABLED: Final = 9
"""The bitrate of the table that is put before frames: long enough in every version."""


def past_tags(source: Source) -> int:
    """Where what stands behind the ID3v2 tags of a file begins; they are never read."""
    at = 0
    while (head := bytes(source.read(at, 10)))[:3] == b"ID3" and len(head) == 10:
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        size += 10 + (10 if head[5] & 0x10 else 0)
        if at + size > MAX_TAG:
            raise Damage("audio.limit", at, f"tags of more than {MAX_TAG:,} bytes")
        at += size
    return at


def find_first(source: Source, at: int) -> int:
    """Where the first frame begins; -1 if there is none near `at`."""
    from sslpipe.kernels.mp3_frames import first_frame

    data = np.frombuffer(source.read(at, MAX_GARBAGE + 8192), np.uint8)
    found = first_frame(data, 0, MAX_GARBAGE, at + len(data) >= source.size)
    return at + found if found >= 0 else -1


class _Table(NamedTuple):
    """What a frame without sound says about those behind it."""

    frames: int | None
    added: int
    """Samples that the encoder says it added at both ends."""


@dataclass
class _Segment:
    """Frames from one table of contents to the next."""

    start: int
    table: _Table | None
    begin: int
    frames: int = 0
    stop: int = 0


def mp3_header(source: Source, first: int) -> Header:
    """The facts of an MP3 file whose first frame is at `first`; raises Damage, see `codecs.audio`.

    Of variable bitrate libsndfile believes the table, or guesses the length by the first frames and reads no further: where
    a table is missing or wrong, a right one is put before the frames.
    """
    _, rate, channels, per_frame, _ = _facts(source, first)
    check_facts(rate, channels, first)
    end = _before_tags(source)
    segments: list[_Segment] = []
    missing: Damage | None = None
    at = first
    while at < end and missing is None:
        if len(segments) == MAX_PARTS:
            raise Damage("audio.limit", at, f"more than {MAX_PARTS:,} streams one after another")
        segment = _opened(source, at)
        at, missing = _walk(source, segment, end, rate, channels)
        table = segment.table
        if missing is None and table is not None and table.frames is not None and table.frames > segment.frames:
            missing = truncated(min(at, source.size), f"{table.frames:,} frames are declared, {segment.frames:,} are there")
        segments.append(segment)
    held = [segment for segment in segments if segment.frames]
    streams = tuple(_shown(source, segment) for segment in held)
    frames = sum(max(0, each.frames * per_frame - _added(each)) for each in held)
    return Header("mp3", "layer-3", rate, channels, frames, streams, missing=missing)


def _walk(source: Source, segment: _Segment, end: int, rate: int, channels: int) -> tuple[int, Damage | None]:
    """Count the frames of a segment; returns where the next begins, and how the file ends too early if it does."""
    from sslpipe.kernels.mp3_frames import CHANGED, ENDED, INFO, mp3_frames

    at = segment.begin
    while True:
        chunk = np.frombuffer(source.read(at, min(_CHUNK, end - at)), np.uint8)
        count, used, why = mp3_frames(chunk, 0, rate, channels)
        segment.frames += count
        at = segment.stop = at + used
        if why == ENDED and at < end and used and len(chunk) == _CHUNK:
            continue
        if why == INFO or at >= end:
            return at, None
        if why == CHANGED:
            raise Damage("audio.stream_change", at, "the frames behind have another rate or number of channels")
        if why == ENDED:
            return end, truncated(at, "the last frame is not whole") if end - at >= 4 else None
        return _behind(source, at, end), None


def _behind(source: Source, at: int, end: int) -> int:
    """Where frames go on behind a tag in the middle of a file, or its end; raises Damage for anything between frames."""
    head = bytes(source.read(at, 10))
    if head[:3] == b"ID3" and len(head) == 10:
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        after = at + 10 + size
        if after < end and find_first(source, after) == after:
            return after
    if find_first(source, at) < 0:
        return end  # Padding, or what a program appended.
    raise Damage("audio.decode", at, "bytes between the frames that are no frame")


def _facts(source: Source, at: int) -> tuple[int, int, int, int, int]:
    from sslpipe.kernels.mp3_frames import frame_at

    return frame_at(np.frombuffer(source.read(at, 4), np.uint8), 0)


def _opened(source: Source, at: int) -> _Segment:
    """The frames from a place on, the table taken off if one stands there."""
    size, _, _, _, place = _facts(source, at)
    frame = bytes(source.read(at, size))
    table = None
    if frame[place : place + 4] in (b"Xing", b"Info"):
        table = _table(frame[place:])
    elif frame[36:40] == b"VBRI":
        table = _Table(None, _DELAY)
    return _Segment(at, table, at + (size if table is not None else 0))


def _table(data: bytes) -> _Table:
    flags = int.from_bytes(data[4:8], "big")
    frames = int.from_bytes(data[8:12], "big") if flags & 1 else None
    at = 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    added = int.from_bytes(data[at + 21 : at + 24], "big") if any(data[at : at + 9]) else 0
    return _Table(frames, (added >> 12) + (added & 0xFFF) if added else _DELAY)


def _added(segment: _Segment) -> int:
    return segment.table.added if _believed(segment) and segment.table is not None else _DELAY


def _believed(segment: _Segment) -> bool:
    return segment.table is not None and segment.table.frames == segment.frames


def _shown(source: Source, segment: _Segment) -> Stream:
    if _believed(segment):
        return Stream(b"", segment.start, segment.stop)
    word = int.from_bytes(source.read(segment.begin, 4), "big") | 1 << 16  # No checksum follows the header.
    word = word & ~(0xF << 12) & ~(1 << 9) | _TABLED << 12
    from sslpipe.kernels.mp3_frames import frame_at

    head = word.to_bytes(4, "big")
    size, _, _, _, place = frame_at(np.frombuffer(head, np.uint8), 0)
    head += bytes(place - 4) + b"Xing" + (1).to_bytes(4, "big") + segment.frames.to_bytes(4, "big")
    return Stream(head + bytes(size - len(head)), segment.begin, segment.stop)


def _before_tags(source: Source) -> int:
    """Where the tags at the end of a file begin: ID3v1, and APE before it."""
    end = source.size
    if end >= 128 and source.read(end - 128, 3) == b"TAG":
        end -= 128
    if end >= 32 and source.read(end - 32, 8) == b"APETAGEX":
        foot = source.read(end - 32, 32)
        size = int.from_bytes(foot[12:16], "little") + (32 if foot[23] & 0x80 else 0)
        end -= size if 32 <= size <= end else 32
    return end
