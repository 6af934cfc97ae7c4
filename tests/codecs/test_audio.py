"""Every format that is read gives the samples that it holds, and what is written gives back the same samples."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sslpipe.codecs import audio
from sslpipe.codecs.audio import AudioCodec, Sound, facts_of, frames_of
from sslpipe.core.damage import Damage
from sslpipe.core.errors import DataError
from tests.badinputs.audio import FRAMES, RATE, bad, good, made, tone, uneven_mp3, wav, with_total, without_table

CODEC = AudioCodec()


def decoded(data: bytes) -> NDArray[np.float32]:
    sound, is_whole = CODEC.decode(data)
    assert is_whole and sound.samples.dtype == np.float32 and sound.samples.flags.c_contiguous
    return sound.samples


def by_libsndfile(data: bytes) -> NDArray[np.float32]:
    samples, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return samples.T  # type: ignore[no-any-return]


EXACT = [name for name in good() if not name.endswith((".ogg", ".opus", ".mp3"))]


@pytest.mark.parametrize("name", EXACT)
def test_lossless_files_are_decoded_as_libsndfile_decodes_them(name: str) -> None:
    samples = decoded(good()[name])
    reference = by_libsndfile(good()[name])[:, : samples.shape[1]]  # ADPCM: it gives the padding of the last block too
    np.testing.assert_array_equal(samples, reference)


@pytest.mark.parametrize("name", list(good()))
def test_every_format_sounds_like_the_tone(name: str) -> None:
    data = good()[name]
    frames, rate, channels = frames_of(data)
    samples = decoded(data)
    assert samples.shape == (channels, frames) and frames - FRAMES in (0, 136)  # IMA ADPCM: whole blocks, and no true count
    assert rate == (44_100 if name == "vbr.mp3" else RATE)
    difference = samples[:, :FRAMES].T - tone(channels=channels)
    limit = 0.05 if name.endswith((".mp3", ".ogg", ".opus")) else 0.03 if name == "ms.wav" else 0.01
    assert np.sqrt((difference**2).mean()) < limit
    assert CODEC.weight(data) == samples.nbytes


WHOLE = np.array([[-32768, -32767, -1, 0, 1, 2, 12345, 32766, 32767]], np.int64)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (wav(bytes([0, 1, 127, 128, 129, 255]), bits=8), np.array([[-128, -127, -1, 0, 1, 127]]) / 128),
        (wav(WHOLE.astype("<i2").tobytes()), WHOLE / 2**15),
        (wav((WHOLE * 256 + 5).astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes(), bits=24), (WHOLE * 256 + 5) / 2**23),
        (wav((WHOLE * 65536 + 300).astype("<i4").tobytes(), bits=32), (WHOLE * 65536 + 300) / 2**31),
        (wav((WHOLE / 9999).astype("<f4").tobytes(), tag=3, bits=32), WHOLE / 9999),
        (wav((WHOLE / 9999).astype("<f8").tobytes(), tag=3, bits=64), WHOLE / 9999),
        (wav(bytes([0x00, 0x80, 0x7F, 0xFF]), tag=7, bits=8), np.array([[-32124, 32124, 0, 0]]) / 2**15),
        (wav(bytes([0x55, 0xD5, 0x2A, 0xAA]), tag=6, bits=8), np.array([[-8, 8, -32256, 32256]]) / 2**15),
    ],
    ids=["8", "16", "24", "32", "float", "double", "mu-law", "a-law"],
)  # fmt: skip
def test_golden_samples(data: bytes, wanted: NDArray[Any]) -> None:
    np.testing.assert_array_equal(decoded(data), wanted.astype(np.float32))


def test_golden_ima_adpcm() -> None:
    """One block, decoded by hand: predictor 100; codes 7, 8 (nothing, downwards), 0, 15 at steps of 7, 16, 14, 13."""
    form = (9).to_bytes(2, "little")  # samples of a block of 8 bytes
    data = wav(bytes([100, 0, 0, 0, 0x87, 0xF0, 0, 0]), tag=0x11, bits=4, block=8, more=b"\x02\0" + form)
    deltas = [7 // 8 + 7 // 4 + 7 // 2 + 7, -(16 // 8), 14 // 8, -(13 // 8 + 13 // 4 + 13 // 2 + 13)]
    wanted = np.cumsum([100, *deltas])
    assert (decoded(data)[0, :5] * 2**15).tolist() == wanted.tolist()


@pytest.mark.parametrize("case", [case for case in bad() if not case.reasons], ids=lambda case: case.name)
def test_odd_files_are_read(case: Any) -> None:
    frames, _, channels = frames_of(case.data)
    assert decoded(case.data).shape == (channels, frames)


def test_a_table_of_contents_is_not_needed() -> None:
    """libsndfile guesses the length of such a file by its first frames, and stops there."""
    data = uneven_mp3()
    all_of_it, guessed = decoded(without_table(data)), by_libsndfile(without_table(data))
    assert guessed.shape[1] < 30_000 < 64_000 < all_of_it.shape[1]
    known = decoded(data)
    assert abs(all_of_it.shape[1] - known.shape[1]) < 2000
    np.testing.assert_allclose(all_of_it[0, -60_000:-40_000], known[0, :][-60_000 + 559 : -40_000 + 559], atol=0.02)


def test_two_files_in_one_are_both_read() -> None:
    mp3, ogg = good()["cbr.mp3"], good()["vorbis.ogg"]
    for data, single in ((mp3 + mp3, mp3), (ogg + ogg, ogg)):
        once = decoded(single)
        np.testing.assert_array_equal(decoded(data), np.concatenate([once, once], axis=1))
        assert by_libsndfile(data).shape[1] == once.shape[1], "libsndfile alone leaves out the second"


def test_decoding_twice_gives_the_same_bits() -> None:
    for data in good().values():
        assert decoded(data).tobytes() == decoded(data).tobytes()


def test_bytes_may_be_a_view() -> None:
    data = good()["s16.flac"]
    view = memoryview(b"xx" + data + b"yy")[2:-2]
    np.testing.assert_array_equal(decoded(view), decoded(data))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([2.0**-15, 2.0**-23, 2.0**-30]),
    st.integers(1, 3),
    st.integers(1, 5000),
    st.integers(0, 2**32),
    st.sampled_from([8000, 44_100, 700_000]),
)
def test_what_is_encoded_comes_back(grid: float, channels: int, frames: int, seed: int, rate: int) -> None:
    steps = int(1 / grid)
    samples = (np.random.default_rng(seed).integers(-steps, steps, (channels, frames)) * grid).astype(np.float32)
    samples[0, 0] = -1
    data = CODEC.encode(Sound(samples, rate))
    assert data == CODEC.encode(Sound(samples.copy(), rate)), "the same bytes each time"
    sound, _ = CODEC.decode(data)
    assert sound.rate == rate and sound.samples.tobytes() == samples.tobytes()
    if rate > 655_350:
        assert data.startswith(b"RIFF")
    elif grid == 2.0**-15:
        assert facts_of(data).codec == "pcm-16"


def test_the_smallest_format_that_loses_nothing_is_taken() -> None:
    samples = np.zeros((1, 100), np.float32)
    kinds = []
    for value in (2.0**-15, 2.0**-16, 2.0**-24, 1.0, -0.0):
        samples[0, 50] = value
        header = facts_of(CODEC.encode(Sound(samples, RATE)))
        kinds.append(header.codec)
    assert kinds == ["pcm-16", "pcm-24", "float-32", "float-32", "float-32"], "full scale above, and -0.0, are on no grid"


def test_many_channels_go_into_a_wav_file() -> None:
    samples = np.zeros((9, 10), np.float32)
    assert facts_of(CODEC.encode(Sound(samples, RATE))).container == "wav"


def test_encoded_flac_holds_nothing_but_frames() -> None:
    data = CODEC.encode(Sound(np.zeros((2, 5000), np.float32), RATE))
    assert data[:8] == b"fLaC\x80\0\0\x22" and data[42:43] == b"\xff" and b"libFLAC" not in data
    assert data[26:42] != bytes(16), "with the checksum of all samples"
    np.testing.assert_array_equal(by_libsndfile(data), np.zeros((2, 5000)))


@pytest.mark.parametrize(
    "sound",
    [
        Sound(np.zeros((1, 0), np.float32), RATE),
        Sound(np.zeros((0, 5), np.float32), RATE),
        Sound(np.zeros(5, np.float32), RATE),
        Sound(np.zeros((1, 5)), RATE),  # type: ignore[arg-type]
        Sound(np.full((1, 5), np.nan, np.float32), RATE),
        Sound(np.zeros((65, 5), np.float32), RATE),
        Sound(np.zeros((1, 5), np.float32), 1),
    ],
)
def test_what_no_file_holds_is_refused(sound: Sound) -> None:
    with pytest.raises(DataError):
        CODEC.encode(sound)


def test_a_blank_can_be_stored() -> None:
    blank = CODEC.blank()
    np.testing.assert_array_equal(decoded(CODEC.encode(blank)), blank.samples)
    assert (blank.channels, blank.frames) == (1, 1)


def test_frames_are_counted_where_the_header_does_not_know() -> None:
    flac = made("FLAC", "PCM_16", tone(100_000))
    assert frames_of(flac) == frames_of(with_total(flac, 0)) == (100_000, RATE, 1)
    assert CODEC.weight(b"no sound") == CODEC.weight(b"") == 0
    with pytest.raises(Damage, match=r"audio\.unknown_format"):
        frames_of(b"no sound")


def test_a_checksum_that_nobody_compares_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = with_total(good()["s16.flac"], FRAMES, bytes(range(16)))
    with pytest.raises(Damage, match=r"audio\.checksum"):
        CODEC.decode(wrong)
    np.testing.assert_array_equal(by_libsndfile(wrong), decoded(good()["s16.flac"]))
    unchecked = replace(facts_of(wrong), checksum=b"")
    monkeypatch.setattr(audio, "header_of", lambda source: unchecked)
    np.testing.assert_array_equal(decoded(wrong), decoded(good()["s16.flac"]))


def test_fewer_samples_declared_than_there_are() -> None:
    with pytest.raises(Damage, match=r"audio\.header .* 4,096 samples are declared, the frames hold 8,000"):
        CODEC.decode(with_total(good()["s16.flac"], 4096, bytes(16)))
