"""Sound at one rate, in one channel."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from sslpipe.codecs.audio import Sound, from_grid, to_grid
from sslpipe.codecs.audio_header import MAX_RATE, MIN_RATE
from sslpipe.codecs.encoded import sounds
from sslpipe.core.draw import Draw
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map, pick_field

_BITS = 16


class ResampleAudio(Map):
    """Brings all rows to one rate, and by default to one channel.

    A row that is so already is left as it is, its bytes too. Any other is resampled by soxr and rounded to 16 bits (halves to
    even, clipped at full scale): as good as most recordings are, and stored as FLAC without loss, so that the map gives the
    same samples whether its results are stored or made anew each epoch. A row of `n` frames comes out with `n * new / old` of
    them, to the nearest whole number, and at least one.

    soxr computes in double precision at the quality `VHQ`: processors with other SIMD differ by 2e-16 of full scale, which
    rounding hides but for about one sample in 10^11. At `HQ`, a fifth faster, it computes in single precision: all x86-64
    processors agree, others may not.
    """

    changes_lengths: ClassVar[bool] = True

    rate: int = pydantic.Field(default=16_000, ge=MIN_RATE, le=MAX_RATE)
    """Samples a second of every row; 16 kHz is what models of speech are made for (wav2vec 2.0, HuBERT, Whisper)."""
    channels: Literal["mix", "first", "keep"] = "mix"
    """`mix`: the mean of all channels; `first`: the first one; `keep`: as many as there are. To have each by itself, put
    cuts.channels before."""
    quality: Literal["VHQ", "HQ"] = "VHQ"
    """soxr's recipe: `VHQ` is exact to 28 bits, `HQ` to 20."""
    field: str | None = None
    """The field of audio; by default the only one."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields, the rate of the audio known, and that it has one channel unless they are kept."""
        name = pick_field(self, fields, "audio", self.field)
        before = fields[name]
        channels = before.channels if self.channels == "keep" else 1
        unchanged = before.rate == self.rate and (self.channels == "keep" or before.channels == 1)
        kept = before.format if unchanged else None
        return {**fields, name: before.model_copy(update={"rate": self.rate, "channels": channels, "format": kept})}

    def open(self, context: Context) -> ResampleAudio:
        """The map with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "audio", self.field)})

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """The rows at that rate; nothing is drawn."""
        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it maps")
        column = sounds(rows, self.field)
        changed: dict[int, Sound] = {}
        for row in range(len(column)):
            sound = column.value(row)
            if sound.rate != self.rate or (self.channels != "keep" and sound.channels > 1):
                changed[row] = self._changed(sound)
        return rows.with_columns(**{self.field: column.with_values(changed)})

    def _changed(self, sound: Sound) -> Sound:
        chosen = self._chosen(sound.samples)
        if sound.rate != self.rate:
            import soxr

            made = soxr.resample(np.ascontiguousarray(chosen.T), sound.rate, self.rate, quality=self.quality).T
            chosen = made if made.shape[1] else chosen[:, :1]
        return Sound(from_grid(np.ascontiguousarray(to_grid(chosen, _BITS)), _BITS), self.rate)

    def _chosen(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """The channels that stay, float64 `[channels, frames]`; added up one after another, so that the order is fixed."""
        if self.channels == "keep" or len(samples) == 1:
            return samples.astype(np.float64)
        total: NDArray[np.float64] = samples[:1].astype(np.float64)
        if self.channels == "mix":
            for channel in samples[1:]:
                total += channel
            total /= len(samples)
        return total
