"""Tables on disk against the same numbers in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shards_support import make_rows

from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.shards import tables
from sslpipe.shards.storage import LocalStorage, UniqueFile
from sslpipe.shards.tables import Table, TableWriter, write_columns, write_rows

ORDERS = st.sampled_from([0, 1, 5, 6, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)


@st.composite
def sorted_columns(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Splits and orders, sorted as tables want them, with some payload."""
    pairs = sorted(draw(st.lists(st.tuples(st.integers(0, 2), ORDERS), max_size=25)))
    split = np.array([pair[0] for pair in pairs], np.uint8)
    order = np.array([pair[1] for pair in pairs], np.uint64)
    return {"split": split, "order": order, "number": np.arange(len(pairs), dtype=np.int32)}


def _table(folder: Path, columns: dict[str, np.ndarray], batch_rows: int) -> Table:
    file = UniqueFile(LocalStorage(folder), "t.arrow")
    write_columns(file, columns, batch_rows)
    assert file.publish()
    return Table(folder / "t.arrow")


def _chosen(columns: dict[str, np.ndarray], split: int, low: int, high: int | None) -> list[int]:
    rows = zip(columns["split"].tolist(), columns["order"].tolist(), strict=True)
    return [i for i, (s, o) in enumerate(rows) if s == split and low <= o and (high is None or o < high)]


LIMITS = st.tuples(st.integers(0, 3), ORDERS, st.none() | ORDERS)


@given(sorted_columns(), st.integers(1, 6), LIMITS)
def test_slice_is_a_comparison(
    tmp_path_factory: pytest.TempPathFactory, columns: dict[str, np.ndarray], batch: int, limits: tuple[int, int, int | None]
) -> None:
    table = _table(tmp_path_factory.mktemp("t"), columns, batch)
    found, chosen = table.slice(*limits), _chosen(columns, *limits)
    assert list(found) == (list(columns) if len(columns["order"]) else [])
    for name, column in found.items():
        assert column.tolist() == columns[name][chosen].tolist()
        assert column.dtype == columns[name].dtype


@given(sorted_columns(), st.integers(1, 6), st.integers(0, 26), st.integers(0, 26))
def test_columns_are_slices(
    tmp_path_factory: pytest.TempPathFactory, columns: dict[str, np.ndarray], batch: int, start: int, stop: int
) -> None:
    table = _table(tmp_path_factory.mktemp("t"), columns, batch)
    count = len(columns["order"])
    assert len(table) == count and table.starts[-1] == count and len(table.batches) == -(-count // batch)
    found = table.columns(start, max(start, stop), ["order", "number"])
    assert list(found) == (["order", "number"] if count else [])
    for name, column in found.items():
        assert column.tolist() == columns[name][start : max(start, stop)].tolist()
        assert column.dtype == columns[name].dtype


def _sorted_rows(columns: dict[str, np.ndarray]) -> Rows:
    count = len(columns["order"])
    text = Ragged.from_bytes([b"x" * (i % 7) for i in range(count)])
    rows = make_rows(count, []).without("_m.words")
    return rows.with_columns(_split=columns["split"], _order=columns["order"], _number=columns["number"], text=text)


@given(sorted_columns(), st.integers(1, 500), LIMITS)
def test_range_is_a_comparison(
    tmp_path_factory: pytest.TempPathFactory, columns: dict[str, np.ndarray], size: int, limits: tuple[int, int, int | None]
) -> None:
    folder, rows = tmp_path_factory.mktemp("t"), _sorted_rows(columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BATCH_BYTES", size)
        file = UniqueFile(LocalStorage(folder), "t.arrow")
        write_rows(file, rows)
        assert file.publish()
    table, chosen = Table(folder / "t.arrow"), _chosen(columns, *limits)
    found = table.range(*limits)
    numbers = [(first + i, n) for first, part in found for i, n in enumerate(part.array("_number").tolist())]
    assert numbers == [(row, row) for row in chosen]
    texts, names = rows.ragged("text").to_bytes(), rows.names.texts()
    assert [text for _, part in found for text in part.ragged("text").to_bytes()] == [texts[row] for row in chosen]
    assert [name for _, part in found for name in part.names.texts()] == [names[row] for row in chosen]


def test_orders_compared_as_floats_are_caught(tmp_path: Path) -> None:
    """Above 2^53 a float64 can't tell neighbours apart."""
    order = np.array([2**63, 2**63 + 1, 2**63 + 2], np.uint64)
    columns = {"split": np.zeros(3, np.uint8), "order": order, "number": np.arange(3)}
    assert _table(tmp_path, columns, 8).slice(0, 2**63 + 1, 2**63 + 2)["number"].tolist() == [1]
    mutant = np.searchsorted(order.astype(float), float(2**63 + 1))
    assert mutant != 1


@given(st.lists(st.integers(0, 300), max_size=20), st.integers(1, 1000))
def test_batches_are_bounded_by_bytes(tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int) -> None:
    text = Ragged.from_bytes([bytes(size) for size in sizes])
    rows = Rows(Names.from_keys(np.arange(len(sizes), dtype=np.uint64), np.zeros(len(sizes), np.uint64)), {"text": text})
    folder = tmp_path_factory.mktemp("t")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BATCH_BYTES", limit)
        file = UniqueFile(LocalStorage(folder), "t.arrow")
        write_rows(file, rows)
        assert file.publish()
    batches = [Rows.from_arrow(batch) for batch in Table(folder / "t.arrow").batches]
    assert [size for batch in batches for size in batch.ragged("text").lengths.tolist()] == sizes
    for batch in batches:
        assert len(batch) == 1 or batch.nbytes().sum() + 64 * len(batch) <= limit


def test_a_table_of_nothing(tmp_path: Path) -> None:
    file = UniqueFile(LocalStorage(tmp_path), "t.arrow")
    TableWriter(file).close()
    assert file.publish()
    table = Table(tmp_path / "t.arrow")
    assert len(table) == 0 and table.names == [] and table.batches == []
    assert table.range(0, 0, None) == [] and table.slice(0, 0, None) == {} and table.columns(0, 0, ["x"]) == {}


def test_what_is_hashed_is_what_lies_there(tmp_path: Path) -> None:
    import xxhash

    file = UniqueFile(LocalStorage(tmp_path), "t.arrow")
    write_columns(file, {"x": np.arange(100_000)}, 1000)
    assert file.publish()
    data = (tmp_path / "t.arrow").read_bytes()
    assert (len(data), xxhash.xxh3_128_hexdigest(data)) == (file.bytes, file.digest())


def test_bytes_are_a_function_of_the_numbers(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        _table(tmp_path / folder, {"x": np.arange(1000), "y": np.arange(1000) % 7 == 0}, 100)
    assert (tmp_path / "a/t.arrow").read_bytes() == (tmp_path / "b/t.arrow").read_bytes()
