"""Whatever is wrong with a sound file has its reason, and no bytes do anything else than decode or raise Damage."""

from __future__ import annotations

import random
import tracemalloc
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.codecs import _ogg, audio_stream
from sslpipe.codecs._flac import flac_damage
from sslpipe.codecs.audio import AudioCodec
from sslpipe.codecs.audio_source import InFile, InMemory, Shown
from sslpipe.codecs.audio_stream import blocks, header_of
from sslpipe.core.damage import Damage
from tests.badinputs.audio import FRAMES, bad, good, made, pcm16, tone, wav, with_total

CODEC = AudioCodec()
FILES = good()
MAGICS = [b"RIFF\xff\0\0\0WAVE", b"fLaC", b"OggS\0\x02", b"ID3\x04", b"FORM\0\0\0\xffAIFC", b"\xff\xfb\x90\x04", b""]
SMALL = {name: data for name, data in FILES.items() if len(data) < 30_000}


def reason_of(data: bytes) -> str | None:
    try:
        CODEC.decode(data)
    except Damage as damage:
        assert len(str(damage)) < 300 and 0 <= damage.offset <= max(1, len(data))
        return damage.reason
    return None


@pytest.mark.parametrize("case", [case for case in bad() if case.reasons], ids=lambda case: case.name)
def test_damage_has_its_reason(case: Any) -> None:
    assert reason_of(case.data) == case.reasons[0]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(SMALL)), st.randoms(use_true_random=False), st.integers(0, 6), st.floats(0, 1))
def test_mutated_files_decode_or_are_damage(name: str, chance: random.Random, flips: int, kept: float) -> None:
    data = bytearray(SMALL[name])
    for _ in range(flips):
        at = chance.randrange(min(len(data), chance.choice([64, 512, len(data)])))
        data[at] ^= 1 << chance.randrange(8)
    del data[int(len(data) * max(kept, 0.02)) :]
    CODEC.weight(bytes(data))
    reason = reason_of(bytes(data))
    assert reason is None or reason.startswith("audio.")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(MAGICS), st.binary(max_size=400))
def test_anything_behind_a_magic_number_decodes_or_is_damage(magic: bytes, rest: bytes) -> None:
    reason = reason_of(magic + rest)
    assert reason is None or reason.startswith("audio.")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["s16.flac", "s24.flac", "vorbis.ogg", "opus.opus"]), st.integers(0, 2**32))
def test_a_flipped_bit_is_never_taken_for_sound(name: str, seed: int) -> None:
    """FLAC and Ogg have checksums: any change is noticed, unless the samples are the same."""
    data = bytearray(FILES[name])
    at = seed % len(data)
    data[at] ^= 1 << seed % 7
    try:
        sound, _ = CODEC.decode(bytes(data))
    except Damage:
        return
    same, _ = CODEC.decode(FILES[name])
    assert sound.samples.tobytes() == same.samples.tobytes()


