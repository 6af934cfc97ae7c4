"""A batch behaves as a list of rows; in every operation names and columns move together."""

from __future__ import annotations

import numpy as np
import pytest
from core_support import batches, plain, random_names
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.core.errors import SslpipeError
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows


def _picked(rows: Rows, positions: list[int]) -> object:
    names, columns = plain(rows)
    return [names[i] for i in positions], {field: [column[i] for i in positions] for field, column in columns.items()}


@given(batches(), st.data())
def test_take_is_indexing(rows: Rows, data: st.DataObject) -> None:
    positions = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9) if len(rows) else st.just([]))
    assert plain(rows.take(np.array(positions, np.int64))) == _picked(rows, positions)


@given(batches(), st.data())
def test_take_by_mask(rows: Rows, data: st.DataObject) -> None:
    mask = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    assert plain(rows.take(np.array(mask, bool))) == _picked(rows, [i for i, kept in enumerate(mask) if kept])


def test_take_that_leaves_names_behind_is_caught() -> None:
    rows = Rows(random_names(3), {"x": np.arange(3)})
    mutant = Rows(rows.names, {"x": rows.array("x")[[2, 0, 1]]})
    assert plain(rows.take(np.array([2, 0, 1]))) == _picked(rows, [2, 0, 1])
    assert plain(mutant) != _picked(rows, [2, 0, 1])


@given(batches(), st.data())
def test_view_is_slicing_without_a_copy(rows: Rows, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))
    view = rows.view(start, stop)
    assert plain(view) == _picked(rows, list(range(start, stop)))
    if start < stop:
        assert np.shares_memory(view.array("grid_int64"), rows.array("grid_int64"))


@given(batches(), st.data())
def test_dividing_and_joining_changes_nothing(rows: Rows, data: st.DataObject) -> None:
    a = data.draw(st.integers(0, len(rows)))
    b = data.draw(st.integers(a, len(rows)))
    joined = Rows.concat([rows.view(0, a), rows.view(a, b), rows.view(b, len(rows))])
    assert plain(joined) == plain(rows)


@given(batches())
def test_adding_and_leaving_out_columns_is_pure(rows: Rows) -> None:
    before = plain(rows)
    fields = list(rows.columns)
    added = rows.with_columns(new=np.arange(len(rows)), flat_int64=np.zeros(len(rows)))
    assert list(added.columns) == [*fields, "new"]
    assert not added.array("flat_int64").any()
    assert list(added.without("new", "absent").columns) == fields
    assert plain(rows) == before and list(rows.columns) == fields
    assert all(added.columns[field] is rows.columns[field] for field in fields if field != "flat_int64")


def test_adding_in_place_is_caught() -> None:
    rows = Rows(random_names(2), {"x": np.arange(2)})

    def mutant(rows: Rows, field: str, column: np.ndarray) -> Rows:
        rows.columns[field] = column  # type: ignore[index]
        return rows

    assert list(rows.with_columns(y=np.arange(2)).columns) == ["x", "y"] and list(rows.columns) == ["x"]
    mutant(rows, "y", np.arange(2))
    assert list(rows.columns) != ["x"]


@given(batches())
def test_bytes_of_rows(rows: Rows) -> None:
    _, columns = plain(rows.with_columns(_hidden=np.zeros((len(rows), 9))).without("_hidden"))
    wanted = [sum(len(column[i][2]) for column in columns.values()) for i in range(len(rows))]
    assert rows.with_columns(_hidden=np.zeros((len(rows), 9))).nbytes().tolist() == wanted


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(SslpipeError, match=r"^field `x` has 3 rows, the batch has 2$"):
        Rows(random_names(2), {"x": np.arange(3)})


def test_asking_for_the_wrong_column() -> None:
    rows = Rows(random_names(1), {"ids": Ragged.from_bytes([b"a"]), "grid": np.zeros((1, 2, 3)), "_id": np.zeros(1)})
    with pytest.raises(SslpipeError, match=r"^rows have no field `text`; their fields: ids, grid$"):
        rows["text"]
    with pytest.raises(SslpipeError, match=r"^rows have no field `text`; their fields: none$"):
        rows.without("ids", "grid")["text"]
    with pytest.raises(SslpipeError, match=r"^field `grid` has rows of one fixed shape \(2, 3\), wanted ragged$"):
        rows.ragged("grid")
    with pytest.raises(SslpipeError, match=r"^field `ids` has rows of unequal length, wanted one shape; pack or cut it first$"):
        rows.array("ids")
