"""How the pieces of a cut are counted and told apart."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.errors import DataError
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Cut
from sslpipe.shards.ledger import PIECES

RECORD_SHIFT = PIECES.bit_length()
TASK_SHIFT = RECORD_SHIFT + 32
"""A record's number in the ledger: 24 bits of the task that read it, 32 of its place there, 8 of its piece."""

Number = TypeVar("Number", int, NDArray[np.uint64])


def record_number(task: int, record: Number) -> Number:
    """What a record is called in the ledger: by the task that read it, and its place among what that task read."""
    if isinstance(record, int):
        return (task << TASK_SHIFT) | (record << RECORD_SHIFT)
    return (record << np.uint64(RECORD_SHIFT)) | np.uint64(task << TASK_SHIFT)


def parent(ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The numbers of the records that rows came from."""
    return ids & ~np.uint64(PIECES)


def numbered(step: Cut, pieces: Rows) -> Rows:
    """The pieces with numbers of their own in the ledger, so that each can be followed to its end."""
    numbers = pieces.array("_piece").astype(np.uint64)
    if len(numbers) and numbers.max() > PIECES:
        raise DataError(
            f"{step.path()} made {int(numbers.max()) + 1} pieces of one row, wanted at most {PIECES + 1};"
            " cut into longer pieces, or let the reader divide the file"
        )
    return pieces.without("_piece").with_columns(_id=pieces.array("_id") + numbers)


def without_piece(rows: Rows, pieces: Rows) -> NDArray[np.intp]:
    """The positions of rows that nothing is left of."""
    return np.flatnonzero(~np.isin(rows.array("_id"), parent(pieces.array("_id"))))


def added(rows: Rows, pieces: Rows) -> Counter[int]:
    """How many records each source, by its number, has more: a divided row counts as its pieces."""
    whole = np.ones(len(rows), np.bool_)
    whole[without_piece(rows, pieces)] = False
    more = Counter(pieces.array("_source").tolist())
    more.subtract(rows.array("_source")[whole].tolist())
    return more
