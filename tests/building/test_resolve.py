"""One sorted stream out of many sorted tables, and decisions that don't care where it is cut into chunks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sslpipe.building.resolve import _Decider, merged
from sslpipe.building.spill import RECORD_COLUMNS, RECORD_KEY
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import Table, write_columns

Records = dict[str, NDArray[Any]]
TOP = 2**64
WIDE = {"source": np.uint16, "split": np.uint8, "size": np.int64, "occurrence": np.uint32}
HASHES = (0, 1, 2**63 - 1, 2**63, TOP - 1)


@st.composite
def record_tables(draw: st.DrawFn) -> list[Records]:
    """Tables of records, each sorted, ids unique over all of them; few different values, so that ties are common."""
    numbers = iter(range(10**6))
    tables = []
    for count in draw(st.lists(st.integers(1, 30), min_size=1, max_size=5)):
        rows = draw(
            st.lists(st.tuples(*(st.sampled_from(HASHES[:limit]) for limit in (5, 2, 2, 2, 1))), min_size=count, max_size=count)
        )
        columns = dict(zip(RECORD_COLUMNS, np.array(rows, np.uint64).T, strict=False))
        for name in RECORD_COLUMNS[5:]:
            columns[name] = np.array([next(numbers) if name == "id" else row[0] % 2 for row in rows], WIDE.get(name, np.uint64))
        tables.append(in_order(columns))
    return tables


def in_order(columns: Records) -> Records:
    order = np.lexsort([columns[name] for name in reversed(RECORD_KEY)])
    return {name: column[order] for name, column in columns.items()}


def written(folder: Path, tables: list[Records], batch_rows: int = 7) -> list[Table]:
    storage = LocalStorage(folder)
    made = []
    for table in tables:
        file = storage.put_unique("records", ".arrow")
        write_columns(file, table, batch_rows)
        file.publish()
        made.append(Table(storage.path(file.name)))
    return made


def joined(chunks: list[Records]) -> Records:
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]} if chunks else {}


def same(left: Records, right: Records) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


@given(record_tables(), st.integers(1, 40), st.sampled_from([(0, None), (0, 2**63), (1, TOP - 1), (2**63, None)]))
def test_the_stream_is_one_big_sort(tables: list[Records], chunk: int, bounds: tuple[int, int | None]) -> None:
    low, high = bounds
    everything = in_order(joined(tables))
    mine = (everything["digest_high"] >= low) & (everything["digest_high"] < (TOP - 1 if high is None else high))
    mine |= (everything["digest_high"] == TOP - 1) & (high is None)
    with tempfile.TemporaryDirectory() as folder:
        chunks = list(merged(written(Path(folder), tables), low, high, chunk))
    assert all(0 < len(piece["id"]) <= max(chunk, len(tables)) for piece in chunks)
    if mine.any():
        assert same(joined(chunks), {name: column[mine] for name, column in everything.items()})
    else:
        assert chunks == []


def decided(chunks: list[Records], *, dedup: bool, rename: bool = True) -> Records:
    decide = _Decider(dedup=dedup, rename=rename)
    return joined([decide.run(chunk) for chunk in chunks])


def cut(records: Records, size: int) -> Iterator[Records]:
    for start in range(0, len(records["id"]), size):
        yield {name: column[start : start + size] for name, column in records.items()}


@given(record_tables(), st.integers(1, 12), st.booleans(), st.booleans())
def test_decisions_do_not_depend_on_chunks(tables: list[Records], size: int, dedup: bool, rename: bool) -> None:
    records = in_order(joined(tables))
    whole = decided([records], dedup=dedup, rename=rename)
    assert same(decided(list(cut(records, size)), dedup=dedup, rename=rename), whole)


@given(record_tables(), st.booleans())
def test_decisions_are_those_of_a_walk_over_the_records(tables: list[Records], dedup: bool) -> None:
    records = in_order(joined(tables))
    wanted = []
    leader = before = None
    occurrence = 0
    for row in range(len(records["id"])):
        digest = (records["digest_high"][row], records["digest_low"][row])
        key = (records["high"][row], records["low"][row])
        occurrence = occurrence + 1 if before == (digest, key) else 0
        lost = dedup and leader is not None and leader[0] == digest
        if leader is None or leader[0] != digest:
            leader = (digest, key, occurrence)
        if lost or occurrence:
            wanted.append((records["id"][row], lost, occurrence, *leader[1], leader[2]))
        before = (digest, key)
    found = decided([records], dedup=dedup)
    names = ("id", "duplicate", "occurrence", "survivor_high", "survivor_low", "survivor_occurrence")
    assert list(zip(*(found[name].tolist() for name in names), strict=True)) == wanted


def crowd(count: int) -> Records:
    """One digest for all, of payloads that come in threes."""
    numbers = np.arange(count, dtype=np.uint64)
    columns = {name: np.zeros(count, WIDE.get(name, np.uint64)) for name in RECORD_COLUMNS}
    columns |= {
        "id": numbers,
        "low": numbers // np.uint64(3),
        "priority": numbers // np.uint64(3),
        "size": numbers.astype(np.int64),
    }
    return in_order(columns)


def test_a_digest_larger_than_many_chunks(tmp_path: Path) -> None:
    tables = written(tmp_path, [{name: column[start::3] for name, column in crowd(1000).items()} for start in range(3)])
    found = decided(list(merged(tables, 0, None, 12)), dedup=True)
    assert found["id"].tolist() == list(range(1, 1000))
    assert found["duplicate"].all()
    assert set(found["survivor_low"].tolist()) == set(found["survivor_occurrence"].tolist()) == {0}
    assert found["occurrence"].tolist() == [number % 3 for number in range(1, 1000)]


@pytest.mark.parametrize("forgotten", ["digest_high", "survivor_low", "occurrence"])
def test_mutant_the_survivor_forgotten_at_a_chunks_edge(forgotten: str) -> None:
    records = crowd(100)
    records["low"] += np.uint64(9)
    whole = decided([records], dedup=True)

    class Forgets(_Decider):
        def run(self, records: Records) -> Records:
            if self._last is not None:
                self._last = {**self._last, forgotten: self._last[forgotten] + 1}
            return super().run(records)

    forgets = Forgets(dedup=True, rename=True)
    assert same(decided(list(cut(records, 10)), dedup=True), whole)
    assert not same(joined([forgets.run(chunk) for chunk in cut(records, 10)]), whole)


def test_a_later_dedup_leaves_numbers_alone() -> None:
    records = crowd(9)
    records["occurrence"] = np.array([0, 1, 2] * 3, np.uint32)
    found = decided(list(cut(records, 2)), dedup=True, rename=False)
    assert found["id"].tolist() == list(range(1, 9))
    assert found["occurrence"].tolist() == [1, 2, 0, 1, 2, 0, 1, 2]


def test_no_records_no_decisions(tmp_path: Path) -> None:
    assert list(merged([], 0, None, 10)) == []
    empty = {name: column[:0] for name, column in crowd(1).items()}
    assert list(merged(written(tmp_path, [empty]), 0, None, 10)) == []
    assert len(_Decider(dedup=True, rename=True).run(empty)["id"]) == 0


@settings(max_examples=20)
@given(record_tables())
def test_ranges_of_digests_split_the_stream_and_no_group(tables: list[Records]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = written(Path(folder), tables)
        edges: list[tuple[int, int | None]] = [(0, 1), (1, 2**63), (2**63, TOP - 1), (TOP - 1, None)]
        parts = [list(merged(made, low, high, 5)) for low, high in edges]
        assert same(joined([chunk for part in parts for chunk in part]), joined(list(merged(made, 0, None, 5))))
