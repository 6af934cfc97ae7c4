"""Sound: WAV, FLAC, OGG, MP3 and AIFF to samples, and samples to bytes that lose nothing.

Containers are parsed here, with caps, before a decoder sees them; libsndfile is shown a header written here and the samples
alone. It reads much that is damaged without a word (a WAV file that is cut off, an Ogg page with a wrong checksum), and leaves
out what is sound (the second stream of a chain, the end of an MP3 file of variable bitrate). The one is noticed here, the
other read.

Reasons of a Damage:

| reason | when |
|---|---|
| `audio.empty` | no bytes, or a header without samples |
| `audio.unknown_format` | nothing that begins like a sound file |
| `audio.unsupported_codec` | a format or codec that is known and not decoded: AAC, WMA, video, FLAC of 12 or 32 bits, ... |
| `audio.header` | facts that contradict one another |
| `audio.rate`, `audio.channels` | outside of 1,000 to 768,000 Hz, or 1 to 64 channels |
| `audio.limit` | more than 1 GiB of samples, more than 10,000 chunks, 128 MiB of tags |
| `audio.truncated` | the file ends before its samples do |
| `audio.checksum` | a frame, a page or all samples don't have the checksum that stands in the file |
| `audio.stream_change` | the rate or the number of channels changes within the file |
| `audio.nonfinite` | NaN or infinity among float samples |
| `audio.decode` | anything else that the decoder refuses |

Lossy formats are decoded in floating point by code that differs between processors, so that the last bits of their samples may
too. PCM, FLAC, ADPCM and companded samples are the same everywhere.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs.audio_header import MAX_BYTES, MAX_CHANNELS, MAX_RATE, MIN_RATE, Header
from sslpipe.codecs.audio_source import InMemory
from sslpipe.codecs.audio_stream import header_of, whole
from sslpipe.core.damage import Damage
from sslpipe.core.encoded import Bytes
from sslpipe.core.errors import DataError

_FLAC_CHANNELS: Final = 8
_FLAC_RATE: Final = 655_350
_LEVEL: Final = 2 / 8
"""Level 2 predicts with fixed whole numbers; from level 3 on, predictors are fitted in floating point, and the bytes could
differ between processors. Costs 1 % of the size for speech at 8 kHz, 14 % at 44.1 kHz, against level 5."""


@dataclass(frozen=True, eq=False)
class Sound:
    """Decoded sound.

    `samples` is float32 `[channels, frames]`; full scale is 1, which float files and lossy ones may exceed. `rate` is in
    samples a second.
    """

    samples: NDArray[np.float32]
    rate: int

    @property
    def channels(self) -> int:
        """How many there are."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """Samples of each channel."""
        return int(self.samples.shape[1])


class AudioCodec:
    """The codec of fields of audio."""

    def decode(self, data: Bytes, at_least: int | None = None) -> tuple[Sound, bool]:
        """The sound, always whole; raises Damage, for the reasons above. `at_least` is for pictures."""
        source = InMemory(data)
        header = header_of(source)
        return Sound(whole(source, header), header.rate), True

    def shrinks(self, data: Bytes, at_least: int) -> bool:
        """Never."""
        return False

    def encode(self, value: Sound) -> bytes:
        """Bytes that decode to exactly these samples.

        FLAC of 16 bits where every sample is a multiple of 2^-15, of 24 bits where they are multiples of 2^-23, else WAV of
        32-bit floats, which take three to four times the room. Raises DataError for what no file can hold: no samples, samples
        that are no numbers, a rate or channels beyond the caps.
        """
        samples = value.samples
        if samples.ndim != 2 or samples.dtype != np.float32 or not 0 < samples.nbytes <= MAX_BYTES:
            raise DataError(f"sound of shape {samples.shape} and type {samples.dtype}; wanted float32 [channels, frames]")
        if not (MIN_RATE <= value.rate <= MAX_RATE and value.channels <= MAX_CHANNELS):
            raise DataError(f"sound of {value.channels} channels at {value.rate} Hz can't be stored")
        for bits in (16, 24) if value.channels <= _FLAC_CHANNELS and value.rate <= _FLAC_RATE else ():
            whole_numbers = on_grid(samples, bits)
            if whole_numbers is not None:
                return flac_bytes(whole_numbers, value.rate, bits)
        if not np.isfinite(samples).all():
            raise DataError("sound with samples that are no numbers can't be stored")
        return _wav_bytes(samples, value.rate)

    def blank(self) -> Sound:
        """One frame of silence."""
        return Sound(np.zeros((1, 1), np.float32), 16_000)

    def weight(self, data: Bytes) -> int:
        """Bytes of the decoded samples, from the header; 0 for bytes without a readable one."""
        try:
            return header_of(InMemory(data), verify=False).weight
        except Damage:
            return 0


def facts_of(data: Bytes) -> Header:
    """What a sound file says of itself; raises Damage. A file that is cut off has a header that says so."""
    return header_of(InMemory(data), verify=False)


def frames_of(data: Bytes) -> tuple[int, int, int]:
    """Frames, rate and channels, from the header; raises Damage.

    Exact for FLAC, WAV and AIFF, which are all that a build stores once a map has changed a field. Of OGG and MP3 decoding may
    give some hundred frames fewer or more.
    """
    header = facts_of(data).checked()
    return header.frames, header.rate, header.channels


def on_grid(samples: NDArray[np.float32], bits: int) -> NDArray[np.int32] | None:
    """The samples as whole numbers of so many bits, int32 `[channels, frames]`; None if they aren't.

    A negative zero is none: it would come back as a positive one.
    """
    scale = np.float32(2 ** (bits - 1))
    scaled = samples * scale
    with np.errstate(invalid="ignore"):
        rounded = scaled.astype(np.int32)
    exact = (rounded == scaled) & (rounded >= -(2 ** (bits - 1))) & (rounded < 2 ** (bits - 1))
    if not exact.all() or np.signbit(samples[rounded == 0]).any():
        return None
    return rounded


def to_grid(samples: NDArray[np.floating[Any]], bits: int) -> NDArray[np.int32]:
    """The nearest whole numbers of so many bits, int32; halves go to the even one, what is beyond full scale is clipped."""
    top = 2 ** (bits - 1)
    rounded: NDArray[np.float64] = np.rint(samples.astype(np.float64) * top)
    return np.clip(rounded, -top, top - 1).astype(np.int32)


def from_grid(whole_numbers: NDArray[np.int32], bits: int) -> NDArray[np.float32]:
    """Whole numbers of at most 24 bits as samples; exact."""
    return whole_numbers.astype(np.float32) * np.float32(2.0 ** (1 - bits))


def flac_bytes(whole_numbers: NDArray[np.int32], rate: int, bits: int) -> bytes:
    """A FLAC file of int32 `[channels, frames]`, 16 or 24 bits; the same bytes for the same samples on any processor.

    Nothing but the stream's own facts stands before the frames: no tag names the library, no seek table.
    """
    import soundfile

    file = io.BytesIO()
    data = np.ascontiguousarray((whole_numbers << (32 - bits)).T)
    with soundfile.SoundFile(file, "w", rate, data.shape[1], f"PCM_{bits}", format="FLAC", compression_level=_LEVEL) as sound:
        sound.write(data)
    whole_file = file.getvalue()
    at = 4
    while True:
        last, size = whole_file[at] & 0x80, int.from_bytes(whole_file[at + 1 : at + 4], "big")
        at += 4 + size
        if last:
            return b"fLaC\x80\0\0\x22" + whole_file[8:42] + whole_file[at:]


def _wav_bytes(samples: NDArray[np.float32], rate: int) -> bytes:
    """WAV of 32-bit floats, written here since libsndfile puts the time of day into it."""
    channels, frames = samples.shape
    size = 4 * channels * frames
    form = struct.pack("<HHIIHHH", 3, channels, rate, rate * 4 * channels, 4 * channels, 32, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"fact" + struct.pack("<II", 4, frames)
    body += b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", len(body) + size) + body + np.ascontiguousarray(samples.T, "<f4").tobytes()
