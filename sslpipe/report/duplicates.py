"""Duplicates: how large the groups of like rows are, and the largest of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.hashes import mix
from sslpipe.report.outputs import outputs
from sslpipe.report.smallest import Smallest
from sslpipe.shards.commits import Commit
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

AT_A_TIME: Final = 1 << 21
"""About how many groups are in memory; where there may be more, the decisions are read several times."""

COLUMNS: Final = ("survivor_high", "survivor_low", "id", "duplicate")
Groups = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]
"""The keys of survivors, high and low, and how many rows each stands for beside itself; ascending by key."""


@dataclass(frozen=True)
class Group:
    """Rows that a dedup took for one another, of which one survived."""

    survivor: str
    """Its key, in hex."""
    size: int
    """Rows, the survivor among them."""
    members: tuple[int, ...]
    """The numbers in the ledger of some that were dropped."""


@dataclass(frozen=True)
class Duplicates:
    """The groups that the dedups of a build found; memory does not grow with their number."""

    sizes: dict[int, int]
    """How many groups there are of each size, ascending."""
    largest: tuple[Group, ...]

    @classmethod
    def of(cls, storage: LocalStorage, commits: Sequence[Commit], groups: int, members: int) -> Duplicates:
        """Count all groups, and of so many of the largest name so many members."""
        sizes: Counter[int] = Counter()
        largest: list[tuple[int, int, int, str]] = []
        paths: dict[str, list[Path]] = {}
        for commit, output in outputs(storage, commits, "decisions"):
            paths.setdefault(commit.stage, []).append(storage.path(output.name))
        for stage, mine in paths.items():
            for high, low, counts in _counted(mine):
                sizes.update(dict(zip(*(part.tolist() for part in np.unique(counts + 1, return_counts=True)), strict=True)))
                top = np.lexsort((low, high, -counts))[:groups]
                largest += [(-int(counts[place]) - 1, int(high[place]), int(low[place]), stage) for place in top.tolist()]
                largest = sorted(largest)[:groups]
        some = {stage: _members(mine, [entry[1:3] for entry in largest if entry[3] == stage], members)
                for stage, mine in paths.items()}  # fmt: skip
        named = tuple(
            Group(f"{high:016x}{low:016x}", -size, tuple(some[stage][high, low])) for size, high, low, stage in largest
        )
        return cls(dict(sorted(sizes.items())), named)


def lost_among(storage: LocalStorage, commits: Sequence[Commit], ids: Sequence[int]) -> set[int]:
    """Those of these records that did not survive a dedup."""
    wanted = np.array(sorted(ids), np.uint64)
    paths = [storage.path(output.name) for _, output in outputs(storage, commits, "decisions")] if len(wanted) else []
    return {number for _, _, found in _lost(paths) for number in found[np.isin(found, wanted)].tolist()}


def _counted(paths: Sequence[Path]) -> Iterator[Groups]:
    """The groups of one dedup, in portions that share no key."""
    portions = -(-sum(len(Table(path)) for path in paths) // AT_A_TIME)
    for portion in range(portions):
        nothing = np.empty(0, np.uint64)
        held: list[Groups] = [(nothing, nothing, np.empty(0, np.int64))]
        for high, low, _ in _lost(paths):
            mine = mix(high, low) % np.uint64(portions) == portion
            held.append((high[mine], low[mine], np.ones(int(mine.sum()), np.int64)))
            if sum(len(part[0]) for part in held) > 2 * AT_A_TIME:
                held = [_summed(held)]
        yield _summed(held)


def _summed(parts: Sequence[Groups]) -> Groups:
    high, low, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((low, high))
    high, low, counts = high[order], low[order], counts[order]
    starts = np.flatnonzero(np.concatenate([[True], (high[1:] != high[:-1]) | (low[1:] != low[:-1])])[: len(high)])
    return high[starts], low[starts], np.add.reduceat(counts, starts) if len(starts) else counts


def _members(paths: Sequence[Path], survivors: Sequence[tuple[int, ...]], count: int) -> dict[tuple[int, ...], list[int]]:
    """Some rows of each of these groups, chosen by hash."""
    kept = {survivor: Smallest[int](count) for survivor in survivors}
    for high, low, ids in _lost(paths):
        hashes = mix(mix(high, low), ids)
        for survivor, few in kept.items():
            mine = np.flatnonzero((high == np.uint64(survivor[0])) & (low == np.uint64(survivor[1])))
            for place in mine[few.wanted(hashes[mine])].tolist():
                few.offer(int(hashes[place]), int(ids[place]))
    return {survivor: sorted(few.items()) for survivor, few in kept.items()}


def _lost(paths: Sequence[Path]) -> Iterator[tuple[NDArray[np.uint64], ...]]:
    """Rows that did not survive: the survivor's key, high and low, and their own numbers; a table's batch at a time."""
    for path in paths:
        table = Table(path)
        for start, stop in zip(table.starts[:-1].tolist(), table.starts[1:].tolist(), strict=True):
            columns = table.columns(start, stop, COLUMNS)
            lost = columns["duplicate"] != 0
            yield columns["survivor_high"][lost], columns["survivor_low"][lost], columns["id"][lost]