def test_pages_that_nobody_checks_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """libsndfile passes over a page with a wrong checksum: without our look at it, sound is missing and nobody knows."""
    data = bytearray(made("OGG", "VORBIS", tone(100_000)))
    data[len(data) // 2] ^= 1
    assert reason_of(bytes(data)) == "audio.checksum"
    honest = _ogg._page
    monkeypatch.setattr(_ogg, "_page", lambda source, at, verify: honest(source, at, False))
    assert reason_of(bytes(data)) != "audio.checksum"


@pytest.mark.parametrize("name", ["pcm16.wav", "ulaw.wav", "s16.flac", "pcm16.aiff", "vorbis.ogg", "opus.opus", "vbr.mp3"])
def test_what_is_there_of_a_cut_file_can_be_had(name: str) -> None:
    kinds = {"vorbis.ogg": ("OGG", "VORBIS"), "opus.opus": ("OGG", "OPUS")}
    data = made(*kinds[name], tone(100_000)) if name in kinds else FILES[name]  # so that there are pages before the cut
    whole = CODEC.decode(data)[0].samples
    source = InMemory(data[: len(data) * 3 // 4])
    header = header_of(source)
    if name.endswith("flac"):
        header = flac_damage(source, header)[1].without(header.missing or Damage("audio.truncated", 0, ""))
    parts = []
    with pytest.raises(Damage, match=r"audio\.truncated"):
        for block in blocks(source, header):
            parts.append(block)
    got = np.concatenate(parts).T if parts else np.zeros((1, 0))
    assert 0 < got.shape[1] < whole.shape[1]
    if not name.endswith((".mp3", ".ogg", ".opus")):
        np.testing.assert_array_equal(got, whole[:, : got.shape[1]])


def test_headers_are_read_in_bounded_memory() -> None:
    """A few bytes that promise terabytes are refused before anything is made of them."""
    promises = [
        with_total(FILES["s16.flac"], 2**36 - 1),
        wav(b"ab", size=0xFFFFFFF0, riff=0xFFFFFFF0),
        FILES["pcm16.aiff"].replace(FRAMES.to_bytes(4, "big"), b"\xff\xff\xff\xff"),
    ]
    for data in promises:
        reason_of(FILES["s16.flac"])
        tracemalloc.start()
        reason = reason_of(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert reason in ("audio.limit", "audio.truncated", "audio.header") and peak < 4 << 20


def test_a_flac_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence packs 700 to 1; the header says how much it is."""
    bomb = made("FLAC", "PCM_16", np.zeros((3_000_000, 1)))
    assert len(bomb) < 60_000
    monkeypatch.setattr("sslpipe.codecs.audio_header.MAX_BYTES", 1 << 20)
    assert reason_of(bomb) == reason_of(with_total(bomb, 0)) == "audio.limit"


class _Failing:
    """A file whose disk fails in the middle."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def seek(self, offset: int, /) -> int:
        self._at = offset
        return offset

    def read(self, size: int, /) -> bytes:
        if self._at + size > len(self._data) // 2:
            raise Damage("io.error", self._at, "the disk is gone")
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece


@pytest.mark.parametrize("name", ["pcm16.wav", "s16.flac", "vbr.mp3"])
def test_a_failing_disk_is_no_damage_of_the_sound(name: str) -> None:
    data = FILES[name]
    header = header_of(InMemory(data))
    with pytest.raises(Damage, match=r"io\.error"):
        list(blocks(InFile(_Failing(data), len(data)), header))


def test_a_file_is_decoded_as_its_bytes_are() -> None:
    class Stored(_Failing):
        def read(self, size: int, /) -> bytes:
            piece = self._data[self._at : self._at + min(size, 1000)]
            self._at += len(piece)
            return piece

    for data in FILES.values():
        source = InFile(Stored(data), len(data))
        got = np.concatenate(list(blocks(source, header_of(source)))).T
        np.testing.assert_array_equal(got, CODEC.decode(data)[0].samples)


@given(st.binary(max_size=20), st.binary(max_size=50), st.integers(0, 30), st.integers(1, 40), st.integers(0, 90))
def test_a_header_and_a_region_look_like_one_file(head: bytes, data: bytes, start: int, size: int, at: int) -> None:
    start = min(start, len(data))
    shown, plain = Shown(head, InMemory(data), start, len(data)), head + data[start:]
    assert shown.seek(0, 2) == len(plain)
    shown.seek(at)
    assert shown.read(size) == plain[at : at + size]
    assert shown.tell() == max(at, min(at + size, len(plain)))
    shown.seek(0)
    assert shown.read() == plain


@pytest.mark.parametrize("kind", [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("FLAC", "PCM_16")])
def test_blocks_join_without_a_seam(kind: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    data = made(*kind, tone(60_000))
    whole = CODEC.decode(data)[0].samples
    monkeypatch.setattr(audio_stream, "BLOCK", 1000)
    assert CODEC.decode(data)[0].samples.tobytes() == whole.tobytes()


def test_a_reader_that_seeks_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """soundfile sets the position after each read, and the decoder of MP3 loses what the next frame builds on."""
    data = made("MP3", "MPEG_LAYER_III", tone(60_000))
    whole = CODEC.decode(data)[0].samples
    monkeypatch.setattr(audio_stream, "BLOCK", 1000)
    monkeypatch.setattr(audio_stream, "_forward_reader", lambda: soundfile.SoundFile)
    assert CODEC.decode(data)[0].samples.tobytes() != whole.tobytes()


def test_unused_chunks_are_never_shown_to_the_decoder() -> None:
    secret = b"secret" * 10
    data = wav(pcm16(), before=b"LIST" + len(secret).to_bytes(4, "little") + secret)
    (stream,) = header_of(InMemory(data)).streams
    assert secret not in Shown(stream.head, InMemory(data), stream.start, stream.stop).read()
