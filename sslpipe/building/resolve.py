"""The global step of exact duplicates and occurrences: a shuffle of small records, decided in one sorted stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.building.job import Task
from sslpipe.building.spill import RECORD_COLUMNS, RECORD_KEY
from sslpipe.building.workspace import Workspace
from sslpipe.shards.commits import Commit, Output
from sslpipe.shards.tables import Table, write_columns

Records = dict[str, NDArray[Any]]
RECORD_BYTES = 8 * len(RECORD_COLUMNS)


def resolve(work: Workspace, task: Task) -> Commit:
    """Decide one range of digests: who survives, and which of several equal payloads is the first, second, third.

    The strongest record of a digest survives: the least `h(priority, key)`, then key, then source, kept metadata and place of
    reading. Records stream in sorted chunks, with the last decision carried across, so a digest of a million rows costs no
    more memory than a million digests.
    """
    first, last = task.arguments["range"]
    tables = [Table(work.storage.path(output.name)) for output in task.inputs["records"]]
    chunk = max(1024, work.recipe.limits.memory_bytes // (8 * RECORD_BYTES))
    decide = _Decider(dedup=bool(task.arguments["dedup"]), rename=bool(task.arguments["rename"]))
    outputs: list[Output] = []
    sources = sorted(work.recipe.sources)
    lost_rows, lost_bytes = [0, 0, 0], [0, 0, 0]
    duplicates = np.zeros(len(sources), np.int64)
    for decided in gathered((decide.run(records) for records in merged(tables, first, last, chunk)), chunk):
        lost = decided["duplicate"] != 0
        duplicates += np.bincount(decided["source"][lost], minlength=len(sources))
        for split in range(3):
            mine = lost & (decided["split"] == split)
            lost_rows[split] += int(mine.sum())
            lost_bytes[split] += int(decided["size"][mine].sum())
        file = work.storage.put_unique(f".sslpipe/decisions/{task.stem}", ".arrow")
        order = np.lexsort((decided["id"], decided["order"], decided["split"]))
        write_columns(file, {name: column[order] for name, column in decided.items()})
        file.publish()
        outputs.append(Output.of("decisions", file))
    return Commit(
        stage=task.stage,
        task=task.number,
        fingerprint=task.fingerprint,
        outputs=tuple(outputs),
        counts={source: {"duplicate": int(count)} for source, count in zip(sources, duplicates.tolist(), strict=True) if count},
        facts={"lost_rows": lost_rows, "lost_bytes": lost_bytes},
    )


def gathered(chunks: Iterator[Records], least: int) -> Iterator[Records]:
    """Chunks joined until they have that many rows; the last may have fewer, and none is empty."""
    held: list[Records] = []
    for chunk in chunks:
        held.append(chunk)
        if sum(len(records["id"]) for records in held) >= least:
            yield _joined(held)
            held = []
    if sum(len(records["id"]) for records in held):
        yield _joined(held)


def _joined(pieces: Sequence[Records]) -> Records:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def merged(tables: Sequence[Table], first: int, last: int | None, chunk: int) -> Iterator[Records]:
    """Records of a range of digests from many sorted tables, as one sorted stream of chunks of at most `chunk` rows."""
    cursors = [_Cursor(table, *_bounds(table, first, last)) for table in tables]
    while live := [cursor for cursor in cursors if cursor.left]:
        heads = [head for cursor in live if (head := cursor.look(max(1, chunk // len(live)))) is not None]
        limit = min(heads) if heads else None
        records = _joined([cursor.take(limit) for cursor in live])
        order = np.lexsort([records[name] for name in reversed(RECORD_KEY)])
        yield {name: column[order] for name, column in records.items()}


class _Cursor:
    """Where one sorted table is, with a piece of it at hand."""

    def __init__(self, table: Table, start: int, stop: int) -> None:
        self._table, self._start, self._stop = table, start, stop
        self._piece: Records = {}
        self._used = self._held = 0

    @property
    def left(self) -> bool:
        """Whether any record is still to be taken."""
        return self._used < self._held or self._start < self._stop

    def look(self, count: int) -> tuple[int, ...] | None:
        """Have records at hand, about `count` of them; the key of the last one, or None if no more come behind it."""
        if self._used == self._held:
            stop = min(self._stop, self._start + count)
            self._piece = self._table.columns(self._start, stop, RECORD_COLUMNS)
            self._used, self._held, self._start = 0, stop - self._start, stop
        return tuple(int(self._piece[name][-1]) for name in RECORD_KEY) if self._start < self._stop else None

    def take(self, limit: tuple[int, ...] | None) -> Records:
        """The records at hand that are not above the limit."""
        rest = {name: column[self._used :] for name, column in self._piece.items()}
        count = len(rest["id"]) if limit is None else _not_above(rest, limit)
        self._used += count
        return {name: column[:count] for name, column in rest.items()}


def _bounds(table: Table, first: int, last: int | None) -> tuple[int, int]:
    start = stop = 0
    for batch in table.batches:
        digests = batch.column("digest_high").to_numpy()
        start += int(np.searchsorted(digests, np.uint64(first)))
        stop += len(digests) if last is None else int(np.searchsorted(digests, np.uint64(last)))
    return start, stop


def _not_above(piece: Records, limit: tuple[int, ...]) -> int:
    """How many of these sorted records are not above the limit."""
    low, high = 0, len(piece["id"])
    while low < high:
        middle = (low + high) // 2
        if tuple(int(piece[name][middle]) for name in RECORD_KEY) <= limit:
            low = middle + 1
        else:
            high = middle
    return low


class _Decider:
    """Walks sorted records chunk by chunk, carrying the survivor and the occurrence of the last record."""

    def __init__(self, dedup: bool, rename: bool) -> None:
        self._dedup, self._rename = dedup, rename
        self._last: dict[str, int] | None = None

    def run(self, records: Records) -> Records:
        """The records whose fate is not the plain one: losers, and payloads that occur again."""
        count = len(records["id"])
        same_digest = self._as_before(records, ("digest_high", "digest_low"))
        same_key = self._as_before(records, ("high", "low")) & same_digest
        occurrence = _runs(same_key)
        if count and same_key[0] and self._last is not None:
            head = int(np.argmin(same_key)) if not same_key.all() else count
            occurrence[:head] += self._last["occurrence"] + 1
        if not self._rename:
            occurrence = records["occurrence"].astype(np.int64)
        leader = np.maximum.accumulate(np.where(same_digest, -1, np.arange(count)))
        survivor = {name: self._of_leader(records, leader, name) for name in ("high", "low")}
        survivor_occurrence = self._of_leader({"occurrence": occurrence}, leader, "occurrence")
        if count:
            self._last = {name: int(records[name][-1]) for name in ("digest_high", "digest_low", "high", "low")}
            self._last |= {f"survivor_{name}": int(survivor[name][-1]) for name in survivor}
            self._last |= {"occurrence": int(occurrence[-1]), "survivor_occurrence": int(survivor_occurrence[-1])}
        lost = same_digest if self._dedup else np.zeros(count, np.bool_)
        told = lost | (occurrence > 0)
        return {
            **{name: records[name][told] for name in ("split", "order", "id", "high", "low", "source", "size")},
            "duplicate": lost[told].astype(np.uint8),
            "occurrence": occurrence[told].astype(np.uint32),
            "survivor_high": survivor["high"][told],
            "survivor_low": survivor["low"][told],
            "survivor_occurrence": survivor_occurrence[told].astype(np.uint32),
        }

    def _as_before(self, records: Records, names: tuple[str, ...]) -> NDArray[np.bool_]:
        """Whether each record equals the one before it in these columns, across the chunk's edge too."""
        count = len(records["id"])
        same = np.ones(count, np.bool_)
        for name in names:
            same[1:] &= records[name][1:] == records[name][:-1]
            if count:
                same[0] &= self._last is not None and int(records[name][0]) == self._last[name]
        return same

    def _of_leader(self, records: Records, leader: NDArray[np.int64], name: str) -> NDArray[Any]:
        """The value of the record that leads each digest; from the chunk before where the leader stood there."""
        values = records[name][np.maximum(leader, 0)] if len(leader) else records[name]
        if (leader < 0).any():
            assert self._last is not None
            values = values.copy()
            values[leader < 0] = self._last[f"survivor_{name}"]
        return values


def _runs(same: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many records in a row, up to each, are the same as the one before: 0 at the start of every run."""
    index = np.arange(len(same))
    start = np.maximum.accumulate(np.where(same, 0, index)) if len(same) else index
    return (index - start).astype(np.int64)
