"""Every limit, on it and one step beyond it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sslpipe.codecs.audio import Sound
from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.fields import Field
from sslpipe.core.steps import Measures
from sslpipe.filters import audio_levels
from sslpipe.filters.audio_levels import AudioLevels
from sslpipe.measures.audio_levels import AudioLevels as Measured
from tests.support_audio import AUDIO, audio_context, audio_rows, noise

GOOD = {
    "frames": 160_000,
    "rate": 16_000,
    "channels": 1,
    "peak": 2**22,
    "clipped": 0,
    "dc": 0,
    "slices": 500,
    "silent_slices": 0,
}
LIMITS: list[tuple[str, dict[str, int], dict[str, int]]] = [
    ("audio.too_short", {"frames": 32_000}, {"frames": 31_999}),
    ("audio.too_long", {"frames": 480_000}, {"frames": 480_001}),
    ("audio.silent", {"silent_slices": 450}, {"silent_slices": 451}),
    ("audio.clipped", {"clipped": 1600}, {"clipped": 1601}),
    ("audio.dc", {"dc": 160_000 * 2**23 // 20}, {"dc": 160_000 * 2**23 // 20 + 1}),
]
STEP = AudioLevels(max_s=30)


def measured(**changes: int) -> Measures:
    return {name: np.array([count], np.int64) for name, count in {**GOOD, **changes}.items()}


def reason(step: AudioLevels, measures: Measures) -> str | None:
    verdicts = step.judge(measures)
    return verdicts.reasons[verdicts.codes[0] - 1] if verdicts.codes[0] else None


def limits_hold() -> bool:
    return all(reason(STEP, measured(**on)) is None and reason(STEP, measured(**beyond)) == name for name, on, beyond in LIMITS)


@pytest.mark.parametrize(("name", "on", "beyond"), LIMITS, ids=[name for name, _, _ in LIMITS])
def test_a_value_on_a_limit_is_kept(name: str, on: dict[str, int], beyond: dict[str, int]) -> None:
    assert reason(STEP, measured(**on)) is None
    assert reason(STEP, measured(**beyond)) == name


def test_the_reasons_are_these_in_this_order() -> None:
    assert STEP.judge(measured()).reasons == tuple(name for name, _, _ in LIMITS)
    broken = {**LIMITS[2][2], **LIMITS[3][2], **LIMITS[4][2], "frames": 1}
    assert reason(STEP, measured(**broken)) == "audio.too_short"


@pytest.mark.parametrize("name", ["above", "below"])
def test_a_limit_taken_as_beyond_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits_hold()
    other = {"above": audio_levels.below, "below": audio_levels.above}[name]
    monkeypatch.setattr(audio_levels, name, lambda part, whole, limit: ~other(part, whole, limit))
    assert not limits_hold()


def test_seconds_are_compared_as_whole_numbers() -> None:
    """0.1 s of 44.1 kHz are 4410 frames exactly, though 4410 / 44100 is not 0.1 in floating point."""
    for rate in (8000, 11_025, 22_050, 44_100, 48_000):
        step = AudioLevels(min_s=0.12)
        frames = 12 * rate // 100
        assert reason(step, measured(rate=rate, frames=frames)) is None
        assert reason(step, measured(rate=rate, frames=frames - 1)) == "audio.too_short"


def test_there_is_no_longest_by_default() -> None:
    assert reason(AudioLevels(), measured(frames=10**12)) is None


def test_from_sound_to_verdict() -> None:
    speech, silence = noise(48_000, scale=0.1), np.zeros((1, 48_000), np.float32)
    sounds = [speech, speech[:, :16_000], silence, np.clip(speech * 30, -1, 1 - 2.0**-15), speech + np.float32(0.125)]
    rows = audio_rows([Sound(np.ascontiguousarray(samples), 16_000) for samples in sounds])
    step = AudioLevels().open(audio_context())
    (measure,) = step.needs()
    verdicts = step.judge(measure.measure(rows))
    reasons = [None, *verdicts.reasons]
    wanted = [None, "audio.too_short", "audio.silent", "audio.clipped", "audio.dc"]
    assert [reasons[code] for code in verdicts.codes] == wanted


def test_the_level_of_silence_is_given_to_the_measure() -> None:
    assert AudioLevels(silence_level=0.5).open(audio_context()).needs() == (Measured(field="audio", silence_level=0.5),)
    assert AudioLevels(field="audio", min_s=1).needs() == AudioLevels(field="audio").needs()


def test_fields_are_checked_at_plan_time() -> None:
    assert AudioLevels().outputs(AUDIO) is AUDIO
    with pytest.raises(RecipeError, match=r"filters\.audio_levels needs a field of audio; there are several"):
        AudioLevels().outputs({"a": Field(kind="audio"), "b": Field(kind="audio")})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_s": 9, "max_s": 8}, r"min_s \(9\) is above max_s \(8\): nothing would be kept"),
        ({"min_s": -1}, "got -1 for `min_s`, wanted a number of at least 0"),
        ({"max_s": 0}, "got 0 for `max_s`, wanted a number above 0"),
        ({"max_silence": 1.1}, "got 1.1 for `max_silence`, wanted a number from 0 to 1"),
        ({"min_s": float("nan")}, "got NaN for `min_s`"),
    ],
)
def test_impossible_settings_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        AudioLevels(**fields)
