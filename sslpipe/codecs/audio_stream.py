"""From the bytes of a sound file to samples, a block at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs._aiff import aiff_header
from sslpipe.codecs._flac import count_frames, flac_damage, flac_header
from sslpipe.codecs._mp3 import find_first, mp3_header, past_tags
from sslpipe.codecs._ogg import ogg_header
from sslpipe.codecs._wav import wav_header
from sslpipe.codecs.audio_header import MAX_BYTES, Header, Stream, empty, too_large, unsupported
from sslpipe.codecs.audio_source import Shown, Source
from sslpipe.core.damage import Damage

BLOCK: Final = 1 << 16
"""Frames decoded at once. Part of no result."""

_FOREIGN: Final = (
    (0, b"\x30\x26\xb2\x75", "WMA or ASF"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (4, b"ftyp", "MP4 (m4a, AAC, ALAC)"),
    (0, b"RF64", "RF64"),
    (0, b"RIFX", "big-endian WAV"),
    (0, b"riff\x2e\x91\xcf\x11", "Wave64"),
    (0, b"FLV\x01", "Flash video"),
    (0, b"#!AMR", "AMR"),
    (0, b"caff", "CAF"),
    (0, b".snd", "AU"),
    (0, b"\0\0\x01\xba", "MPEG video"),
    (0, b"MThd", "MIDI"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"wvpk", "WavPack"),
)


def header_of(source: Source, verify: bool = True) -> Header:
    """What a sound file holds, told by its content; raises Damage, see `codecs.audio`. A file that is cut off has a header.

    `verify` looks at the checksums that stand in the file, as far as no decoder does.
    """
    if not source.size:
        raise Damage("audio.empty", 0, "a file of 0 bytes")
    head = bytes(source.read(0, 64))
    if head.startswith(b"RIFF"):
        return _whole_head(wav_header, source, 12)
    if head.startswith(b"FORM"):
        return _whole_head(aiff_header, source, 12)
    if head.startswith(b"OggS"):
        return ogg_header(source, verify)
    at = past_tags(source)
    if source.read(at, 4) == b"fLaC":
        return flac_header(source, at)
    foreign = next((name for place, magic, name in _FOREIGN if head.startswith(magic, place)), None)
    if foreign is not None:
        raise unsupported(foreign)
    first = find_first(source, at)
    if first >= 0:
        return mp3_header(source, first)
    if at >= source.size:
        raise Damage("audio.truncated", source.size, "the file ends within its tags", cut=True)
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xF6 == 0xF0:
        raise unsupported("AAC")
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        raise unsupported("MPEG audio of layer I or II, or of free format")
    raise Damage("audio.unknown_format", 0, f"no sound file begins with {head[:8]!r}")


def _whole_head(parse: Any, source: Source, size: int) -> Header:
    if source.size < size:
        raise Damage("audio.truncated", source.size, "the file ends within its header", cut=True)
    header: Header = parse(source)
    return header


def blocks(source: Source, header: Header) -> Iterator[NDArray[np.float32]]:
    """The samples, float32 `[frames, channels]`, at most `BLOCK` frames at a time; raises Damage where they end too early.

    What has come out by then is sound, but for the checksum over all samples of a FLAC file, which is known at the end.
    """
    if header.frames <= 0 and header.missing is None:
        raise empty()
    digest = hashlib.md5(usedforsecurity=False) if header.checksum else None
    got = 0
    for stream in header.streams:
        for block in _stream_blocks(source, header, stream):
            got += len(block)
            if header.bits:
                if digest is not None:
                    digest.update(_as_stored(block, header.bits))
                block = block.astype(np.float32) * np.float32(2.0**-31)
            elif not np.isfinite(block).all():
                row = int(np.argmin(np.isfinite(block).all(axis=1)))
                raise Damage("audio.nonfinite", 0, f"frame {got - len(block) + row:,} holds a value that is no number")
            yield block
    if header.missing is not None:
        raise header.missing
    if not got:
        raise empty()
    if digest is not None and digest.digest() != header.checksum:
        raise Damage("audio.checksum", 0, "the checksum over all samples is wrong")
    if header.bits and digest is None and (counted := count_frames(source, header.streams[0].start)[0]) != got:
        raise Damage("audio.header", 0, f"{got:,} samples are declared, the frames hold {counted:,}")


def _stream_blocks(source: Source, header: Header, stream: Stream) -> Iterator[NDArray[Any]]:
    import soundfile

    file = Shown(stream.head, source, stream.start, stream.stop)
    got = wanted = 0
    try:
        with _forward_reader()(file) as sound:
            if (sound.samplerate, sound.channels) != (header.rate, header.channels):
                found = f"{sound.channels} channels of {sound.samplerate:,} Hz"
                raise Damage("audio.header", 0, f"{header.channels} of {header.rate:,} Hz are declared, decoding gives {found}")
            wanted = header.frames if header.container in ("wav", "aiff", "flac") else sound.frames
            while got < wanted:
                block = sound.read(min(BLOCK, wanted - got), dtype="int32" if header.bits else "float32", always_2d=True)
                if not len(block):
                    break
                got += len(block)
                yield block
    except soundfile.SoundFileError as error:
        raise _damage(source, header, file, str(error)) from None
    if file.damage is not None or got < wanted:
        raise _damage(source, header, file, f"{wanted:,} frames are declared, decoding gives {got:,}")


@cache
def _forward_reader() -> Any:
    """soundfile's class, reading forward only.

    Of files that can seek it sets the position anew after each read, and behind that libmpg123 has forgotten what the next
    frame builds on: at every block's start some samples of MP3 would be wrong.
    """
    import soundfile

    class Forward(soundfile.SoundFile):  # type: ignore[misc]
        def seekable(self) -> bool:
            return False

    return Forward


def _damage(source: Source, header: Header, file: Shown, problem: str) -> Damage:
    if file.damage is not None:
        return file.damage
    if header.container == "flac":
        return flac_damage(source, header)[0]
    if header.missing is not None:
        return header.missing
    return Damage("audio.decode", 0, problem.partition(": ")[2] or problem)


def _as_stored(block: NDArray[np.int32], bits: int) -> bytes:
    """The samples as FLAC counts them into its checksum: little-endian, as few bytes as they need."""
    width = bits // 8
    narrow = np.ascontiguousarray(block, "<i4").view(np.uint8).reshape(-1, 4)[:, 4 - width :]
    return narrow.tobytes()


def prefix_blocks(source: Source, header: Header) -> Iterator[NDArray[np.float32]]:
    """As `blocks`, but a file that ends too early gives what is there, and raises only if that is nothing."""
    got = 0
    try:
        for block in blocks(source, header):
            got += len(block)
            yield block
        return
    except Damage as damage:
        if not damage.cut or (header.container != "flac" and not got):
            raise
    if header.container == "flac":
        yield from _behind(got, blocks(source, flac_damage(source, header)[1]))


def _behind(count: int, parts: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Blocks without the first frames."""
    for block in parts:
        if count < len(block):
            yield block[count:]
        count = max(0, count - len(block))


def whole(source: Source, header: Header) -> NDArray[np.float32]:
    """All samples, float32 `[channels, frames]`; raises Damage."""
    header.checked()
    if header.missing is not None:
        raise header.missing
    parts: list[NDArray[np.float32]] = []
    size = 0
    for block in blocks(source, header):
        size += block.nbytes
        if size > MAX_BYTES:
            raise too_large(size)
        parts.append(block)
    return np.ascontiguousarray((parts[0] if len(parts) == 1 else np.concatenate(parts)).T)
