"""Sound that is too short, too long, silent, clipped, or off its zero line."""

from __future__ import annotations

from typing import Self

import pydantic

from sslpipe.core.fields import Fields
from sslpipe.core.steps import Context, Filter, Limit, Measure, Measures, Numbers, Verdicts, pick_field
from sslpipe.filters._judging import above, below, first_reason, limit, missed
from sslpipe.measures import audio_levels

_FULL = 2**23
"""Full scale in the steps that `measures.audio_levels` counts in."""


class AudioLevels(Filter):
    """Drops sound from which nothing is learnt: by its length, and by levels that no microphone gives.

    The measure is explained at `measures.audio_levels`. Nothing here knows what speech is: noise and music pass. A value on a
    limit is kept. Only `min_s` has a source; the other defaults are ours, set so that they drop what is broken and nothing that
    is merely quiet, loud, or badly recorded.

    Reasons, of which the first that holds is given: `audio.too_short`, `audio.too_long`, `audio.silent`, `audio.clipped`,
    `audio.dc`.
    """

    field: str | None = None
    """The field of audio; by default the only one."""
    min_s: float = pydantic.Field(default=2, ge=0, allow_inf_nan=False)
    """Shortest, in seconds: wav2vec 2.0 (arXiv 2006.11477) is trained on nothing below 32,000 samples at 16 kHz."""
    max_s: float | None = pydantic.Field(default=None, gt=0, allow_inf_nan=False)
    """Longest, in seconds; None for no limit, since tasks cut pieces out of long rows."""
    max_silence: float = pydantic.Field(default=0.9, ge=0, le=1)
    """Largest share of silent pieces of 20 ms."""
    silence_level: float = pydantic.Field(default=0.001, ge=0, le=1)
    """Of full scale, below which a piece is silent: -60 dB, the default of ffmpeg's `silencedetect`."""
    max_clipped: float = pydantic.Field(default=0.01, ge=0, le=1)
    """Largest share of samples at full scale. Music mastered loud reaches some 0.001."""
    max_dc: float = pydantic.Field(default=0.05, ge=0, le=1)
    """Largest mean of a channel, of full scale; cheap sound cards have 0.01."""

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max_s is not None and self.min_s > self.max_s:
            raise ValueError(f"min_s ({self.min_s:g}) is above max_s ({self.max_s:g}): nothing would be kept")
        return self

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused unless the field is audio."""
        pick_field(self, fields, "audio", self.field)
        return fields

    def open(self, context: Context) -> AudioLevels:
        """The filter with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "audio", self.field)})

    def needs(self) -> tuple[Measure, ...]:
        """The levels of the same field."""
        return (audio_levels.AudioLevels(field=self.field, silence_level=self.silence_level),)

    def judge(self, measures: Measures) -> Verdicts:
        """Per row: kept, or the first rule that it breaks."""
        frames, rate = measures["frames"], measures["rate"]
        too_long = frames < 0 if self.max_s is None else above(frames, rate, self.max_s)
        return first_reason(
            {
                "audio.too_short": below(frames, rate, self.min_s),
                "audio.too_long": too_long,
                "audio.silent": above(measures["silent_slices"], measures["slices"], self.max_silence),
                "audio.clipped": above(measures["clipped"], frames * measures["channels"], self.max_clipped),
                "audio.dc": above(measures["dc"], frames * _FULL, self.max_dc),
            }
        )

    def explain(self, reason: str, numbers: Numbers) -> str:
        """The number that decided, beside its threshold."""
        return next(missed(limit, numbers) for limit in self.limits() if limit.reason == reason)

    def limits(self) -> tuple[Limit, ...]:
        """All five, four without a longest length."""
        longest = [limit(self, "audio.too_long", "frames", ("rate",), "max_s")] if self.max_s is not None else []
        return (
            limit(self, "audio.too_short", "frames", ("rate",), "min_s"),
            *longest,
            limit(self, "audio.silent", "silent_slices", ("slices",), "max_silence"),
            limit(self, "audio.clipped", "clipped", ("frames", "channels"), "max_clipped"),
            limit(self, "audio.dc", "dc", ("frames",), "max_dc", _FULL),
        )
