"""Padding and ends of documents against plain loops."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.kernels.collate import document_ends, pad_rows


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(-100, 100))
def test_rows_are_padded(lengths: list[int], padding: int) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.arange(offsets[-1], dtype=np.int64)
    out = np.empty((len(lengths), max(lengths)), np.int64)
    pad_rows(values, offsets, padding, out)
    wanted = [[*values[a:b].tolist(), *[padding] * (max(lengths) - (b - a))] for a, b in itertools.pairwise(offsets)]
    assert out.tolist() == wanted


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(-1, 2), min_size=4, max_size=4), min_size=0, max_size=5))
def test_documents_end_where_the_number_or_the_row_changes(lines: list[list[int]]) -> None:
    documents = np.array(lines, np.int32).reshape(-1, 4)
    runs: list[tuple[int, int, int]] = []
    for row, line in enumerate(lines):
        for number in (number for number in line if number != -1):
            if runs and runs[-1][:2] == (row, number):
                runs[-1] = (row, number, runs[-1][2] + 1)
            else:
                runs.append((row, number, 1))
    ends = np.full(documents.size + 1, 77, np.int32)
    written, longest = document_ends(documents, ends)
    assert ends[:written].tolist() == [0, *np.cumsum([size for *_, size in runs]).tolist()]
    assert longest == max((size for *_, size in runs), default=0)
