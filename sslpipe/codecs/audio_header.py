"""What a sound file says of itself before any of it is decoded, held against the caps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, Self

from sslpipe.core.damage import Damage

MIN_RATE: Final = 1000
MAX_RATE: Final = 768_000
"""Twice the highest rate that recorders offer."""
MAX_CHANNELS: Final = 64
MAX_BYTES: Final = 1 << 30
"""Decoded, at four bytes a sample: 50 minutes of stereo at 44.1 kHz, 4.6 hours of mono at 16 kHz."""
MAX_PARTS: Final = 10_000
"""Chunks or blocks of a header, and streams one after another in a file."""
MAX_TAG: Final = 128 << 20
"""Tags are passed over unread, so this bounds nothing but nonsense."""

Container = Literal["wav", "flac", "ogg", "mp3", "aiff"]


@dataclass(frozen=True, slots=True)
class Stream:
    """What libsndfile is shown as one file: a header, and the bytes of the source from `start` to `stop`."""

    head: bytes
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Header:
    """The facts of a sound file.

    `frames` is exact for WAV, AIFF and FLAC. Of OGG it is the position that the last page claims, and of MP3 what its frames
    hold less what the encoder says that it added; what decoding gives is what counts there.
    """

    container: Container
    codec: str
    rate: int
    channels: int
    frames: int
    streams: tuple[Stream, ...]
    bits: int = 0
    """FLAC: bits of a sample."""
    checksum: bytes = b""
    """FLAC: the MD5 of all samples; empty where the file has none."""
    missing: Damage | None = None
    """Says that the file ends too early; `frames` and `streams` are what is there."""

    def checked(self) -> Self:
        """The same header; raises Damage for a rate, a number of channels or an amount of samples beyond the caps."""
        check_facts(self.rate, self.channels)
        if self.frames <= 0 and self.missing is None:
            raise empty()
        if self.weight > MAX_BYTES:
            raise too_large(self.weight)
        return self

    @property
    def weight(self) -> int:
        """Bytes of the decoded samples."""
        return 4 * self.frames * self.channels

    def without(self, damage: Damage) -> Header:
        """The same sound, ending too early."""
        return replace(self, missing=damage)


def check_facts(rate: int, channels: int, at: int = 0) -> None:
    """Raises Damage for a rate or a number of channels that no recording has."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise Damage("audio.rate", at, f"{rate:,} samples a second; from {MIN_RATE:,} to {MAX_RATE:,} are read")
    if not 1 <= channels <= MAX_CHANNELS:
        raise Damage("audio.channels", at, f"{channels} channels; from 1 to {MAX_CHANNELS} are read")


def empty() -> Damage:
    """The damage of a file without samples."""
    return Damage("audio.empty", 0, "a header, and no samples behind it")


def too_large(size: int) -> Damage:
    """The damage of a sound that would take too much memory."""
    return Damage(
        "audio.limit", 0, f"{size:,} bytes of samples come out of this file; at most {MAX_BYTES:,} are decoded at once"
    )


def truncated(at: int, detail: str) -> Damage:
    """The damage of a file that ends too early."""
    return Damage("audio.truncated", at, detail, cut=True)


def unsupported(what: str) -> Damage:
    """The damage of a format that is known, and not decoded here."""
    return Damage("audio.unsupported_codec", 0, f"{what} is not decoded; convert it, best to FLAC")
