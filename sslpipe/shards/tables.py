"""Small tables on disk: Arrow files, written sorted, read in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sslpipe.core.arrow import dtype_of, from_arrow, numbers, to_arrow
from sslpipe.core.rows import Rows
from sslpipe.shards.storage import UniqueFile

BATCH_BYTES = 4 << 20


class TableWriter:
    """Writes record batches of one schema into an Arrow file under a temporary name."""

    def __init__(self, file: UniqueFile) -> None:
        self._file = file
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Append one batch."""
        if self._writer is None:
            self._writer = pa.ipc.new_file(pa.PythonFile(_Sink(self._file), "w"), batch.schema)
        self._writer.write_batch(batch)

    def write_columns(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Append one batch of numeric columns."""
        self.write(pa.RecordBatch.from_pydict({name: pa.array(column) for name, column in columns.items()}))

    def close(self) -> None:
        """Write the footer; a table of no batches has no schema either and stays an empty file."""
        if self._writer is not None:
            self._writer.close()


class _Sink:
    """Lets Arrow write through the hashing file."""

    closed = False

    def __init__(self, file: UniqueFile) -> None:
        self._file = file

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self._file.write(view)
        return view.nbytes

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


class Table:
    """An Arrow file mapped into memory; batches are views, and only what is touched is read."""

    def __init__(self, path: Path) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(path))) if path.stat().st_size else None

    @cached_property
    def batches(self) -> list[pa.RecordBatch]:
        """All record batches, in order."""
        return [self._reader.get_batch(i) for i in range(self._reader.num_record_batches)] if self._reader else []

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The number of the first row of every batch, and of rows in all, int64 `[batches + 1]`."""
        return np.concatenate([[0], np.cumsum([batch.num_rows for batch in self.batches])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def columns(self, start: int, stop: int, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Numeric columns of rows `start` to `stop`."""
        pieces = [
            [numbers(batch.column(name)[max(start - first, 0) : stop - first]) for name in names]
            for batch, first in zip(self.batches, self.starts[:-1].tolist(), strict=True)
            if first < stop and start < first + batch.num_rows
        ]
        if not pieces:
            return self._nothing(names)
        return {name: np.concatenate([piece[i] for piece in pieces]) for i, name in enumerate(names)}

    def range(self, split: int, low: int, high: int | None) -> list[tuple[int, Rows]]:
        """Rows of a table sorted by `_split`, `_order` whose split is this and whose order lies in `[low, high)`.

        Views, batch by batch, each with the number of its first row.
        """
        found = []
        for batch, first in zip(self.batches, self.starts[:-1].tolist(), strict=True):
            splits, order = numbers(batch.column("_split")), numbers(batch.column("_order"))
            a, b = np.searchsorted(splits, [split, split + 1])
            start = a + int(np.searchsorted(order[a:b], np.uint64(low)))
            stop = b if high is None else a + int(np.searchsorted(order[a:b], np.uint64(high)))
            if start < stop:
                found.append((first + start, from_arrow(batch.slice(start, stop - start))))
        return found

    def slice(self, split: int, low: int, high: int | None) -> dict[str, NDArray[Any]]:
        """Numeric columns of a table sorted by `split`, `order`, for this split and orders in `[low, high)`."""
        pieces = list(self.slices(split, low, high, self.names))
        if not pieces:
            return self._nothing(self.names)
        return {name: np.concatenate(columns) for name, columns in zip(self.names, zip(*pieces, strict=True), strict=True)}

    def slices(self, split: int, low: int, high: int | None, names: Sequence[str]) -> Iterator[list[NDArray[Any]]]:
        """The same for some columns, in views of one batch after another."""
        for batch in self.batches:
            splits, order = numbers(batch.column("split")), numbers(batch.column("order"))
            a, b = np.searchsorted(splits, [split, split + 1])
            start = a + int(np.searchsorted(order[a:b], np.uint64(low)))
            stop = b if high is None else a + int(np.searchsorted(order[a:b], np.uint64(high)))
            if start < stop:
                yield [numbers(batch.column(name)[start:stop]) for name in names]

    def _nothing(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """No rows, in the columns' own dtypes: float64 would make what is joined to them float64."""
        if self._reader is None:
            return {}
        return {name: np.empty(0, dtype_of(self._reader.schema.field(name).type)) for name in names}

    @property
    def names(self) -> list[str]:
        """The columns; none in a table without batches."""
        return list(self._reader.schema.names) if self._reader else []


def write_rows(file: UniqueFile, rows: Rows) -> None:
    """Write rows as one table in batches of about four megabytes."""
    writer = TableWriter(file)
    sizes = np.cumsum(rows.nbytes() + 64)
    start = 0
    while start < len(rows):
        limit = (sizes[start - 1] if start else 0) + BATCH_BYTES
        stop = max(start + 1, int(np.searchsorted(sizes, limit, side="right")))
        writer.write(to_arrow(rows.view(start, stop)))
        start = stop
    writer.close()


def write_columns(file: UniqueFile, columns: Mapping[str, NDArray[Any]], batch_rows: int = 1 << 16) -> None:
    """Write numeric columns as one table."""
    writer = TableWriter(file)
    count = len(next(iter(columns.values())))
    for start in range(0, count, batch_rows):
        writer.write_columns({name: column[start : start + batch_rows] for name, column in columns.items()})
    writer.close()
