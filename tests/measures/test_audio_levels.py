"""The measure: names, types, lengths as they are, and the same numbers whatever format holds the samples."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.codecs.audio import Sound
from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.measures.audio_levels import AudioLevels
from tests.badinputs.audio import made, tone
from tests.support_audio import AUDIO, audio_context, audio_rows, noise


def test_one_int64_array_a_name() -> None:
    loud = np.array([[0.5, -1.0, 0.25, 0.25], [0, 0, 1 - 2.0**-15, 0]], np.float32)
    rows = audio_rows([Sound(loud, 16_000), Sound(np.zeros((1, 8001), np.float32), 8000)])
    measure = AudioLevels().open(audio_context())
    measures = measure.measure(rows)
    assert tuple(measures) == measure.names()
    assert all(column.dtype == np.int64 and column.shape == (2,) and column.flags.c_contiguous for column in measures.values())
    assert {name: column.tolist() for name, column in measures.items()} == {
        "frames": [4, 8001],
        "rate": [16_000, 8000],
        "channels": [2, 1],
        "peak": [2**23, 0],
        "clipped": [2, 0],
        "dc": [2**23 - 2**8, 0],
        "slices": [1, 51],
        "silent_slices": [0, 51],
    }


def test_the_format_changes_nothing() -> None:
    whole = np.rint(tone() * 32767).astype(np.int16)
    files = [made(kind, "PCM_16", whole) for kind in ("WAV", "FLAC", "AIFF")]
    measures = AudioLevels(field="audio").measure(audio_rows([*files, made("WAV", "FLOAT", whole / 2**15)]))
    assert all(len(set(column.tolist())) == 1 for column in measures.values())


@pytest.mark.parametrize(("level", "silent"), [(0.0, 0), (0.001, 50), (0.01, 100)])
def test_silence_is_below_the_level(level: float, silent: int) -> None:
    quiet, loud = np.full(16_000, 0.0005, np.float32), np.full(16_000, 0.005, np.float32)
    rows = audio_rows([Sound(np.concatenate([quiet, loud])[None], 16_000)])
    assert AudioLevels(field="audio", silence_level=level).measure(rows)["silent_slices"].tolist() == [silent]


def test_equal_measures_are_equal_and_hash_alike() -> None:
    opened = AudioLevels().open(audio_context())
    assert opened == AudioLevels(field="audio") and hash(opened) == hash(AudioLevels(field="audio"))
    assert opened != AudioLevels(field="audio", silence_level=0.1)


def test_a_view_of_rows_measures_like_a_copy() -> None:
    rows = audio_rows([Sound(noise(100, seed=seed), 16_000) for seed in range(3)])
    measure = AudioLevels(field="audio")
    assert measure.measure(rows.view(1, 3))["peak"].tolist() == measure.measure(rows)["peak"].tolist()[1:]
    assert measure.measure(rows.view(0, 0))["peak"].tolist() == []


def test_fields_are_checked_at_plan_time() -> None:
    assert AudioLevels().outputs(AUDIO) is AUDIO
    with pytest.raises(RecipeError, match=r"measures\.audio_levels needs a field of audio; there is none"):
        AudioLevels().outputs({"text": Field(kind="text")})
    with pytest.raises(SslpipeError, match="must be opened"):
        AudioLevels().measure(audio_rows([]))
