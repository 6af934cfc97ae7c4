"""The ledger: what became of every record, with the numbers that decided it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from sslpipe.core.errors import DataError
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Bad
from sslpipe.shards.commits import Output
from sslpipe.shards.storage import LocalStorage

MEASURED = "_m."
RAW_LIMIT = 64 << 10
"""Bytes of a bad record that are kept for a look."""

LIMIT = 8 << 20
"""Bytes of entries that are held before they are written."""
BAD_BYTES = 1024
"""What an entry about a bad record weighs beside its raw bytes."""

PIECES = 255
"""The low bits of a record's number, which count the pieces that a cut made of it."""

FACTS = ("id", "key", "source", "file", "place", "outcome", "reason", "detail")
"""What every entry has; all other columns of a ledger are measures."""

_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_SCHEMA = pa.schema(
    [
        ("id", pa.uint64()),
        ("key", pa.binary(16)),
        ("source", pa.dictionary(pa.int32(), pa.string())),
        ("file", pa.dictionary(pa.int32(), pa.string())),
        ("place", pa.string()),
        ("outcome", pa.dictionary(pa.int32(), pa.string())),
        ("reason", pa.dictionary(pa.int32(), pa.string())),
        ("detail", pa.string()),
    ]
)
_QUARANTINE = pa.schema(
    [
        ("source", pa.string()),
        ("file", pa.string()),
        ("place", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("xxh3_128", pa.string()),
        ("raw", pa.binary()),
    ]
)


class Ledger:
    """Gathers the entries of one task and writes them as parquet files, one whenever `LIMIT` bytes have come together.

    `id` names a record within the build: number of the task that read it, and its number there. Entries of later segments have
    no file or place; the entry of the read, under the same id, has them. Measures are columns named after them.
    """

    def __init__(self, storage: LocalStorage, stem: str) -> None:
        self._storage, self._stem = storage, stem
        self._tables: list[pa.Table] = []
        self._bad: list[tuple[int, str, Bad]] = []
        self._held = 0
        self._outputs: list[Output] = []

    def enter(
        self,
        rows: Rows,
        sources: Sequence[str],
        outcome: str,
        reasons: Sequence[str] | None = None,
        files: Sequence[str] | None = None,
        places: Sequence[str] | None = None,
    ) -> None:
        """Enter rows with one outcome; `sources`, `reasons`, `files` and `places` have one entry a row."""
        count = len(rows)
        if not count:
            return
        columns: dict[str, pa.Array] = {
            "id": pa.array(rows.array("_id")),
            "key": pa.array(_keys(rows), pa.binary(16)),
            "source": pa.array(sources, pa.string()),
            "file": pa.array(list(map(_printable, files)) if files is not None else [None] * count, pa.string()),
            "place": pa.array(list(map(_printable, places)) if places is not None else [None] * count, pa.string()),
            "outcome": pa.array([outcome] * count, pa.string()),
            "reason": pa.array(reasons if reasons is not None else [None] * count, pa.string()),
            "detail": pa.array([None] * count, pa.string()),
        }
        columns = {name: column.cast(_SCHEMA.field(name).type) for name, column in columns.items()}
        for name, column in rows.columns.items():
            if name.startswith(MEASURED):
                columns[name.removeprefix(MEASURED)] = pa.array(column)
        self._tables.append(pa.table(columns))
        self._hold(self._tables[-1].nbytes)

    def quarantine(self, source: str, bad: Bad, number: int) -> None:
        """Enter one record that could not be read."""
        self._bad.append((number, source, bad))
        self._hold(BAD_BYTES + len(bad.raw))

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held >= LIMIT:
            self._flush()

    def _flush(self) -> None:
        """Write what is held: a file for the ledger, one for the quarantine, none where there is nothing."""
        if self._bad:
            entries = [_entry(number, source, bad) for number, source, bad in self._bad]
            self._tables.append(pa.Table.from_pylist(entries, schema=_SCHEMA))
        if self._tables:
            table = pa.concat_tables(self._tables, promote_options="default")
            self._outputs.append(_publish(self._storage, "ledger", f".sslpipe/ledger/{self._stem}", table))
        if self._bad:
            table = pa.Table.from_pylist([_kept(source, bad) for _, source, bad in self._bad], schema=_QUARANTINE)
            self._outputs.append(_publish(self._storage, "quarantine", f".sslpipe/quarantine/{self._stem}", table))
        self._tables, self._bad, self._held = [], [], 0

    def finish(self) -> list[Output]:
        """Write the rest; all files of the task in the order of their entries."""
        self._flush()
        return self._outputs


def _entry(number: int, source: str, bad: Bad) -> dict[str, Any]:
    """What the ledger says of a record that could not be read."""
    return {
        "id": number,
        "key": None,
        "source": source,
        "file": _printable(bad.file),
        "place": _printable(bad.place),
        "outcome": "quarantined",
        "reason": bad.reason,
        "detail": _printable(bad.detail),
    }


def _kept(source: str, bad: Bad) -> dict[str, Any]:
    """What is kept of it for a look."""
    return {
        "source": source,
        "file": _printable(bad.file),
        "place": _printable(bad.place),
        "reason": bad.reason,
        "detail": _printable(bad.detail[:300]),
        "xxh3_128": xxhash.xxh3_128_hexdigest(bad.raw),
        "raw": bad.raw[:RAW_LIMIT],
    }


def read_ledger(path: Path, number: int | None = None) -> pa.Table:
    """The entries of one ledger file, all or those of one record and of the pieces that a cut made of it."""
    if number is None:
        return pq.read_table(path)
    return pq.read_table(
        path, filters=[("id", ">=", number), ("id", "<=", number | PIECES if number & PIECES == 0 else number)]
    )


def ledger_batches(path: Path, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The entries of one ledger or quarantine file, so many rows at a time, with all columns or these; raises DataError."""
    try:
        with pq.ParquetFile(path) as file:
            found = {field.name: field.type for field in file.schema_arrow}
            if all(any(found.get(field.name) != field.type for field in schema) for schema in (_SCHEMA, _QUARANTINE)):
                raise DataError(f"{path} has other columns than a ledger; build again with --update")
            yield from file.iter_batches(batch_size=rows, columns=columns)
    except pa.ArrowException as error:
        raise DataError(
            f"{path} can't be read: {str(error).splitlines()[0]}; restore it, or build again with --update"
        ) from None


def _publish(storage: LocalStorage, role: str, stem: str, table: pa.Table) -> Output:
    file = storage.put_unique(stem, ".parquet")
    pq.write_table(table, str(file.temporary), compression="zstd")
    file.adopt()
    file.publish()
    return Output.of(role, file)


def _keys(rows: Rows) -> list[bytes]:
    pairs = zip(rows.names.high.tolist(), rows.names.low.tolist(), strict=True)
    return [high.to_bytes(8, "big") + low.to_bytes(8, "big") for high, low in pairs]


def _printable(text: str) -> str:
    """A text that Arrow can hold: bytes of a file name that aren't UTF-8, and halves of surrogate pairs, are escaped."""
    halves = _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    return halves.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
