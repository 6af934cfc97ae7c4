"""Rows that are the same byte for byte."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xxhash
from numpy.typing import NDArray

from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.hashes import split_digests
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.core.steps import Context, Dedup


class Exact(Dedup):
    """Two rows are the same when one field has the same bytes in both, as it stands at this place in the recipe.

    Compared by 128-bit xxh3: among 10^10 different rows the chance of one false match is about 10^-19. Put it behind the maps
    that undo differences which don't matter (`maps.normalize_text`); nothing is normalised here. Works on text, ids, encoded
    bytes and arrays; the shape of an array is not compared, its bytes are.
    """

    field: str | None = None
    """The field that is compared; by default the only one that is not `meta`."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused where it isn't clear which one is compared."""
        self._pick(fields)
        return fields

    def open(self, context: Context) -> Exact:
        """The dedup with its field chosen."""
        return self.model_copy(update={"field": self._pick(context.fields)})

    def sign(self, rows: Rows) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """The digest of each row's bytes, high and low, uint64 `[n]` each."""
        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it signs")
        return split_digests([xxhash.xxh3_128_digest(row) for row in _rows_of_bytes(rows[self.field])])

    def _pick(self, fields: Fields) -> str:
        have = ", ".join(f"{name}: {field.kind}" for name, field in fields.items()) or "none"
        if self.field is not None:
            if self.field in fields:
                return self.field
            raise RecipeError(f"{self.path()}: there is no field `{self.field}` (fields here: {have})")
        candidates = [name for name, field in fields.items() if field.kind != "meta"]
        if len(candidates) == 1:
            return candidates[0]
        problem = "there are several; say which with `field:`" if candidates else "there is none"
        raise RecipeError(f"{self.path()} needs a field to compare; {problem} (fields here: {have})")


def _rows_of_bytes(column: Column) -> Iterator[memoryview]:
    """The bytes of each row, without copying."""
    if isinstance(column, Ragged):
        values, ends = np.ascontiguousarray(column.values), column.offsets * column.values.itemsize
    else:
        values = np.ascontiguousarray(column)
        ends = np.arange(len(column) + 1) * (values.itemsize * int(np.prod(values.shape[1:])))
    whole = values.reshape(-1).view(np.uint8).data
    start = int(ends[0])
    for end in ends[1:].tolist():
        yield whole[start:end]
        start = end
