"""The one thing that flows: a batch of rows held as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import SslpipeError
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged

if TYPE_CHECKING:
    import pyarrow as pa

Column = NDArray[Any] | Ragged
AnyColumn = Column | Encoded[Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch of rows on either side of the fence: their names, and named columns of equal length.

    A column is a numpy array `[n, ...]` or `Ragged`; pictures and sound are `Ragged` bytes, and `Encoded` while they pass
    through steps that may want them decoded. Fields whose name starts with `_` are bookkeeping of the build (where a
    row came from, what was measured); they travel with the rows and are never stored in shards. Columns are shared, not
    copied, between batches: a step makes new ones and leaves its input alone.
    """

    names: Names
    """One a row, `[n]`."""
    columns: Mapping[str, AnyColumn]
    """By field: arrays `[n, ...]`, `Ragged` or `Encoded` of `n` rows."""

    def __post_init__(self) -> None:
        for field, column in self.columns.items():
            if len(column) != len(self.names):
                raise SslpipeError(f"field `{field}` has {len(column)} rows, the batch has {len(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, field: str) -> Column:
        """A column as numbers or bytes; a step that wants decoded rows takes `codecs.encoded.pictures` or `sounds`."""
        try:
            column = self.columns[field]
        except KeyError:
            have = ", ".join(name for name in self.columns if not name.startswith("_")) or "none"
            raise SslpipeError(f"rows have no field `{field}`; their fields: {have}") from None
        return column.stored() if isinstance(column, Encoded) else column

    def ragged(self, field: str) -> Ragged:
        """A column that must be ragged."""
        column = self[field]
        if not isinstance(column, Ragged):
            raise SslpipeError(f"field `{field}` has rows of one fixed shape {column.shape[1:]}, wanted ragged")
        return column

    def array(self, field: str) -> NDArray[Any]:
        """A column that must be of one shape."""
        column = self[field]
        if isinstance(column, Ragged):
            raise SslpipeError(f"field `{field}` has rows of unequal length, wanted one shape; pack or cut it first")
        return column

    def with_columns(self, **columns: AnyColumn) -> Rows:
        """The same rows with these columns added or replaced."""
        return Rows(self.names, {**self.columns, **columns})

    def without(self, *fields: str) -> Rows:
        """The same rows with these fields left out."""
        return Rows(self.names, {name: column for name, column in self.columns.items() if name not in fields})

    def take(self, rows: NDArray[Any]) -> Rows:
        """The rows at these positions, or where this mask is true, copied."""
        positions = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return self._each(
            lambda column: column[positions] if isinstance(column, np.ndarray) else column.take(positions),
            positions,
        )

    def view(self, start: int, stop: int) -> Rows:
        """Rows `start` to `stop` as views."""
        return self._each(
            lambda column: column[start:stop] if isinstance(column, np.ndarray) else column.view(start, stop),
            slice(start, stop),
        )

    def stored(self) -> Rows:
        """The same rows with encoded fields as their bytes, ready to be written; changed values are encoded here."""
        return Rows(self.names, {name: self[name] for name in self.columns})

    def _each(self, pick: Callable[[AnyColumn], AnyColumn], rows: NDArray[Any] | slice) -> Rows:
        return Rows(self.names.take(rows), {name: pick(column) for name, column in self.columns.items()})

    @classmethod
    def concat(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, one after another; all have the same fields."""
        if len(parts) == 1:
            return parts[0]
        columns: dict[str, AnyColumn] = {}
        for name in parts[0].columns:
            pieces = [part[name] for part in parts]
            ragged = [piece for piece in pieces if isinstance(piece, Ragged)]
            columns[name] = Ragged.concat(ragged) if len(ragged) == len(pieces) else np.concatenate(pieces)  # type: ignore[arg-type]
        return cls(Names.concat([part.names for part in parts]), columns)

    def nbytes(self) -> NDArray[np.int64]:
        """Payload bytes of each row over all fields that can be stored, int64 `[n]`."""
        total = np.zeros(len(self), np.int64)
        for name in self.columns:
            if name.startswith("_"):
                continue
            column = self[name]
            if isinstance(column, Ragged):
                total += column.lengths * column.values.dtype.itemsize
            elif len(self):
                total += column.nbytes // len(self)
        return total

    def to_arrow(self) -> pa.RecordBatch:
        """The batch in Arrow: names as `_key_high _key_low _occurrence _offset`, ragged bytes as `large_binary`."""
        from sslpipe.core.arrow import to_arrow

        return to_arrow(self)

    @classmethod
    def from_arrow(cls, batch: pa.RecordBatch) -> Rows:
        """The inverse of `to_arrow`, without copying numeric columns."""
        from sslpipe.core.arrow import from_arrow

        return from_arrow(batch)
