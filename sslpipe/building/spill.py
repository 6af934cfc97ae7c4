"""Rows on their way between segments: sorted runs on disk, with the small records that global steps shuffle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.hashes import purpose_hash
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Dedup
from sslpipe.shards.commits import Output
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import Table, write_columns, write_rows

Splits = Mapping[Literal["val", "test"], float]

RECORD_COLUMNS = (
    "digest_high", "digest_low", "priority", "high", "low", "source", "meta", "id", "split", "order", "size", "occurrence",
)  # fmt: skip
RECORD_KEY = RECORD_COLUMNS[:8]
"""What records are sorted by: equal digests together, strongest first, equal payloads in the order of their occurrence."""


def split_numbers(high: NDArray[np.uint64], low: NDArray[np.uint64], splits: Splits) -> NDArray[np.uint8]:
    """0 train, 1 val, 2 test: `val` takes the lowest split hashes, `test` the highest, so that either can grow alone."""
    hashes = purpose_hash("split", high, low, 0)
    numbers = np.zeros(len(hashes), np.uint8)
    if splits.get("val"):
        numbers[hashes < np.uint64(_share(splits["val"]))] = 1
    if splits.get("test"):
        numbers[hashes >= np.uint64(2**64 - _share(splits["test"]))] = 2
    return numbers


def _share(fraction: float) -> int:
    return int(Fraction(str(fraction)) * 2**64)


class SpillWriter:
    """Gathers the rows of one task and writes sorted runs when the memory it may use is full."""

    def __init__(self, storage: LocalStorage, stem: str, seed: int, dedup: Any | None, keyed: bool, limit: int) -> None:
        self._storage, self._stem, self._seed = storage, stem, seed
        self._dedup: Dedup | None = dedup
        self._keyed = keyed
        self._limit = limit
        self._pending: list[Rows] = []
        self._held = 0
        self.outputs: list[Output] = []
        self.rows_by_split = [0, 0, 0]
        self.bytes_by_split = [0, 0, 0]

    def add(self, rows: Rows) -> None:
        """Take in rows; they carry `_id _source _meta _split _order`."""
        if not len(rows):
            return
        self._pending.append(rows)
        self._held += int(rows.nbytes().sum()) + 96 * len(rows)
        if self._held >= self._limit:
            self.flush()

    def flush(self) -> None:
        """Write what is held as one run."""
        if not self._pending:
            return
        rows = Rows.concat(self._pending)
        self._pending, self._held = [], 0
        names = rows.names
        order = np.lexsort((rows.array("_id"), names.low, names.high, rows.array("_order"), rows.array("_split")))
        rows = rows.take(order)
        sizes = rows.nbytes()
        splits = rows.array("_split")
        for split in range(3):
            self.rows_by_split[split] += int((splits == split).sum())
            self.bytes_by_split[split] += int(sizes[splits == split].sum())
        spill = self._storage.put_unique(f".sslpipe/spill/{self._stem}", ".arrow")
        write_rows(spill, rows)
        spill.publish()
        self.outputs.append(Output.of("spill", spill))
        if self._dedup is not None or self._keyed:
            self._write_records(rows, sizes)

    def _write_records(self, rows: Rows, sizes: NDArray[np.int64]) -> None:
        names = rows.names
        high, low = self._dedup.sign(rows) if self._dedup is not None else (names.high, names.low)
        priority = purpose_hash("priority", names.high, names.low, self._seed)
        values: tuple[NDArray[Any], ...] = (high, low, priority, names.high, names.low)
        values += tuple(rows.array(name) for name in ("_source", "_meta", "_id", "_split", "_order"))
        columns = dict(zip(RECORD_COLUMNS, (*values, sizes, names.occurrence), strict=True))
        order = np.lexsort([columns[name] for name in reversed(RECORD_KEY)])
        file = self._storage.put_unique(f".sslpipe/records/{self._stem}", ".arrow")
        write_columns(file, {name: column[order] for name, column in columns.items()})
        file.publish()
        self.outputs.append(Output.of("records", file))


def live_rows(
    storage: LocalStorage, spills: Sequence[Output], decisions: Sequence[Output], split: int, low: int, high: int | None,
    batch_bytes: int,
) -> Iterator[Rows]:  # fmt: skip
    """The rows of one range of the order hash that survived the decisions, sorted by order, key and occurrence.

    The range is walked in equal parts small enough that each holds about `batch_bytes`.
    """
    tables = [Table(storage.path(spill.name)) for spill in spills]
    verdicts = [Table(storage.path(decision.name)) for decision in decisions]
    top = 2**64 if high is None else high
    total = sum(int(rows.nbytes().sum()) for table in tables for _, rows in table.range(split, low, high))
    pieces = max(1, -(-total // batch_bytes))
    for piece in range(pieces):
        a, b = low + (top - low) * piece // pieces, low + (top - low) * (piece + 1) // pieces
        found = [rows for table in tables for _, rows in table.range(split, a, b if b < 2**64 else None)]
        if found:
            rows = _decided(Rows.concat(found), verdicts, split, a, b if b < 2**64 else None)
            names = rows.names
            yield rows.take(np.lexsort((rows.array("_id"), names.occurrence, names.low, names.high, rows.array("_order"))))


def _decided(rows: Rows, verdicts: Sequence[Table], split: int, low: int, high: int | None) -> Rows:
    """Take out the losers, and give rows that occur again their number."""
    changed = [table.slice(split, low, high) for table in verdicts]
    changed = [columns for columns in changed if columns and len(columns["id"])]
    if not changed:
        return rows
    ids = np.concatenate([columns["id"] for columns in changed])
    lost = np.concatenate([columns["duplicate"] for columns in changed])
    occurrences = np.concatenate([columns["occurrence"] for columns in changed])
    order = np.argsort(ids)
    ids, lost, occurrences = ids[order], lost[order], occurrences[order]
    mine = rows.array("_id")
    at = np.minimum(np.searchsorted(ids, mine), len(ids) - 1)
    hit = ids[at] == mine
    names = rows.names
    occurrence = np.where(hit, occurrences[at], names.occurrence).astype(np.uint32)
    renamed = Rows(type(names)(names.high, names.low, occurrence, names.offset), rows.columns)
    return renamed.take(~(hit & (lost[at] != 0)))
