"""Turned bytes are those of numpy, and nothing else is touched."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.transpose import transpose

SIDE = st.one_of(st.integers(1, 9), st.integers(15, 41))


@given(SIDE, SIDE, st.integers(0, 9), st.integers(0, 9), st.integers(0, 3))
def test_rows_become_columns(rows: int, columns: int, more: int, more_out: int, start: int) -> None:
    rng = np.random.default_rng(rows * 100 + columns)
    source = rng.integers(0, 256, start + rows * (columns + more), np.uint8)
    target = np.full(start + columns * (rows + more_out) + 5, 7, np.uint8)
    transpose(source, start, columns + more, target, start, rows + more_out, rows, columns)
    table = source[start:].reshape(rows, columns + more)[:, :columns]
    out = target[start : start + columns * (rows + more_out)].reshape(columns, rows + more_out)
    assert (out[:, :rows] == table.T).all()
    assert (out[:, rows:] == 7).all() and (target[:start] == 7).all() and (target[-5:] == 7).all()
