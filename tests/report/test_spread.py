"""Counts by value, whatever the order and the batches."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.report import spread as module
from sslpipe.report.spread import DIGITS, Spread

NUMBERS = st.lists(
    st.integers(-300, 511)
    | st.floats(-1e100, 1e100).filter(lambda number: not 0 < abs(number) < 1e-100)
    | st.integers(0, 2**60),
    max_size=60,
)


def counted(numbers: list[float], batch: int = 7) -> Spread:
    """The numbers in batches, each of the class of its position."""
    spread = Spread(3)
    for start in range(0, len(numbers), batch):
        part = np.array(numbers[start : start + batch], np.float64)
        spread.add(part, np.arange(start, start + len(part)) % 3)
    return spread


@given(NUMBERS, st.integers(1, 60))
def test_groups_are_narrow_and_lose_nothing(numbers: list[float], batch: int) -> None:
    spread = counted(numbers, batch)
    assert len(spread) == len(numbers) and spread.strange == 0
    assert spread.counts.tolist() == [len(numbers[place::3]) for place in range(3)]
    values = spread.values
    assert (np.diff(values) > 0).all()
    for number in numbers:
        group = values[np.searchsorted(values, float(number), side="right") - 1]
        assert group <= number and abs(number - group) <= abs(group) * 2.0**-DIGITS + 1e-300
    assert spread.whole == all(float(number).is_integer() for number in numbers)


@given(st.lists(st.integers(-511, 511), min_size=1, max_size=80), st.data())
def test_small_integers_are_counted_exactly(numbers: list[int], data: st.DataObject) -> None:
    edges = sorted(data.draw(st.lists(st.integers(-600, 600), min_size=1, max_size=9, unique=True)))
    bins = counted(list(map(float, numbers))).binned([float(edge) for edge in edges]).sum(axis=1)
    bounds = [-math.inf, *edges, math.inf]
    assert bins.tolist() == [sum(a <= n < b for n in numbers) for a, b in itertools.pairwise(bounds)]


@given(st.lists(st.integers(0, 400), min_size=1), st.floats(0, 1))
def test_a_quantile_divides(numbers: list[int], share: float) -> None:
    found = counted(list(map(float, numbers))).quantile(share)
    assert sum(number < found for number in numbers) <= share * len(numbers) + 1e-9
    assert sum(number <= found for number in numbers) >= share * len(numbers) - 1e-9


@given(NUMBERS, st.lists(st.floats(-1e9, 1e9) | st.integers(-100, 10**6), max_size=3))
def test_no_group_has_numbers_on_both_sides_of_a_cut(numbers: list[float], cuts: list[float]) -> None:
    spread = Spread(1, cuts)
    for number in numbers:
        spread.add(np.array([number], np.float64), np.zeros(1, np.int64))
    assert (np.diff(spread.values) > 0).all() and len(spread) == len(numbers)
    for cut in cuts:
        assert spread.binned([cut])[:, 0].tolist() == [
            sum(float(n) < cut for n in numbers),
            sum(float(n) >= cut for n in numbers),
        ]


def test_groups_across_a_cut_are_caught() -> None:
    """Without cuts, the two are one group."""
    numbers, cut = np.array([999_944.0, 999_945.0]), 999_945.0
    for cuts, wanted in (([], [2, 0]), ([cut], [1, 1])):
        spread = Spread(1, cuts)
        spread.add(numbers, np.zeros(2, np.int64))
        assert spread.binned([cut])[:, 0].tolist() == wanted


def test_what_is_no_number_is_counted_apart() -> None:
    spread = counted([1.0, math.nan, math.inf, -math.inf, 2.0, 1e200, -1e300, 1e-200])
    assert (len(spread), spread.strange, spread.whole) == (3, 5, True)
    assert spread.values.tolist() == [0, 1, 2]
    assert Spread(1).quantile(0.5) == 0.0


def test_memory_follows_from_the_range() -> None:
    spread = Spread(1)
    rng = np.random.default_rng(0)
    for _ in range(20):
        spread.add(rng.integers(0, 2**40, 20_000), np.zeros(20_000, np.int64))
    assert len(spread) == 400_000 and len(spread.values) < 41 * 2**DIGITS


def test_groups_out_of_order_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative numbers have their bits the other way round."""
    assert (np.diff(counted([-2.0, -1.0, 3.0]).values) > 0).all()
    monkeypatch.setattr(module, "_codes", lambda values: values.view(np.int64) >> module._SHIFT)
    assert counted([-2.0, -1.0, 3.0]).values.tolist() != [-2.0, -1.0, 3.0]
