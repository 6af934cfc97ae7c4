"""The same few, in whatever order and batches they come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.report.smallest import Smallest


def kept(hashes: list[int], count: int, batch: int) -> list[int]:
    few = Smallest[int](count)
    for start in range(0, len(hashes), batch):
        part = np.array(hashes[start : start + batch], np.uint64)
        for place in few.wanted(part):
            few.offer(int(part[place]), int(part[place]))
    return few.items()


HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=80, unique=True)


@given(HASHES, st.integers(0, 9), st.integers(1, 30))
def test_the_smallest_are_kept_in_order(hashes: list[int], count: int, batch: int) -> None:
    assert kept(hashes, count, batch) == sorted(hashes)[:count]


@given(HASHES, st.integers(1, 9))
def test_no_more_is_made_than_could_be_kept(hashes: list[int], count: int) -> None:
    assert len(Smallest[int](count).wanted(np.array(hashes, np.uint64))) <= max(count, 0)


def test_of_equal_hashes_the_first_stays_and_items_are_never_compared() -> None:
    few = Smallest[dict[str, int]](2)
    for number in range(5):
        few.offer(7, {"number": number})
    assert few.items() == [{"number": 0}, {"number": 1}]


def test_taking_the_first_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Smallest, "_fits", lambda self, _: len(self._held) < self._count)
    assert kept([9, 8, 1, 2], 2, 1) != [1, 2]
