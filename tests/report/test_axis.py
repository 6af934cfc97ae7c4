"""An axis for any numbers: every row has a bar, and every bar a place."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.report.axis import BARS, Axis
from sslpipe.report.spread import Spread

NUMBERS = st.lists(st.integers(0, 40) | st.integers(0, 10**9) | st.floats(0, 1) | st.floats(-1e6, 1e6), min_size=1, max_size=50)
MARKS = st.lists(st.integers(0, 100) | st.floats(0, 1e5), max_size=2)


def spread_of(numbers: list[float]) -> Spread:
    spread = Spread(1)
    spread.add(np.array(numbers, np.float64), np.zeros(len(numbers), np.int64))
    return spread


@given(NUMBERS, MARKS)
def test_every_row_has_a_bar_and_every_bar_a_place(numbers: list[float], marks: list[float]) -> None:
    spread = spread_of(numbers)
    axis = Axis.of(spread, marks)
    edges = np.array(axis.edges)
    assert 2 <= len(edges) <= 6 * BARS and np.isfinite(edges).all() and (np.diff(edges) > 0).all()
    assert int(spread.binned(axis.edges).sum()) == len(numbers)
    places = [axis.place(edge) for edge in axis.edges]
    assert places[0] == 0 and math.isclose(places[-1], 1) and places == sorted(places)
    assert all(0 <= axis.place(value) <= 1 for value in (*numbers, *marks))
    ticks, slack = axis.ticks(), 1e-9 * (abs(edges[0]) + abs(edges[-1]))
    assert len(ticks) <= 14 and all(edges[0] - slack <= tick <= edges[-1] + slack for tick in ticks)


@given(NUMBERS, MARKS)
def test_almost_all_rows_lie_between_the_ends(numbers: list[float], marks: list[float]) -> None:
    spread = spread_of(numbers)
    bins = spread.binned(Axis.of(spread, marks).edges).sum(axis=1)
    nothing = sum(abs(number) <= max(map(abs, numbers)) / 1e9 for number in numbers)
    few = math.ceil(0.005 * len(numbers))
    assert bins[0] <= max(nothing, few) and bins[-1] <= few


def test_few_integers_have_a_bar_each() -> None:
    axis = Axis.of(spread_of([0, 3, 8, 8, 1]))
    assert axis == Axis(tuple(number - 0.5 for number in range(10)), "each")
    assert axis.ticks() == [0, 2, 4, 6, 8]


def test_numbers_of_many_sizes_have_a_logarithmic_axis() -> None:
    axis = Axis.of(spread_of([0, 1, 2, 5, 10, 100, 5000, *[20] * 10]), [50])
    assert axis.scale == "log" and axis.edges[0] == 1 and axis.edges[-1] > 5000
    assert math.isclose(axis.place(10) - axis.place(1), axis.place(1000) - axis.place(100))
    assert axis.ticks() == [1, 10, 100, 1000]


def test_shares_have_an_even_axis() -> None:
    axis = Axis.of(spread_of([0.2, 0.5, 0.55, 0.81]), [0.8])
    assert axis.scale == "linear" and axis.edges[0] == 0 and 0.8 < axis.edges[-1] < 0.9
    assert math.isclose(axis.place(0.4) / axis.place(0.8), 0.5)


def test_a_threshold_far_off_does_not_squeeze_an_even_axis() -> None:
    numbers = [float(number) for number in range(50, 200)]
    assert Axis.of(spread_of(numbers), [300]).edges[-1] >= 300
    assert Axis.of(spread_of(numbers), [100_000]).edges[-1] < 300


def test_single_rows_far_away_stand_at_the_end() -> None:
    numbers = [*(float(number) for number in range(100, 1100)), 9000.0]
    axis = Axis.of(spread_of(numbers))
    assert axis.edges[-1] < 1300 and int(spread_of(numbers).binned(axis.edges)[-1].sum()) == 1
