"""Writes one shard and its index."""

from __future__ import annotations

from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from sslpipe.codecs.encoded import element_counts
from sslpipe.codecs.npy import npy_header
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import ENCODED, Field, Fields
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.shards.layout import extension, is_npy, stored
from sslpipe.shards.storage import LocalStorage, UniqueFile
from sslpipe.shards.tables import TableWriter
from sslpipe.shards.tar import END, write_member

INDEX_ROWS = 1 << 16
"""Rows of the index that are held before they are written."""


class ShardWriter:
    """Appends rows to one tar, one member a field, and remembers where each lies.

    The index holds a row's name, source, kept measures, the place, size and length of each field, and the 64-bit xxh3 of its
    members' data one after another. Sources are numbers in the order of the recipe's names.
    """

    def __init__(self, storage: LocalStorage, fields: Fields, measures: tuple[str, ...] = ()) -> None:
        self._fields: dict[str, Field] = {name: fields[name] for name in stored(fields)}
        self._measures = measures
        self._storage = storage
        self._tar: UniqueFile = storage.put_unique("shards/pending", ".tar")
        self._index: UniqueFile = storage.put_unique(".sslpipe/index/pending", ".arrow")
        self._table = TableWriter(self._index)
        self._columns: dict[str, list[NDArray[Any]]] = {}
        self._held = 0
        self._elements = {name: 0 for name, field in self._fields.items() if field.ragged}
        self.samples = 0

    def append(self, rows: Rows) -> None:
        """Write rows in the order given."""
        if not len(rows):
            return
        texts = rows.names.texts()
        for name, field in self._fields.items():
            _check_dtype(name, rows[name], field)
        readers = {name: _row_bytes(rows[name], field) for name, field in self._fields.items()}
        endings = {name: extension(name, field) for name, field in self._fields.items()}
        starts = {name: np.empty(len(rows), np.uint64) for name in self._fields}
        sizes = {name: np.empty(len(rows), np.uint64) for name in self._fields}
        headers = np.empty(len(rows), np.uint64)
        checksums = np.empty(len(rows), np.uint64)
        for row, text in enumerate(texts):
            headers[row] = self._tar.bytes
            check = xxhash.xxh3_64()
            for name, pieces_of in readers.items():
                head, data = pieces_of(row)
                start = write_member(self._tar, f"{text}.{endings[name]}", head, data)
                starts[name][row], sizes[name][row] = start + len(head), len(data)
                check.update(data)
            checksums[row] = check.intdigest()
        self._remember("_key_high", rows.names.high)
        self._remember("_key_low", rows.names.low)
        self._remember("_occurrence", rows.names.occurrence)
        self._remember("_offset", rows.names.offset)
        self._remember("_source", rows.array("_source"))
        self._remember("_header", headers)
        self._remember("_checksum", checksums)
        for name, field in self._fields.items():
            self._remember(f"{name}.start", starts[name])
            self._remember(f"{name}.bytes", sizes[name])
            lengths = _lengths(rows[name], field, sizes[name])
            self._remember(f"{name}.length", lengths)
            if name in self._elements:
                self._elements[name] += int(lengths.sum())
        for measure in self._measures:
            self._remember(measure, rows.array(f"_m.{measure}"))
        self.samples += len(rows)
        self._held += len(rows)
        self._write_index(INDEX_ROWS)

    def _remember(self, column: str, values: NDArray[Any]) -> None:
        self._columns.setdefault(column, []).append(values)

    def _write_index(self, least: int) -> None:
        """Write what the index holds in batches of `INDEX_ROWS`, wherever the rows came from in what batches."""
        while self._held >= max(least, 1):
            count = min(self._held, INDEX_ROWS)
            columns = {column: np.concatenate(pieces) for column, pieces in self._columns.items()}
            self._table.write_columns({column: values[:count] for column, values in columns.items()})
            self._columns = {column: [values[count:]] for column, values in columns.items()}
            self._held -= count

    def finish(self, name: str) -> tuple[UniqueFile, UniqueFile, dict[str, int]]:
        """Publish tar and index; returns both files, and elements by ragged field.

        The tar's name is fixed, so a killed attempt may have left one there: ours replaces it unless the bytes are the same,
        which law 1 says they are unless an older recipe made them; no commit names it in either case.
        """
        self._tar.write(END)
        self._write_index(1)
        self._table.close()
        self._index.name = self._index.name.replace("pending", name.removeprefix("shards/").removesuffix(".tar"))
        self._tar.overwrite(name)
        self._index.publish()
        return self._tar, self._index, self._elements

    def discard(self) -> None:
        """Drop a shard that got no rows."""
        self._tar.discard()
        self._index.discard()


def _lengths(column: Column, field: Field, sizes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The elements of each row: of pictures and sound what they have once decoded, else what their bytes hold."""
    if isinstance(column, Ragged) and field.kind in ENCODED:
        return element_counts(column, field.kind).astype(np.uint64)
    return sizes // np.uint64(np.dtype(field.dtype).itemsize)


def _check_dtype(name: str, column: Column, field: Field) -> None:
    """The index counts elements of the field's dtype, so others would be read as something else, silently."""
    found = column.values.dtype if isinstance(column, Ragged) else column.dtype
    if found != np.dtype(field.dtype):
        raise SslpipeError(f"field `{name}` holds {found}, its type says {field.dtype}")


def _row_bytes(column: Column, field: Field) -> Any:
    """A function from a row's number to the header and the data of its member."""
    if isinstance(column, Ragged):
        values, offsets = np.ascontiguousarray(column.values), column.offsets.tolist()
        data, size = values.view(np.uint8).data, values.itemsize
        dtype = values.dtype.str

        def ragged(row: int) -> tuple[bytes, memoryview]:
            a, b = offsets[row], offsets[row + 1]
            return npy_header(dtype, (b - a,)) if is_npy(field) else b"", data[a * size : b * size]

        return ragged
    array = np.ascontiguousarray(column)
    header = npy_header(array.dtype.str, array.shape[1:]) if is_npy(field) else b""
    return lambda row: (header, array[row : row + 1].view(np.uint8).reshape(-1).data)
