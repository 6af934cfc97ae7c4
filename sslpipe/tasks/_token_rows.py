"""Columns of tokens as the kernels of token tasks want them: one array, and where rows begin in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.core.steps import Task, pick_field

DOCUMENTS = "document_ids"


@dataclass(frozen=True)
class TokenRows:
    """The ids of a batch, packed (`[n, L]`) or plain (ragged), laid end to end."""

    ids: NDArray[Any]
    offsets: NDArray[np.int64]
    documents: NDArray[np.int32] | None
    """The number of each token's document, -1 on padding; None where each row is one document without padding."""
    shape: tuple[int, ...] | None

    @classmethod
    def of(cls, task: Task, rows: Rows, field: str) -> TokenRows:
        """The rows laid end to end; raises DataError where one is shorter than the task can use."""
        ids, offsets, shape = _flat(rows[field])
        shortest = shape[1] if shape is not None else int(np.diff(offsets).min(initial=task.minimum()))
        if len(rows) and shortest < task.minimum():
            short = 0 if shape is not None else int(np.argmin(np.diff(offsets)))
            raise DataError(
                f"{task.path()}: row {short} of the batch has {shortest} tokens, wanted at least {task.minimum()}; "
                "leave shorter rows out beforehand"
            )
        if not np.issubdtype(ids.dtype, np.unsignedinteger):
            raise DataError(f"{task.path()}: field `{field}` holds {ids.dtype}, wanted ids as stored, uint16 or uint32")
        if DOCUMENTS not in rows.columns:
            return cls(ids, offsets, None, shape)
        documents, document_offsets, document_shape = _flat(rows[DOCUMENTS])
        alike = document_shape == shape if shape is not None else np.array_equal(offsets, document_offsets)
        if not alike:
            raise DataError(f"{task.path()}: `{DOCUMENTS}` has other lengths than `{field}`")
        return cls(ids, offsets, np.ascontiguousarray(documents, np.int32), shape)

    def room(self, count: int) -> NDArray[np.int64]:
        """Room for `count` numbers a token, int64 `[count, tokens]`.

        One allocation for all columns: the C library gives several of this size back to the system after each batch, and the
        page faults of the next cost twice the kernel.
        """
        return np.empty((count, len(self.ids)), np.int64)

    def column(self, values: NDArray[Any]) -> Column:
        """Numbers, one a token, as a column of the shape that the ids had."""
        return Ragged(values, self.offsets) if self.shape is None else values.reshape(self.shape)

    def replaced(self, rows: Rows, field: str, made: dict[str, NDArray[Any]]) -> Rows:
        """The rows with the field of ids left out, and what was made of it put in; documents go on unchanged."""
        return rows.without(field).with_columns(**{name: self.column(values) for name, values in made.items()})


def _flat(column: Column) -> tuple[NDArray[Any], NDArray[np.int64], tuple[int, ...] | None]:
    if isinstance(column, Ragged):
        first, last = int(column.offsets[0]), int(column.offsets[-1])
        return np.ascontiguousarray(column.values[first:last]), np.ascontiguousarray(column.offsets - first), None
    count, length = column.shape
    return np.ascontiguousarray(column).reshape(-1), np.arange(count + 1, dtype=np.int64) * length, (count, length)


def token_outputs(task: Task, fields: Fields, field: str | None, made: tuple[str, ...]) -> Fields:
    """The fields after a token task: `made`, int64 and as long as the ids, in place of them."""
    name = pick_field(task, fields, "ids", field)
    ids = fields[name]
    if len(ids.shape) != 1:
        raise RecipeError(f"{task.path()}: field `{name}` has rows of shape {ids.shape}, wanted one axis of tokens")
    kept = {other: value for other, value in fields.items() if other != name}
    clash = sorted(set(made) & set(kept))
    if clash:
        raise RecipeError(f"{task.path()}: there is a field `{clash[0]}` already; one task makes it")
    inputs = Field(kind="ids", dtype="int64", shape=ids.shape, vocabulary=ids.vocabulary)
    plain = Field(kind="array", dtype="int64", shape=ids.shape)
    return {**kept, **{name: inputs if name == "input_ids" else plain for name in made}}
