"""Rows between segments: written as sorted runs, read back by range."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.building.spill import SpillWriter, live_rows, split_numbers
from sslpipe.core.hashes import purpose_hash
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.recipe.splits import Splits
from sslpipe.shards.commits import Output
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import write_columns

TOP = 2**64


def spilled_rows(count: int, seed: int, copies: int) -> Rows:
    """Rows of random lengths and orders, so many of them copies of one payload."""
    random = np.random.default_rng(seed)
    keys = random.integers(0, TOP, count, np.uint64)
    keys[:copies] = 77
    names = Names.from_keys(keys, keys)
    return Rows(
        names,
        {
            "text": Ragged.from_bytes([bytes(int(size)) for size in random.integers(0, 60, count)]),
            "_source": np.zeros(count, np.uint16),
            "_meta": np.zeros(count, np.uint64),
            "_id": np.arange(count, dtype=np.uint64),
            "_split": (keys % np.uint64(2)).astype(np.uint8),
            "_order": purpose_hash("order", keys, keys, 1),
        },
    )


def spilled(storage: LocalStorage, rows: Rows, limit: int) -> list[Output]:
    writer = SpillWriter(storage, "test", 0, True, limit)
    for start in range(0, len(rows), 5):
        writer.add(rows.view(start, min(start + 5, len(rows))))
    writer.flush()
    assert sum(writer.rows_by_split) == len(rows)
    return [output for output in writer.outputs if output.role == "spill"]


def verdicts(storage: LocalStorage, rows: Rows) -> list[Output]:
    """Every third row lost, every other one of the rest numbered by its id."""
    ids = rows.array("_id")
    told = ids % np.uint64(3) < 2
    columns = {
        "id": ids[told],
        "split": rows.array("_split")[told],
        "order": rows.array("_order")[told],
        "duplicate": (ids[told] % np.uint64(3) == 0).astype(np.uint8),
        "occurrence": ids[told].astype(np.uint32),
    }
    order = np.lexsort((columns["id"], columns["order"], columns["split"]))
    file = storage.put_unique("decisions", ".arrow")
    write_columns(file, {name: column[order] for name, column in columns.items()}, 7)
    file.publish()
    return [Output.of("decisions", file)]


@settings(max_examples=25)
@given(
    st.integers(1, 60), st.integers(0, 99), st.integers(0, 60), st.sampled_from([300, 10**6]), st.integers(1, 20_000),
    st.sampled_from([(0, None), (0, 2**63), (2**61, None), (5, 6)]), st.booleans(),
)  # fmt: skip
def test_any_batch_size_gives_the_same_rows_in_the_same_order(
    count: int, seed: int, copies: int, limit: int, batch_bytes: int, bounds: tuple[int, int | None], judged: bool
) -> None:
    rows = spilled_rows(count, seed, min(copies, count))
    low, high = bounds
    with tempfile.TemporaryDirectory() as folder:
        storage = LocalStorage(folder)
        spills = spilled(storage, rows, limit)
        decisions = verdicts(storage, rows) if judged else []
        for split in (0, 1, 2):
            found = list(live_rows(storage, spills, decisions, split, low, high, batch_bytes))
            ids, order = rows.array("_id"), rows.array("_order")
            mine = (rows.array("_split") == split) & (order >= np.uint64(low))
            mine &= order < np.uint64(high) if high is not None else True
            mine &= (ids % np.uint64(3) != 0) | (not judged)
            occurrence = np.where(ids % np.uint64(3) == 1, ids, 0) if judged else np.zeros(len(ids), np.uint64)
            names = rows.names
            wanted = np.lexsort((ids, occurrence, names.low, names.high, order))
            wanted = wanted[mine[wanted]]
            got = Rows.concat(found) if found else rows.view(0, 0)
            assert got.array("_id").tolist() == wanted.tolist()
            assert got.names.occurrence.tolist() == occurrence[wanted].tolist()
            assert got.ragged("text").to_bytes() == rows.take(wanted).ragged("text").to_bytes()


def test_small_batches_are_many(tmp_path: Path) -> None:
    storage, rows = LocalStorage(tmp_path), spilled_rows(60, 1, 0)
    spills = spilled(storage, rows, 10**6)
    assert len(list(live_rows(storage, spills, [], 0, 0, None, 10**6))) == 1
    assert len(list(live_rows(storage, spills, [], 0, 0, None, 500))) > 3


@given(st.lists(st.integers(0, TOP - 1), max_size=50), st.floats(0.001, 0.5), st.floats(0.001, 0.49))
def test_a_growing_split_only_takes_from_train(keys: list[int], val: float, test: float) -> None:
    high = np.array(keys, np.uint64)
    small = split_numbers(high, high, Splits(val=val / 2, test=test))
    large = split_numbers(high, high, Splits(val=val, test=test))
    assert np.array_equal(small[small != 0], large[small != 0])
    assert set(large[small == 0].tolist()) <= {0, 1}


def test_the_share_of_a_split() -> None:
    keys = np.random.default_rng(0).integers(0, TOP, 20_000, np.uint64)
    counts = np.bincount(split_numbers(keys, keys[::-1].copy(), Splits(val=0.1, test=0.3)), minlength=3)
    assert abs(counts[1] - 2000) < 200 and abs(counts[2] - 6000) < 300
