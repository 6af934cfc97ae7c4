"""A column whose rows differ in length."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of unequal length laid end to end in one array.

    Row `i` is `values[offsets[i] : offsets[i + 1]]`. Slicing makes views; `take` copies, since a gather of views would keep all
    rows alive.
    """

    values: NDArray[Any]
    """All rows end to end, of any dtype; uint8 for text and encoded bytes."""
    offsets: NDArray[np.int64]
    """Where rows start and end in `values`, in elements: int64 `[n + 1]`, never decreasing."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[Any]:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Elements per row, int64 `[n]`."""
        return np.diff(self.offsets)

    @classmethod
    def from_lengths(cls, values: NDArray[Any], lengths: NDArray[Any]) -> Ragged:
        """Cut `values` into rows of the given lengths."""
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(values, offsets)

    @classmethod
    def from_bytes(cls, rows: Sequence[bytes | memoryview]) -> Ragged:
        """Join byte strings into one uint8 column."""
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        return cls.from_lengths(np.frombuffer(b"".join(rows), np.uint8), lengths)

    @classmethod
    def from_texts(cls, rows: Sequence[str]) -> Ragged:
        """Join strings into one uint8 column of UTF-8."""
        return cls.from_bytes([row.encode() for row in rows])

    @classmethod
    def concat(cls, parts: Sequence[Ragged]) -> Ragged:
        """Lay the rows of all parts one after another."""
        return cls.from_lengths(
            np.concatenate([part.values[part.offsets[0] : part.offsets[-1]] for part in parts]),
            np.concatenate([part.lengths for part in parts]),
        )

    def view(self, start: int, stop: int) -> Ragged:
        """Rows `start` to `stop` as views."""
        return Ragged(self.values, self.offsets[start : stop + 1])

    def take(self, rows: NDArray[Any]) -> Ragged:
        """The rows at the given positions, copied, in that order."""
        from sslpipe.kernels.gather import gather_bytes

        values = np.ascontiguousarray(self.values)
        taken = Ragged.from_lengths(np.empty(0, values.dtype), self.lengths[rows])
        out = np.empty(int(taken.offsets[-1]), values.dtype)
        addresses = (self.offsets[:-1][rows] * values.itemsize + values.ctypes.data).astype(np.uint64)
        gather_bytes(addresses, taken.offsets * values.itemsize, out.view(np.uint8))
        return Ragged(out, taken.offsets)

    def to_bytes(self) -> list[bytes]:
        """Each row as a byte string."""
        whole = memoryview(np.ascontiguousarray(self.values).view(np.uint8).data)
        size = self.values.dtype.itemsize
        ends = (self.offsets * size).tolist()
        return [bytes(whole[a:b]) for a, b in itertools.pairwise(ends)]

    def to_texts(self) -> list[str]:
        """Each row of UTF-8 as a string."""
        return [row.decode() for row in self.to_bytes()]
