"""Reads one shard in place."""

from __future__ import annotations

import mmap
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.documents import Documents
from sslpipe.core.errors import DataError
from sslpipe.core.fields import ENCODED, Field, Fields
from sslpipe.core.names import Names
from sslpipe.shards.manifest import ShardEntry
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import Table


class Shard:
    """One shard, mapped into memory after its size was checked, found through its index.

    Opening costs one mapping; columns of the index are copied when they are first asked for, and kept. The memory of `data`
    stays valid as long as the shard object lives. A file that is cut short later would end the process, which is why the size
    is checked first and why shards are never written in place.
    """

    def __init__(self, storage: LocalStorage, entry: ShardEntry, fields: Fields) -> None:
        self.entry = entry
        self._fields = fields
        for file in (entry, entry.index):
            found = storage.size(file.path)
            if found != file.bytes:
                what = "is missing" if found is None else f"has {found} bytes"
                raise DataError(f"{storage.path(file.path)} {what}, the manifest says {file.bytes}; run `sslpipe verify`")
        with storage.path(entry.path).open("rb") as tar:
            self._map = mmap.mmap(tar.fileno(), 0, access=mmap.ACCESS_READ)
        self.data: NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        self._index = storage.path(entry.index.path)
        self._columns: dict[str, NDArray[Any]] = {}
        self._checked: set[str] = set()
        rows = len(Table(self._index))
        if rows != entry.samples:
            raise DataError(f"{entry.index.path} lists {rows} rows, the manifest says {entry.samples}")

    def __len__(self) -> int:
        return self.entry.samples

    def column(self, name: str) -> NDArray[Any]:
        """A column of the index: `_source`, `_checksum`, `<field>.start`, `<field>.bytes`, `<field>.length`, or a measure."""
        if name not in self._columns:
            # Copied out, so that an open shard holds one file and not two.
            self._columns[name] = Table(self._index).columns(0, len(self), [name])[name].copy()
        return self._columns[name]

    @cached_property
    def names(self) -> Names:
        """The names of all rows."""
        return Names(*map(self.column, ("_key_high", "_key_low", "_occurrence", "_offset")))

    def documents(self, field: str, rows: NDArray[np.intp] | None = None) -> Documents:
        """One field of all rows, or of these, where it lies."""
        starts, lengths = self._places(field)
        names = self.names
        if rows is not None:
            starts, lengths, names = starts[rows], lengths[rows], names.take(rows)
        return Documents(names, self.data, starts, lengths, np.dtype(self._fields[field].dtype))

    def _places(self, field: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the rows of a field start and how many elements lie there, checked once: kernels believe it.

        What is encoded lies there as bytes, however many pixels or samples it holds (the column `<field>.length`).
        """
        starts, sizes = (self.column(f"{field}.{what}").view(np.int64) for what in ("start", "bytes"))
        encoded, width = self._fields[field].kind in ENCODED, np.dtype(self._fields[field].dtype).itemsize
        lengths = sizes if encoded else self.column(f"{field}.length").view(np.int64)
        if field not in self._checked:
            outside = (starts < 0) | (sizes < 0) | (sizes > len(self.data) - starts)
            if outside.any() or (lengths * width != sizes).any() or (sizes // width != lengths).any():
                raise DataError(f"{self.entry.index.path}: `{field}` points outside of {self.entry.path}")
            self._checked.add(field)
        return starts, lengths

    def row(self, field: str, row: int) -> NDArray[Any]:
        """One row of a field, as a copy, in its dtype and shape; text and meta as uint8."""
        kind: Field = self._fields[field]
        starts, lengths = self._places(field)
        dtype = np.dtype(kind.dtype)
        start, size = int(starts[row]), int(lengths[row]) * dtype.itemsize
        values = self.data[start : start + size].copy().view(dtype)
        return values if kind.ragged else values.reshape([axis or 0 for axis in kind.shape])
