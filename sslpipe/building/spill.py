"""Rows on their way between segments: sorted runs on disk, with the small records that global steps shuffle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.hashes import purpose_hash
from sslpipe.core.names import Names
from sslpipe.core.rows import Rows
from sslpipe.recipe.splits import Splits
from sslpipe.shards.commits import Output
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import Table, write_columns, write_rows

DIGEST = ("_digest_high", "_digest_low")
"""The columns in which rows carry what a dedup compares, on their way into a spill."""
ROW_BYTES = 96
"""What a row's name and bookkeeping weigh in memory."""
SORT_COPIES = 3
"""Rows exist so many times while a run is sorted: as they came, joined, and sorted."""

_TOP = 2**64

RECORD_COLUMNS = (
    "digest_high", "digest_low", "priority", "high", "low", "source", "meta", "id", "split", "order", "size", "occurrence",
)  # fmt: skip
RECORD_KEY = RECORD_COLUMNS[:8]
"""What records are sorted by: equal digests together, strongest first, equal payloads in the order of their occurrence."""


def split_numbers(high: NDArray[np.uint64], low: NDArray[np.uint64], splits: Splits) -> NDArray[np.uint8]:
    """0 train, 1 val, 2 test: `val` takes the lowest split hashes, `test` the highest, so that either can grow alone.

    `high` and `low` are the key of each row, or that of its group.
    """
    hashes = purpose_hash("split", high, low, 0)
    numbers = np.zeros(len(hashes), np.uint8)
    if splits.val:
        numbers[hashes < np.uint64(_share(splits.val))] = 1
    if splits.test:
        numbers[hashes >= np.uint64(2**64 - _share(splits.test))] = 2
    return numbers


def _share(fraction: float) -> int:
    return int(Fraction(str(fraction)) * 2**64)


