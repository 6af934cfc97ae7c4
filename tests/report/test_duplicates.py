"""Groups of duplicates: counted as a dictionary would, in portions of bounded memory."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.report import duplicates as module
from sslpipe.report.duplicates import Duplicates, lost_among
from sslpipe.shards.commits import Commit, Output
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import write_columns

Row = tuple[int, bool]
"""A survivor, and whether the row is its duplicate; others are equal payloads that only got a number."""
KEYS = st.integers(0, 6).map(lambda number: number * 0x9E3779B97F4A7C15 % 2**64)
ROWS = st.lists(st.tuples(KEYS, st.booleans()), max_size=40)


def decided(folder: Path, stages: list[list[Row]], batch: int = 7) -> tuple[LocalStorage, list[Commit]]:
    """Decisions as a build leaves them: two tables a stage, ids counted through."""
    storage, commits, first = LocalStorage(folder), [], 0
    for number, rows in enumerate(stages):
        tables = []
        for part in (rows[::2], rows[1::2]):
            file = storage.put_unique(".sslpipe/decisions/x", ".arrow")
            columns = {
                "id": np.arange(first, first + len(part), dtype=np.uint64),
                "survivor_high": np.array([key for key, _ in part], np.uint64),
                "survivor_low": np.array([~key % 2**64 for key, _ in part], np.uint64),
                "duplicate": np.array([lost for _, lost in part], np.uint8),
            }
            write_columns(file, columns, batch)
            file.publish()
            tables.append(Output.of("decisions", file))
            first += len(part)
        commits.append(Commit(stage=f"{number}-resolve", task=0, fingerprint=str(number), outputs=tuple(tables)))
    return storage, commits


def sizes(stages: list[list[Row]]) -> dict[int, int]:
    groups = Counter((stage, key) for stage, rows in enumerate(stages) for key, lost in rows if lost)
    return dict(sorted(Counter(count + 1 for count in groups.values()).items()))


@settings(max_examples=30)
@given(st.lists(ROWS, max_size=3), st.integers(1, 50))
def test_sizes_are_those_of_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, stages: list[list[Row]], portion: int
) -> None:
    storage, commits = decided(tmp_path_factory.mktemp("decisions"), stages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AT_A_TIME", portion)
        found = Duplicates.of(storage, commits, 3, 2)
        assert found.sizes == sizes(stages)
        largest = sorted((size for size, count in found.sizes.items() for _ in range(count)), reverse=True)[:3]
    assert [group.size for group in found.largest] == largest
    for group in found.largest:
        assert len(group.members) == min(2, group.size - 1) == len(set(group.members))
        assert lost_among(storage, commits, group.members) == set(group.members)


def test_the_largest_groups_have_their_members(tmp_path: Path) -> None:
    rows = [(5, True), (9, True), (9, True), (9, False), (5, False), (9, True)]
    storage, commits = decided(tmp_path, [rows])
    found = Duplicates.of(storage, commits, 1, 9)
    assert found.sizes == {2: 1, 4: 1}
    (group,) = found.largest
    assert (group.size, group.survivor) == (4, f"{9:016x}{~9 % 2**64:016x}")
    # The first table has rows 0, 2, 4 of the six, numbered 0 to 2; the second rows 1, 3, 5.
    assert group.members == (1, 3, 5)
    assert lost_among(storage, commits, [0, 1, 2, 4]) == {0, 1}


def test_portions_that_share_a_group_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, commits = decided(tmp_path, [[(7, True)] * 10])
    monkeypatch.setattr(module, "AT_A_TIME", 4)
    assert Duplicates.of(storage, commits, 1, 1).sizes == {11: 1}
    monkeypatch.setattr(module, "mix", lambda high, low: np.arange(len(high), dtype=np.uint64))
    assert Duplicates.of(storage, commits, 1, 1).sizes != {11: 1}


def test_no_dedup(tmp_path: Path) -> None:
    assert Duplicates.of(LocalStorage(tmp_path), [], 3, 3) == Duplicates({}, ())
    storage, commits = decided(tmp_path, [[]])
    assert Duplicates.of(storage, commits, 3, 3) == Duplicates({}, ())
