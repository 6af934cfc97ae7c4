"""One rate and one channel: what changes is on the 16-bit grid, what needs no change keeps its bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.codecs.audio import Sound, facts_of
from sslpipe.codecs.encoded import sounds
from sslpipe.core.draw import Draw
from sslpipe.core.errors import FieldError, RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.core.rows import Rows
from sslpipe.maps.resample_audio import ResampleAudio
from tests.badinputs.audio import good
from tests.support_audio import AUDIO, audio_context, audio_rows, noise

DRAW = Draw(0, "maps.resample_audio")
GOLDEN = [-1198, 1344, -676, -299, -235, -2908, -3482, -1728, -24, 1152, 1812, -2378, 4454, 1850, 1398]
"""40 samples of noise, from 44.1 to 16 kHz."""


def mapped(rows: Rows, **fields: Any) -> Rows:
    return ResampleAudio(**fields).open(audio_context()).map(rows, DRAW)


def stored_again(rows: Rows) -> Rows:
    """The rows as they come out of a shard."""
    return rows.stored()


def samples(rows: Rows) -> list[bytes]:
    return [sound.samples.tobytes() for sound in sounds(rows, "audio").values()]


settings_of = st.fixed_dictionaries(
    {
        "rate": st.sampled_from([8000, 16_000, 22_050]),
        "channels": st.sampled_from(["mix", "first", "keep"]),
        "quality": st.sampled_from(["HQ", "VHQ"]),
    }
)
sound = st.builds(
    lambda frames, channels, rate, seed, scale: Sound(noise(frames, channels, seed, scale), rate),
    st.integers(1, 3000),
    st.integers(1, 3),
    st.sampled_from([8000, 11_025, 16_000, 44_100]),
    st.integers(0, 999),
    st.sampled_from([0.1, 1.0]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(sound, min_size=1, max_size=4), settings_of)
def test_results_are_the_same_stored_or_not(given_sounds: list[Sound], fields: dict[str, Any]) -> None:
    rows = audio_rows(given_sounds)
    made = mapped(rows, **fields)
    assert samples(made) == samples(stored_again(made))
    assert samples(mapped(stored_again(made), **fields)) == samples(made), "mapping twice is mapping once"
    halves = [mapped(rows.view(row, row + 1), **fields) for row in range(len(rows))]
    assert [samples(half)[0] for half in halves] == samples(made), "a row knows nothing of its batch"
    for before, after in zip(given_sounds, sounds(made, "audio").values(), strict=True):
        assert after.rate == fields["rate"]
        assert after.channels == (before.channels if fields["channels"] == "keep" else 1)
        wanted = before.frames * after.rate / before.rate
        assert after.frames >= 1 and abs(after.frames - max(1, wanted)) <= 0.5
        whole = after.samples * 2**15
        assert (whole == np.rint(whole)).all() and whole.min() >= -(2**15) and whole.max() < 2**15
        assert not np.signbit(after.samples[after.samples == 0]).any()


def test_a_result_that_is_not_rounded_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unrounded samples would be stored as floats: four bytes each, and other bits on another processor."""
    rows = audio_rows([Sound(noise(4000), 44_100)])
    assert facts_of(stored_again(mapped(rows)).ragged("audio").to_bytes()[0]).codec == "pcm-16"
    monkeypatch.setattr("sslpipe.maps.resample_audio.to_grid", lambda samples, bits: samples)
    monkeypatch.setattr("sslpipe.maps.resample_audio.from_grid", lambda samples, bits: samples.astype(np.float32))
    assert facts_of(stored_again(mapped(rows)).ragged("audio").to_bytes()[0]).codec == "float-32"


def test_rows_that_need_no_change_keep_their_bytes() -> None:
    files = [good()[name] for name in ("pcm24.aiff", "s16.flac", "float.wav", "cbr.mp3", "stereo.wav")]
    made = stored_again(mapped(audio_rows(files))).ragged("audio").to_bytes()
    assert made[1:4] == files[1:4]
    assert [facts_of(data).channels for data in made] == [1] * 5 and made[0] != files[0] and made[4] != files[4]
    kept = stored_again(mapped(audio_rows(files), channels="keep")).ragged("audio").to_bytes()
    assert kept == files


def test_channels_are_mixed_or_chosen() -> None:
    left, right = noise(100, seed=1), noise(100, seed=2)
    rows = audio_rows([Sound(np.concatenate([left, right, right]), 16_000)])
    mixed = sounds(mapped(rows), "audio").value(0).samples
    wanted = np.rint((left.astype(np.float64) + right + right) / 3 * 2**15) / 2**15
    np.testing.assert_array_equal(mixed, wanted)
    np.testing.assert_array_equal(sounds(mapped(rows, channels="first"), "audio").value(0).samples, left)


def test_halves_go_to_the_even_one_and_loud_ones_are_clipped() -> None:
    pair = np.array([[0, 1, 2, 3, -1, -3], [1, 2, 3, 4, -2, -4]], np.float32) / 2**15
    rows = audio_rows([Sound(pair, 16_000), Sound(np.full((2, 2), 1.5, np.float32), 16_000)])
    made = sounds(mapped(rows), "audio")
    assert (made.value(0).samples[0] * 2**15).tolist() == [0, 2, 2, 4, -2, -4]
    assert (made.value(1).samples[0] * 2**15).tolist() == [32767, 32767]


def test_a_tone_stays_where_it_was() -> None:
    time = np.arange(44_100) / 44_100
    tone = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)[None]
    made = sounds(mapped(audio_rows([Sound(tone, 44_100)])), "audio").value(0).samples[0]
    wanted = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    assert np.abs(made - wanted)[100:-100].max() < 4e-5
    plain = soxr.resample(tone[0].astype(np.float64), 44_100, 16_000, quality="VHQ")
    assert np.abs(made - plain).max() <= 0.5 / 2**15


def test_other_fields_stay() -> None:
    rows = audio_rows([Sound(noise(10), 8000)])
    made = mapped(rows)
    assert made.names is rows.names and made.ragged("text").to_texts() == ["row 0"]
    assert samples(rows) == [noise(10).tobytes()]


def test_outputs() -> None:
    made = ResampleAudio().outputs(AUDIO)
    assert made["audio"] == Field(kind="audio", rate=16_000, channels=1) and made["text"] == AUDIO["text"]
    stereo = {"audio": Field(kind="audio", rate=8000, channels=2, format="flac")}
    assert ResampleAudio(channels="keep").outputs(stereo)["audio"] == Field(kind="audio", rate=16_000, channels=2)
    done = {"audio": Field(kind="audio", rate=16_000, channels=1, format="flac")}
    assert ResampleAudio().outputs(done) == done
    assert ResampleAudio.changes_lengths
    with pytest.raises(RecipeError, match=r"maps\.resample_audio needs a field of audio; there is none"):
        ResampleAudio().outputs({"text": Field(kind="text")})
    with pytest.raises(SslpipeError, match="must be opened"):
        ResampleAudio().map(audio_rows([]), DRAW)
    with pytest.raises(FieldError, match="wanted a whole number from 1000"):
        ResampleAudio(rate=999)


def test_golden_samples() -> None:
    """The same on every processor: changes here change datasets."""
    made = sounds(mapped(audio_rows([Sound(noise(40), 44_100)])), "audio").value(0).samples[0]
    assert (made * 2**15).astype(int).tolist() == GOLDEN