class SpillWriter:
    """Gathers the rows of one task and writes sorted runs when the memory it may use is full."""

    def __init__(self, storage: LocalStorage, stem: str, seed: int, keyed: bool, limit: int) -> None:
        self._storage, self._stem, self._seed, self._keyed = storage, stem, seed, keyed
        self._limit = limit // SORT_COPIES
        self._pending: list[Rows] = []
        self._held = 0
        self.outputs: list[Output] = []
        self.rows_by_split = [0, 0, 0]
        self.bytes_by_split = [0, 0, 0]

    def add(self, rows: Rows) -> None:
        """Take in rows; they carry `_id _source _meta _split _order`, and the digests of `DIGEST` where a dedup follows."""
        if not len(rows):
            return
        self._pending.append(rows)
        self._held += int(rows.nbytes().sum()) + ROW_BYTES * len(rows)
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
        write_rows(spill, rows.without(*DIGEST))
        spill.publish()
        self.outputs.append(Output.of("spill", spill))
        if self._keyed:
            self._write_records(rows, sizes)

    def _write_records(self, rows: Rows, sizes: NDArray[np.int64]) -> None:
        names = rows.names
        high, low = (rows.array(name) for name in DIGEST) if DIGEST[0] in rows.columns else (names.high, names.low)
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

    The range is walked in parts that weigh about `batch_bytes`, twice that at most, however unevenly rows lie in it. Copies of
    one payload share their order hash, and may be more than a part holds by themselves; they are walked by occurrence.
    """
    tables = [Table(storage.path(spill.name)) for spill in spills]
    verdicts = [Table(storage.path(decision.name)) for decision in decisions]
    for a, b in _pieces(tables, split, low, _TOP if high is None else high, batch_bytes):
        if b - a == 1 and _weight(tables, split, a, b) > 2 * batch_bytes:
            yield from _copies(tables, verdicts, split, a, batch_bytes)
            continue
        fates = _fates(verdicts, split, a, b)
        found = []
        for rows in _views(tables, split, a, b):
            alive, occurrence = _fate(fates, rows)
            found.append(_renamed(rows, np.flatnonzero(alive), occurrence))
        if found:
            yield _in_order(found)


def _pieces(
    tables: Sequence[Table], split: int, low: int, high: int, batch_bytes: int, parts: int | None = None
) -> Iterator[tuple[int, int]]:
    """Parts of a range that hold rows. First equal ones, as hashes should need; what is still too heavy is halved."""
    weight = _weight(tables, split, low, high)
    if not weight:
        return
    if weight <= 2 * batch_bytes or high - low == 1:
        yield low, high
        return
    parts = min(parts or -(-weight // batch_bytes), high - low)
    edges = [low + (high - low) * part // parts for part in range(parts + 1)]
    for a, b in itertools.pairwise(edges):
        yield from _pieces(tables, split, a, b, batch_bytes, 2)


def _copies(tables: Sequence[Table], verdicts: Sequence[Table], split: int, order: int, batch_bytes: int) -> Iterator[Rows]:
    """Rows of one order hash, more than fit: one window of occurrences after another, each of them a walk over all copies."""

    def judged() -> Iterator[tuple[Rows, NDArray[np.bool_], NDArray[np.uint32]]]:
        for rows in _views(tables, split, order, order + 1):
            ids = rows.array("_id")
            yield rows, *_fate(_fates(verdicts, split, order, order + 1, (ids.min(), ids.max())), rows)

    top = weight = 0
    for rows, alive, occurrence in judged():
        top = max(top, int(occurrence[alive].max(initial=0)))
        weight += int(_weights(rows)[alive].sum())
    windows = -(-weight // batch_bytes)
    for window in range(windows):
        first, last = (top + 1) * window // windows, (top + 1) * (window + 1) // windows
        found = []
        for rows, alive, occurrence in judged():
            chosen = np.flatnonzero(alive & (occurrence >= first) & (occurrence < last))
            found.append(_renamed(rows, chosen, occurrence))
        yield _in_order(found)


def _views(tables: Sequence[Table], split: int, low: int, high: int) -> Iterator[Rows]:
    for table in tables:
        for _, rows in table.range(split, low, high if high < _TOP else None):
            yield rows


def _weights(rows: Rows) -> NDArray[np.int64]:
    return rows.nbytes() + ROW_BYTES


def _weight(tables: Sequence[Table], split: int, low: int, high: int) -> int:
    return sum(int(_weights(rows).sum()) for rows in _views(tables, split, low, high))


def _in_order(found: Sequence[Rows]) -> Rows:
    rows = Rows.concat(found)
    names = rows.names
    return rows.take(np.lexsort((rows.array("_id"), names.occurrence, names.low, names.high, rows.array("_order"))))


def _renamed(rows: Rows, chosen: NDArray[np.intp], occurrence: NDArray[np.uint32]) -> Rows:
    """These rows, copied, with their number among equal ones."""
    taken = rows.take(chosen)
    names = taken.names
    return Rows(Names(names.high, names.low, occurrence[chosen], names.offset), taken.columns)


_Fates = tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.uint32]]


def _fates(verdicts: Sequence[Table], split: int, low: int, high: int, ids: tuple[Any, Any] | None = None) -> _Fates:
    """What was decided about the rows of a range: ids, sorted, whether each lost, and its occurrence.

    Decisions of one order hash are sorted by id; `ids` leaves out those below the one and above the other.
    """
    pieces = []
    for table in verdicts:
        for columns in table.slices(split, low, high if high < _TOP else None, ("id", "duplicate", "occurrence")):
            start, stop = (0, len(columns[0])) if ids is None else (
                int(np.searchsorted(columns[0], ids[0])), int(np.searchsorted(columns[0], ids[1], side="right"))
            )  # fmt: skip
            pieces.append([column[start:stop] for column in columns])
    if not pieces:
        return np.empty(0, np.uint64), np.empty(0, np.uint8), np.empty(0, np.uint32)
    found, lost, occurrence = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    order = np.argsort(found)
    return found[order], lost[order], occurrence[order]


def _fate(fates: _Fates, rows: Rows) -> tuple[NDArray[np.bool_], NDArray[np.uint32]]:
    """Which of the rows are alive, and each one's number among equal ones; what nothing was decided about stays as it is."""
    ids, lost, occurrences = fates
    if not len(ids):
        return np.ones(len(rows), np.bool_), rows.names.occurrence
    mine = rows.array("_id")
    at = np.minimum(np.searchsorted(ids, mine), len(ids) - 1)
    hit = ids[at] == mine
    return ~(hit & (lost[at] != 0)), np.where(hit, occurrences[at], rows.names.occurrence).astype(np.uint32)
