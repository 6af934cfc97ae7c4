"""Rows out of thin air, and what they look like as plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows

DTYPES = ("uint8", "uint16", "uint32", "int64", "float32", "bool")
"""Dtypes that columns come in; random bits of a float may be NaN, so values are compared as bytes."""


def random_keys(count: int, seed: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Keys as good as hashed ones."""
    pair = np.random.default_rng(seed).integers(0, 2**64, (2, count), np.uint64)
    return pair[0], pair[1]


def random_names(count: int, seed: int = 0) -> Names:
    """Names of whole rows."""
    return Names.from_keys(*random_keys(count, seed))


def numbers(dtype: str, shape: tuple[int, ...], seed: int) -> NDArray[Any]:
    """An array of random values of a dtype."""
    return np.random.default_rng(seed).integers(0, 2 if dtype == "bool" else 200, shape).astype(dtype)


@st.composite
def raggeds(draw: st.DrawFn, count: int | None = None, dtype: str | None = None) -> Ragged:
    """Ragged columns, some of them views into a longer one."""
    dtype = dtype or draw(st.sampled_from(DTYPES))
    rows = draw(st.integers(0, 7)) if count is None else count
    lengths = draw(st.lists(st.integers(0, 5), min_size=rows, max_size=rows))
    before, after = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    every = [3] * before + lengths + [2] * after
    column = Ragged.from_lengths(numbers(dtype, (sum(every),), draw(st.integers(0, 999))), np.array(every, np.int64))
    return column.view(before, before + rows)


@st.composite
def named(draw: st.DrawFn, count: int) -> Names:
    """Names of all kinds: whole rows, repeated ones, pieces."""
    high, low = random_keys(count, draw(st.integers(0, 999)))
    occurrence = np.array(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)), np.uint32)
    offset = np.array(draw(st.lists(st.integers(-1, 3), min_size=count, max_size=count)), np.int64)
    return Names(high, low, occurrence, offset)


@st.composite
def batches(draw: st.DrawFn, count: int | None = None) -> Rows:
    """Batches with ragged, flat and two-dimensional columns of several dtypes."""
    rows = draw(st.integers(0, 6)) if count is None else count
    seed = draw(st.integers(0, 999))
    columns: dict[str, Column] = {f"ragged_{dtype}": draw(raggeds(rows, dtype)) for dtype in DTYPES}
    for dtype in DTYPES:
        columns[f"flat_{dtype}"] = numbers(dtype, (rows,), seed)
        columns[f"grid_{dtype}"] = numbers(dtype, (rows, 2, 3), seed + 1)
    return Rows(draw(named(rows)), columns)


def cells(column: Column) -> list[tuple[str, tuple[int, ...], bytes]]:
    """Each row as dtype, shape and bytes."""
    return [(column[row].dtype.str, column[row].shape, column[row].tobytes()) for row in range(len(column))]


def plain(rows: Rows) -> tuple[list[str], dict[str, list[tuple[str, tuple[int, ...], bytes]]]]:
    """A batch as Python values that compare."""
    return rows.names.texts(), {name: cells(column) for name, column in rows.columns.items()}
