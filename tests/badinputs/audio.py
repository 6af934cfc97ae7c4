"""Sound files, good and bad, each with the verdict that it should get. All made by code."""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.badinputs.text import Bad

RATE: Final = 16_000
FRAMES: Final = 8_000


@cache
def tone(frames: int = FRAMES, channels: int = 1) -> NDArray[np.float64]:
    """A tone that rises, with some noise, float64 `[frames, channels]`, below full scale."""
    time = np.arange(frames)[:, None] + 100 * np.arange(channels)
    noise = np.random.default_rng(frames + channels).normal(0, 0.02, (frames, channels))
    made: NDArray[np.float64] = 0.4 * np.sin(time * (0.03 + time * 4e-6)) + noise
    return made


def made(kind: str, subtype: str, samples: NDArray[Any] | None = None, rate: int = RATE, **more: Any) -> bytes:
    """A file as libsndfile writes it."""
    samples = tone() if samples is None else samples
    file = io.BytesIO()
    channels = samples.shape[1] if samples.ndim == 2 else 1
    with soundfile.SoundFile(file, "w", rate, channels, subtype, format=kind, **more) as sound:
        for start in range(0, len(samples), 4096):  # A long piece at once overflows the stack of the Vorbis encoder.
            sound.write(samples[start : start + 4096])
    return file.getvalue()


def wav(data: bytes, *, tag: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16, **wrong: Any) -> bytes:
    """A WAV file written here; `wrong` replaces what follows from the rest."""
    block = wrong.get("block", channels * bits // 8)
    form = struct.pack("<HHIIHH", tag, channels, rate, wrong.get("byte_rate", rate * block & 0xFFFFFFFF), block, bits)
    form += wrong.get("more", b"")
    body = b"WAVE" + wrong.get("before", b"") + b"fmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", wrong.get("size", len(data))) + data + wrong.get("after", b"")
    return b"RIFF" + struct.pack("<I", wrong.get("riff", len(body))) + body


def pcm16(frames: int = FRAMES, channels: int = 1) -> bytes:
    """Samples of 16 bits."""
    return np.rint(tone(frames, channels) * 32767).astype("<i2").tobytes()


@cache
def good() -> dict[str, bytes]:
    """One file of each kind that is read, by name."""
    return {
        "pcm8.wav": made("WAV", "PCM_U8"),
        "pcm16.wav": made("WAV", "PCM_16"),
        "pcm24.wav": made("WAV", "PCM_24"),
        "pcm32.wav": made("WAV", "PCM_32"),
        "float.wav": made("WAV", "FLOAT"),
        "double.wav": made("WAV", "DOUBLE"),
        "ulaw.wav": made("WAV", "ULAW"),
        "alaw.wav": made("WAV", "ALAW"),
        "ms.wav": made("WAV", "MS_ADPCM"),
        "ima.wav": made("WAV", "IMA_ADPCM"),
        "stereo.wav": made("WAV", "PCM_16", tone(channels=2)),
        "extensible.wav": made("WAVEX", "PCM_24", tone(channels=3)),
        "s8.flac": made("FLAC", "PCM_S8"),
        "s16.flac": made("FLAC", "PCM_16"),
        "s24.flac": made("FLAC", "PCM_24", tone(channels=2)),
        "pcm16.aiff": made("AIFF", "PCM_16"),
        "pcm24.aiff": made("AIFF", "PCM_24", tone(channels=2)),
        "float.aifc": made("AIFF", "FLOAT"),
        "ulaw.aifc": made("AIFF", "ULAW"),
        "vorbis.ogg": made("OGG", "VORBIS"),
        "opus.opus": made("OGG", "OPUS"),
        "cbr.mp3": made("MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT"),
        "vbr.mp3": made("MP3", "MPEG_LAYER_III", tone(channels=2), 44_100, bitrate_mode="VARIABLE"),
    }


def id3(size: int) -> bytes:
    """A tag with so many bytes of picture."""
    return b"ID3\x03\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


def without_table(mp3: bytes) -> bytes:
    """An MP3 file without the frame that says how long it is."""
    return mp3[mp3.index(mp3[:2], 4) :]


def uneven_mp3() -> bytes:
    """Variable bitrate, loud first: from its first frames it looks a quarter as long as it is."""
    noise = np.random.default_rng(1).normal(0, 0.3, RATE)
    return made("MP3", "MPEG_LAYER_III", np.concatenate([noise, np.zeros(3 * RATE)]), bitrate_mode="VARIABLE")


