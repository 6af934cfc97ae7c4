"""Ragged columns behave as lists of rows do."""

from __future__ import annotations

import numpy as np
import pytest
from core_support import DTYPES, cells, numbers, raggeds
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.core.ragged import Ragged


def _row_lists(column: Ragged) -> list[list[object]]:
    return [column[row].tolist() for row in range(len(column))]


@given(st.lists(st.binary(max_size=9)))
def test_bytes_come_back(rows: list[bytes]) -> None:
    column = Ragged.from_bytes(rows)
    assert column.to_bytes() == rows
    assert len(column) == len(rows)
    assert column.lengths.tolist() == [len(row) for row in rows]
    assert Ragged.from_bytes([memoryview(row) for row in rows]).to_bytes() == rows


@given(st.lists(st.text(max_size=9)))
def test_texts_come_back(rows: list[str]) -> None:
    assert Ragged.from_texts(rows).to_texts() == rows


@given(raggeds(), st.data())
def test_take_is_indexing(column: Ragged, data: st.DataObject) -> None:
    positions = data.draw(st.lists(st.integers(-len(column), len(column) - 1), max_size=9) if len(column) else st.just([]))
    taken = column.take(np.array(positions, np.int64))
    assert cells(taken) == [cells(column)[position] for position in positions]
    assert taken.values.dtype == column.values.dtype
    assert taken.offsets[0] == 0 and taken.offsets[-1] == len(taken.values)
    assert not np.shares_memory(taken.values, column.values)


def test_take_that_forgets_where_a_view_begins_is_caught() -> None:
    column = Ragged.from_bytes([b"ab", b"c", b"def"]).view(1, 3)

    def mutant(rows: np.ndarray) -> Ragged:
        lengths = column.lengths[rows]
        starts = (column.offsets[:-1] - column.offsets[0])[rows]
        pieces = [column.values[a : a + n] for a, n in zip(starts, lengths, strict=True)]
        return Ragged.from_lengths(np.concatenate(pieces), lengths)

    assert column.take(np.array([1, 0])).to_bytes() == [b"def", b"c"]
    assert mutant(np.array([1, 0])).to_bytes() != [b"def", b"c"]


@given(raggeds(), st.data())
def test_view_is_slicing_without_a_copy(column: Ragged, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(column)))
    stop = data.draw(st.integers(start, len(column)))
    view = column.view(start, stop)
    assert cells(view) == cells(column)[start:stop]
    assert view.values is column.values


@given(st.sampled_from(DTYPES), st.data())
def test_concat_is_addition(dtype: str, data: st.DataObject) -> None:
    parts = data.draw(st.lists(raggeds(dtype=dtype), min_size=1, max_size=4))
    whole = Ragged.concat(parts)
    assert cells(whole) == [cell for part in parts for cell in cells(part)]
    assert whole.values.dtype == np.dtype(dtype)


@given(raggeds())
def test_to_bytes_is_each_row_as_it_lies(column: Ragged) -> None:
    assert column.to_bytes() == [column[row].tobytes() for row in range(len(column))]


def test_to_bytes_of_values_that_lie_apart() -> None:
    column = Ragged(np.arange(10, dtype=np.uint16)[::2], np.array([0, 2, 5]))
    assert column.to_bytes() == [np.array(row, np.uint16).tobytes() for row in ([0, 2], [4, 6, 8])]


@given(raggeds())
def test_dividing_and_joining_changes_nothing(column: Ragged) -> None:
    middle = len(column) // 2
    joined = Ragged.concat([column.view(0, middle), column.view(middle, len(column))])
    assert _row_lists(joined) == _row_lists(column)
    assert _row_lists(column.take(np.arange(len(column)))) == _row_lists(column)


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_rows(dtype: str) -> None:
    empty = Ragged(numbers(dtype, (0,), 0), np.zeros(1, np.int64))
    assert len(empty) == 0 and empty.to_bytes() == [] and empty.lengths.tolist() == []
    assert len(empty.take(np.empty(0, np.int64))) == 0
    assert len(Ragged.concat([empty, empty])) == 0


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        Ragged.from_bytes([b"\xff"]).to_texts()
