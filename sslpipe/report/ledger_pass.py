"""The ledger, read from end to end: counts, spreads of the measures, and a few records of each reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.building.thresholds import Line
from sslpipe.core.errors import DataError
from sslpipe.core.hashes import mix, purpose_hash
from sslpipe.report.outputs import outputs
from sslpipe.report.series import MAX_SERIES, Column, Key, Series, series_of
from sslpipe.report.smallest import Smallest
from sslpipe.shards.commits import Commit, Counts
from sslpipe.shards.ledger import FACTS, ledger_batches
from sslpipe.shards.storage import LocalStorage

if TYPE_CHECKING:
    import pyarrow as pa

ROWS: Final = 1 << 15
"""Entries in memory at a time."""

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """An entry of the ledger, and the segment of the build that made it."""

    entry: Entry
    segment: int


class LedgerPass:
    """Goes through all ledger files of a finished build, a batch at a time.

    `reasons` are those of which so many `samples` are kept; of the others only the count is.
    """

    def __init__(self, lines: Sequence[Line], reasons: Sequence[str], samples: int, seed: int) -> None:
        self.series: dict[Key, Series] = series_of(lines)
        self.more_series = 0
        """Measures that were too many to count."""
        self.dropped = {reason: Smallest[Record](samples) for reason in reasons}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._seed = seed

    def run(self, storage: LocalStorage, commits: Sequence[Commit], counts: Counts) -> None:
        """Read everything; raises DataError where the ledger doesn't hold as many entries as the manifest counts."""
        told = {(source, name): count for source, outcomes in counts.items() for name, count in outcomes.items() if ":" in name}
        for commit, output in outputs(storage, commits, "ledger"):
            for batch in ledger_batches(storage.path(output.name), ROWS):
                self._take(batch, int(commit.stage.partition("-")[0]))
            strange = next((key for key, count in self._counts.items() if count > told.get(key, 0)), None)
            if strange is not None:
                raise _differs(storage, *strange, self._counts[strange], told.get(strange, 0))
        short = next((key for key, count in told.items() if self._counts[key] != count), None)
        if short is not None:
            raise _differs(storage, *short, self._counts[short], told[short])

    def _take(self, batch: pa.RecordBatch, segment: int) -> None:
        outcome, outcomes = _coded(batch.column("outcome"))
        reason, reasons = _coded(batch.column("reason"))
        source, sources = _coded(batch.column("source"))
        dropped = np.isin(outcome, [place for place, name in enumerate(outcomes) if name in ("filtered", "quarantined")])
        together, counts = np.unique(np.stack([source, outcome, reason])[:, dropped], axis=1, return_counts=True)
        for (a, b, c), count in zip(together.T.tolist(), counts.tolist(), strict=True):
            self._counts[sources[a], f"{outcomes[b]}:{reasons[c]}"] += count
        filtered = np.isin(outcome, [place for place, name in enumerate(outcomes) if name == "filtered"])
        self._count_numbers(batch, segment, np.where(filtered, reason, -1), reasons)
        self._keep_some(batch, segment, np.where(filtered, reason, -1), reasons)

    def _count_numbers(self, batch: pa.RecordBatch, segment: int, reason: NDArray[np.int64], reasons: Sequence[str]) -> None:
        numbers = {name: found for name in batch.schema.names if name not in FACTS
                   if (found := _numbers(batch.column(name))) is not None}  # fmt: skip
        fresh = [key for name in numbers if (key := (segment, name, (), 1)) not in self.series]
        room = max(0, MAX_SERIES - len(self.series))
        self.series |= {key: Series(*key) for key in fresh[:room]}
        self.more_series = max(self.more_series, len(fresh[room:]))
        for series in self.series.values():
            if series.segment == segment and series.part in numbers and all(name in numbers for name in series.whole):
                series.add(numbers, reasons, reason)

    def _keep_some(self, batch: pa.RecordBatch, segment: int, reason: NDArray[np.int64], reasons: Sequence[str]) -> None:
        hashes = entry_hashes(batch, self._seed)
        for code in np.unique(reason[reason >= 0]).tolist():
            kept = self.dropped.get(reasons[code])
            if kept is not None:
                mine = np.flatnonzero(reason == code)
                for place in mine[kept.wanted(hashes[mine])].tolist():
                    kept.offer(int(hashes[place]), Record(batch.slice(place, 1).to_pylist()[0], segment))


def entry_hashes(batch: pa.RecordBatch, seed: int) -> NDArray[np.uint64]:
    """What decides which entries are shown, uint64 `[n]`: a hash of key and number."""
    keys = b"".join(key or bytes(16) for key in batch.column("key").to_pylist())
    high, low = np.frombuffer(keys, ">u8").reshape(-1, 2).T.astype(np.uint64)
    return mix(purpose_hash("sample", high, low, seed), batch.column("id").to_numpy(zero_copy_only=False))


def _coded(column: pa.Array) -> tuple[NDArray[np.int64], list[str]]:
    """A column of few texts as numbers, int64 `[n]`, -1 where there is none, and the texts."""
    indices = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return indices, column.dictionary.to_pylist()


def _numbers(column: pa.Array) -> Column | None:
    """A column of numbers, float64 `[n]`, and where it has one; None for a column of anything else."""
    import pyarrow.types as kinds

    if not (kinds.is_integer(column.type) or kinds.is_floating(column.type) or kinds.is_boolean(column.type)):
        return None
    there = column.is_valid().to_numpy(zero_copy_only=False)
    return column.cast("float64", safe=False).fill_null(0.0).to_numpy(zero_copy_only=False), there


def _differs(storage: LocalStorage, source: str, outcome: str, found: int, wanted: int) -> DataError:
    return DataError(
        f"{storage.root}: the ledger has {found:,} rows of source `{source}` that are {outcome}, the manifest {wanted:,};"
        " one of them was changed since the build. Build again with --update"
    )