def with_total(flac: bytes, total: int, checksum: bytes | None = None) -> bytes:
    """A FLAC file with another number of samples, and another checksum, in its header."""
    packed = int.from_bytes(flac[18:26], "big") >> 36 << 36 | total
    return flac[:18] + packed.to_bytes(8, "big") + (flac[26:42] if checksum is None else checksum) + flac[42:]


def chained(*files: bytes) -> bytes:
    """Ogg files one after another."""
    return b"".join(files)


def bad() -> list[Bad]:
    """Files for `codecs.audio` and `readers.audio`; those without a reason are good."""
    files = good()
    flac, ogg, mp3 = files["s16.flac"], files["vorbis.ogg"], files["cbr.mp3"]
    floats = tone()[:, 0].astype("<f4")
    return [
        *(Bad(name, data, (), 1) for name, data in files.items()),
        *_cut(files),
        Bad("nothing.wav", b"", ("audio.empty",)),
        Bad("header.wav", wav(b""), ("audio.empty",)),
        Bad("header_listed.wav", wav(b"", after=b"LIST\x04\0\0\0INFO"), ("audio.empty",)),
        Bad("header.flac", made("FLAC", "PCM_16", np.zeros((0, 1))), ("audio.empty",)),
        Bad("header.aiff", made("AIFF", "PCM_16", np.zeros((0, 1))), ("audio.empty",)),
        Bad("no_data.wav", wav(b"")[:-8].replace(struct.pack("<I", 36), struct.pack("<I", 28)), ("audio.empty",)),
        Bad("streamed_ffmpeg.wav", wav(pcm16(), size=0xFFFFFFFF, riff=0xFFFFFFFF), (), 1),
        Bad("streamed_sox.wav", wav(pcm16(), size=0x7FFFF000, riff=0x7FFFF024), (), 1),
        Bad("streamed_zero.wav", wav(pcm16(), size=0, riff=0), (), 1),
        Bad("streamed_empty.wav", wav(b"", size=0xFFFFFFFF, riff=0xFFFFFFFF), ("audio.empty",)),
        Bad("byte_rate.wav", wav(pcm16(), byte_rate=1), ("audio.header",)),
        Bad("block.wav", wav(pcm16(), block=3), ("audio.header",)),
        Bad("bits.wav", wav(pcm16(), bits=7), ("audio.header",)),
        Bad("float16.wav", wav(pcm16(), tag=3), ("audio.header",)),
        Bad("late_format.wav", b"RIFF\x0c\0\0\0WAVEdata\x02\0\0\0ab", ("audio.header",)),
        Bad("adpcm_block.wav", _replaced(files["ms.wav"], 32, b"\x07\0"), ("audio.header",)),
        *(Bad(f"rate{rate}.wav", wav(pcm16(), rate=rate), ("audio.rate",)) for rate in (0, 1, 999, 768_001, 4_294_967_295)),
        *(Bad(f"channels{count}.wav", wav(pcm16(), channels=count), ("audio.channels",)) for count in (0, 65, 1024)),
        Bad("rate0.flac", flac[:18] + bytes(2) + flac[20:], ("audio.rate",)),
        Bad("rate0.ogg", _replaced(ogg, 40, bytes(4)), ("audio.checksum",)),
        Bad("nan.wav", wav(_with(floats, np.nan).tobytes(), tag=3, bits=32), ("audio.nonfinite",)),
        Bad("infinite.wav", wav(_with(floats.astype("<f8"), 1e300).tobytes(), tag=3, bits=64), ("audio.nonfinite",)),
        Bad("loud.wav", wav(_with(floats, 3.5).tobytes(), tag=3, bits=32), (), 1),
        Bad("md5.flac", with_total(flac, FRAMES, bytes(range(16))), ("audio.checksum",)),
        Bad("no_md5.flac", with_total(flac, FRAMES, bytes(16)), (), 1),
        Bad("unknown_total.flac", with_total(flac, 0), (), 1),
        Bad("unknown_total_md5.flac", with_total(flac, 0, bytes(range(16))), ("audio.checksum",)),
        Bad("unknown_total_cut.flac", with_total(flac, 0)[:-9], ("audio.truncated",)),
        Bad("flipped.flac", _flipped(flac, len(flac) // 2), ("audio.checksum",)),
        Bad("tagged.flac", id3(300) + flac, (), 1),
        Bad("bomb.flac", with_total(flac, 2**36 - 1), ("audio.limit",)),
        Bad("12.flac", _replaced(flac, 20, bytes([flac[20] & 0xFE, flac[21] & 0x0F | 0xB0])), ("audio.unsupported_codec",)),
        Bad("flipped.ogg", _flipped(ogg, len(ogg) // 2), ("audio.checksum",)),
        Bad("chain.ogg", chained(ogg, made("OGG", "VORBIS", tone(3_000))), (), 1),
        Bad("chain_rate.ogg", chained(ogg, made("OGG", "VORBIS", rate=8000)), ("audio.stream_change",)),
        Bad("chain_channels.ogg", chained(ogg, made("OGG", "VORBIS", tone(channels=2))), ("audio.stream_change",)),
        Bad("chain_codec.ogg", chained(ogg, files["opus.opus"]), ("audio.stream_change",)),
        Bad("appended.ogg", ogg + b"TAG" + bytes(125), (), 1),
        Bad("hole.ogg", _without_page(made("OGG", "VORBIS", tone(100_000)), 4), ("audio.decode",)),
        Bad("tagged.mp3", id3(1 << 20) + mp3 + b"TAG" + bytes(125), (), 1),
        Bad("garbage.mp3", np.random.default_rng(2).bytes(5000).replace(b"\xff", b"x") + mp3, (), 1),
        Bad("no_table.mp3", without_table(uneven_mp3()), (), 1),
        Bad("two.mp3", mp3 + id3(100) + mp3, (), 1),
        Bad("change.mp3", mp3 + files["vbr.mp3"], ("audio.stream_change",)),
        Bad("hole.mp3", _with_hole(mp3), ("audio.decode",)),
        Bad("tag_only.mp3", id3(2000)[:-500], ("audio.truncated",)),
        Bad("layer2.mp3", b"\xff\xfd\xc8\x04" + bytes(3000), ("audio.unsupported_codec",)),
        Bad("aac.wav", b"\xff\xf1\x50\x80\x03\x9f\xfc" + bytes(500), ("audio.unsupported_codec",)),
        Bad("song.m4a", b"\0\0\0\x20ftypM4A " + bytes(500), ("audio.unsupported_codec",)),
        Bad("song.wma", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(500), ("audio.unsupported_codec",)),
        Bad("film.avi", b"RIFF\x00\x10\0\0AVI LIST" + bytes(500), ("audio.unsupported_codec",)),
        Bad("film.webm", b"\x1a\x45\xdf\xa3" + bytes(500), ("audio.unsupported_codec",)),
        Bad("mp3_in.wav", wav(bytes(500), tag=0x55), ("audio.unsupported_codec",)),
        Bad("ima4.aifc", files["ulaw.aifc"].replace(b"ulaw", b"ima4"), ("audio.unsupported_codec",)),
        Bad("theora.ogg", _flipped(ogg, 29, 0x10), ("audio.checksum",)),
        Bad("text.wav", b"This is a text, renamed.\n" * 9, ("audio.unknown_format",)),
        Bad("page.mp3", b"<!doctype html><p>404</p>", ("audio.unknown_format",)),
        Bad("noise.mp3", np.random.default_rng(3).bytes(9000), ("audio.unknown_format",)),
        Bad("menu.wav", b"RIFF\x10\0\0\0MENU" + bytes(16), ("audio.unknown_format",)),
        Bad("chunks.wav", wav(pcm16(), before=b"junk\0\0\0\0" * 10_001), ("audio.limit",)),
        Bad("large_tag.mp3", _replaced(id3(10), 6, b"\x7f\x7f\x7f\x7f"), ("audio.limit",)),
    ]  # fmt: skip


def _cut(files: dict[str, bytes]) -> list[Bad]:
    """Each kind of file, cut off at a tenth, a half, and almost at its end."""
    kinds = ("pcm16.wav", "float.wav", "ms.wav", "s16.flac", "pcm16.aiff", "vorbis.ogg", "opus.opus", "cbr.mp3", "vbr.mp3")
    return [
        Bad(f"cut{percent}_{name}", files[name][: len(files[name]) * percent // 100], ("audio.truncated",))
        for name in kinds
        for percent in (10, 50, 99)
    ]


def _with(samples: NDArray[Any], value: float) -> NDArray[Any]:
    changed = samples.copy()
    changed[len(samples) // 3] = value
    return changed


def _flipped(data: bytes, at: int, bits: int = 0x04) -> bytes:
    return _replaced(data, at, bytes([data[at] ^ bits]))


def _replaced(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _without_page(ogg: bytes, number: int) -> bytes:
    pages = ogg.split(b"OggS")[1:]
    return b"".join(b"OggS" + page for index, page in enumerate(pages) if index != number)


def _with_hole(mp3: bytes) -> bytes:
    at = mp3.index(mp3[:2], len(mp3) // 2)
    return mp3[:at] + b"no frame here" * 9 + mp3[at:]
