"""Sound as FLAC."""

from __future__ import annotations

from typing import Literal

from sslpipe.codecs.audio import facts_of, flac_bytes, to_grid
from sslpipe.codecs.encoded import sounds
from sslpipe.core.damage import Damage
from sslpipe.core.draw import Draw
from sslpipe.core.encoded import Bytes
from sslpipe.core.errors import DataError, RecipeError, SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map, pick_field

_MOST_CHANNELS = 8
_HIGHEST_RATE = 655_350
_LIMITS = f"FLAC holds {_MOST_CHANNELS} at {_HIGHEST_RATE}; put maps.resample_audio before it"


class EncodeFlac(Map):
    """Stores every row as FLAC of one number of bits, for tools that read nothing else, and to store lossy files smaller.

    Rows that are such FLAC already keep their bytes; others are rounded to `bits` (halves to even, clipped at full scale),
    which loses what is finer: nothing of files of as many bits or fewer, and nothing that can be heard of lossy ones. The
    samples that later steps see are the rounded ones, on both sides of the fence.
    """

    bits: Literal[16, 24] = 16
    """Bits of a sample. 24 takes about twice the room of 16, most of it noise."""
    field: str | None = None
    """The field of audio; by default the only one."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields, the audio as FLAC; refused where it is known to have more channels, or a higher rate, than fit."""
        name = pick_field(self, fields, "audio", self.field)
        if (fields[name].channels or 1) > _MOST_CHANNELS or (fields[name].rate or 1) > _HIGHEST_RATE:
            raise RecipeError(
                f"{self.path()}: field `{name}` has {fields[name].channels} channels at {fields[name].rate} Hz; {_LIMITS}"
            )
        return {**fields, name: fields[name].model_copy(update={"format": "flac"})}

    def open(self, context: Context) -> EncodeFlac:
        """The map with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "audio", self.field)})

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """The rows as FLAC; raises DataError for one of more than 8 channels or above 655,350 Hz, which FLAC can't hold."""
        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it maps")
        column = sounds(rows, self.field)
        made: dict[int, bytes] = {}
        for row in range(len(column)):
            data = column.data(row)
            if data is not None and self._is_such(data):
                continue
            sound = column.value(row)
            if sound.channels > _MOST_CHANNELS or sound.rate > _HIGHEST_RATE:
                raise DataError(
                    f"{self.path()}: row {row} of the batch has {sound.channels} channels at {sound.rate} Hz; {_LIMITS}"
                )
            made[row] = flac_bytes(to_grid(sound.samples, self.bits), sound.rate, self.bits)
        return rows.with_columns(**{self.field: column.with_data(made)})

    def _is_such(self, data: Bytes) -> bool:
        try:
            return facts_of(data).bits == self.bits
        except Damage:
            return False  # What is wrong with it is said where it is decoded.
