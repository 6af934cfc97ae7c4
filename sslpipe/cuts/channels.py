"""Sound with several channels, one row each."""

from __future__ import annotations

import numpy as np

from sslpipe.codecs.audio import Sound
from sslpipe.codecs.encoded import sounds
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.names import Names
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Cut, pick_field


class Channels(Cut):
    """Makes a row of each channel, for recordings with a speaker or a microphone on each; music is better mixed.

    All other fields go along with every piece: a caption stands beside each channel then. A row of one channel is not divided:
    it keeps its name and its bytes, so that putting this cut into a recipe renames nothing that it doesn't change, and cutting
    twice is cutting once. Pieces are named after their row and the number of the channel (`Names.children`), before any of
    their samples is stored.
    """

    field: str | None = None
    """The field of audio; by default the only one."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields, the audio in one channel."""
        name = pick_field(self, fields, "audio", self.field)
        before = fields[name]
        kept = before.format if before.channels == 1 else None
        return {**fields, name: before.model_copy(update={"channels": 1, "format": kept})}

    def open(self, context: Context) -> Channels:
        """The cut with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "audio", self.field)})

    def cut(self, rows: Rows) -> Rows:
        """The channels of all rows in order; the column `_piece`, uint16, is the number of each within its row.

        Damage that a forgiving column notes of a row is noted of what comes out in its place.
        """
        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it cuts")
        column = sounds(rows, self.field)
        values = column.values()
        counts = np.array([sound.channels for sound in values], np.int64)
        parents = np.repeat(np.arange(len(rows)), counts)
        numbers = np.arange(len(parents)) - np.repeat(np.cumsum(counts) - counts, counts)
        divided = counts[parents] > 1
        pieces = {
            row: Sound(np.ascontiguousarray(values[parents[row]].samples[numbers[row]][None]), values[parents[row]].rate)
            for row in np.flatnonzero(divided).tolist()
        }
        cut = column.take(parents).with_values(pieces)
        cut.damages.update(
            {row: column.damages[parent] for row, parent in enumerate(parents.tolist()) if parent in column.damages}
        )
        others = rows.without(self.field).take(parents)
        names = _either(rows.names.children(parents, numbers), others.names, divided)
        return Rows(names, {**others.columns, self.field: cut, "_piece": numbers.astype(np.uint16)})


def _either(pieces: Names, whole: Names, divided: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Names:
    """The names of pieces where a row was divided, its own elsewhere."""
    return Names(
        np.where(divided, pieces.high, whole.high), np.where(divided, pieces.low, whole.low), whole.occurrence, whole.offset
    )
