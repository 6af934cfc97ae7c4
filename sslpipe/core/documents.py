"""The documents of one shard, where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged


@dataclass(frozen=True, slots=True)
class Documents:
    """One ragged field of a shard in place: a mapped tar, or a column in memory.

    Document `i` is `lengths[i]` elements of `dtype` from byte `starts[i]` of `data`. Nothing is copied, so a pack on either
    side of the fence reads the same bytes by the same code.
    """

    names: Names
    """One a document, `[n]`."""
    data: NDArray[np.uint8]
    """The bytes that the documents lie in, among others."""
    starts: NDArray[np.int64]
    """First byte of each document in `data`, int64 `[n]`."""
    lengths: NDArray[np.int64]
    """Elements of each document, int64 `[n]`."""
    dtype: np.dtype[Any]
    """Of one element."""

    @classmethod
    def from_ragged(cls, names: Names, column: Ragged) -> Documents:
        """The documents of a column in memory."""
        values = np.ascontiguousarray(column.values)
        return cls(names, values.view(np.uint8), column.offsets[:-1] * values.itemsize, column.lengths, values.dtype)
