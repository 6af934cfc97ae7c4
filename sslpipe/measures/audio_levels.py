"""Length and levels of sound."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pydantic

from sslpipe.codecs.encoded import sounds
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Measure, Measures, pick_field

_SLICES = 50
"""Slices a second: 20 ms, the frame of speech codecs and of wav2vec 2.0."""
_NAMES = ("frames", "rate", "channels", "peak", "clipped", "dc", "slices", "silent_slices")


class AudioLevels(Measure):
    """Whole numbers about sound: how long it is, how loud, and how much of it is silence.

    Each is an int64 array `[n]`; levels are in steps of 2^-23 of full scale, which holds samples of up to 24 bits exactly.

    | name | what it is |
    |---|---|
    | `frames`, `rate`, `channels` | samples of each channel, samples a second, channels |
    | `peak` | the largest sample, without its sign |
    | `clipped` | samples, over all channels, at or beyond 32767/32768 of full scale |
    | `dc` | the sum of all samples of a channel, without its sign; of several channels the largest |
    | `slices` | pieces of 20 ms; a shorter rest at the end is one |
    | `silent_slices` | those whose root mean square over all channels is below `silence_level` |

    Clipping that somebody scaled down afterwards isn't seen, and one sample at full scale is no fault yet: compare shares.
    """

    field: str | None = None
    """The field of audio; by default the only one."""
    silence_level: float = pydantic.Field(default=0.001, ge=0, le=1)
    """Of full scale, below which a slice is silent: -60 dB, the default of ffmpeg's `silencedetect`. Rounded to 2^-20."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused unless the field is audio."""
        pick_field(self, fields, "audio", self.field)
        return fields

    def open(self, context: Context) -> AudioLevels:
        """The measure with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "audio", self.field)})

    def names(self) -> tuple[str, ...]:
        """The names in the table above, in order."""
        return _NAMES

    def measure(self, rows: Rows) -> Measures:
        """The numbers of every row, int64 `[n]` each."""
        from sslpipe.kernels.audio_levels import ENERGY_FULL, audio_levels

        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it measures")
        silence = round(Fraction(repr(self.silence_level)) * ENERGY_FULL)
        found = np.zeros((len(_NAMES), len(rows)), np.int64)
        for row, sound in enumerate(sounds(rows, self.field).values()):
            levels = audio_levels(np.ascontiguousarray(sound.samples), max(1, sound.rate // _SLICES), silence)
            found[:, row] = (sound.frames, sound.rate, sound.channels, *levels)
        return dict(zip(_NAMES, found, strict=True))
