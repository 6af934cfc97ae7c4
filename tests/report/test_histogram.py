"""Histograms count every row, and have their thresholds where the rows change colour."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.building.thresholds import Line
from sslpipe.core.steps import Limit
from sslpipe.report import histogram as module
from sslpipe.report.histogram import exact, histogram, written
from sslpipe.report.series import Series, series_of


def series(values: list[float], value: float, drops: str = "below", other: int = 0) -> Series:
    """Rows judged by one threshold; every `other`-th of those that stay is dropped by something else."""
    limit = Limit("r.this", "n", (), "min_n" if drops == "below" else "max_n", value, drops)  # type: ignore[arg-type]
    (made,) = series_of([Line(0, "filters.x", "m.n", (), limit)]).values()
    array = np.array(values, np.float64)
    beyond = array < value if drops == "below" else array > value
    elsewhere = ~beyond & (np.arange(len(array)) % other == 0) if other else np.zeros(len(array), np.bool_)
    made.add(
        {"m.n": (array, np.ones(len(array), np.bool_))}, ["r.other", "r.this"], np.where(beyond, 1, np.where(elsewhere, 0, -1))
    )
    return made


def bars(svg: str) -> list[tuple[float, float, list[int]]]:
    """Each bar: where it starts, where it ends, and its rows by class."""
    found = []
    for rows, body in re.findall(r'<g data-rows="([\d ]+)">(.*?)</g>', svg):
        x, width = (float(value) for value in re.findall(r'x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', body)[0])
        found.append((x, x + width, [int(count) for count in rows.split()]))
    return found


def line(svg: str) -> float:
    return float(re.findall(r'<line x1="([\d.]+)" x2="[\d.]+" y1="[\d.-]+" y2="[\d.]+" class="limit"', svg)[0])


def misplaced(made: Series, drops: str) -> list[int]:
    """Rows that stay or go in bars that lie wholly on the wrong side of the threshold.

    A bar that begins or ends at it is on neither: it may hold the threshold itself.
    """
    svg = histogram(made)
    at = line(svg)
    counts = []
    for left, right, (passed, dropped, _) in bars(svg):
        before, behind = right < at - 1, left > at + 1
        gone, here = (before, behind) if drops == "below" else (behind, before)
        counts.append((passed if gone else 0) + (dropped if here else 0))
    return counts


NUMBERS = st.lists(st.integers(0, 60) | st.integers(0, 10**6), min_size=2, max_size=60)


@given(NUMBERS, st.integers(0, 4))
def test_every_row_is_counted_once(values: list[int], other: int) -> None:
    made = series(list(map(float, values)), 20, other=other)
    counts = np.array([rows for *_, rows in bars(histogram(made))])
    assert counts.sum(axis=0).tolist() == made.spread.counts.tolist() and int(counts.sum()) == len(values)


@given(NUMBERS, st.integers(1, 10**6), st.sampled_from(["below", "above"]))
def test_the_threshold_stands_where_rows_change_colour(values: list[int], value: int, drops: str) -> None:
    assert not any(misplaced(series([float(number) for number in values], value, drops), drops))


def test_a_threshold_in_another_place_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [float(number) for number in range(20)]
    assert not any(misplaced(series(values, 7), "below"))
    monkeypatch.setattr(module._Histogram, "threshold", lambda self, line: self.x(2 * line.limit.value))
    assert any(misplaced(series(values, 7), "below"))


def test_a_threshold_beyond_all_rows_is_an_arrow() -> None:
    svg = histogram(series([float(number) for number in range(100, 300)], 50_000, "above"))
    assert ">max_n 50,000 →</text>" in svg
    assert ">min_n 150</text>" in histogram(series([float(number) for number in range(100, 300)], 150))


def test_shares_of_products_in_other_units() -> None:
    limit = Limit("r.dc", "dc", ("frames", "channels"), "max_dc", 0.5, "above", 4)
    (made,) = series_of([Line(0, "filters.x", "m.dc", ("m.frames", "m.channels"), limit)]).values()
    there = np.array([True, True, True, False])
    numbers = {
        "m.dc": (np.array([40.0, 8.0, 1.0, 9.0]), there),
        "m.frames": (np.array([5.0, 1.0, 0.0, 1.0]), np.ones(4, np.bool_)),
        "m.channels": (np.array([2.0, 4.0, 1.0, 1.0]), np.ones(4, np.bool_)),
    }
    made.add(numbers, ["r.dc"], np.array([0, -1, -1, -1]))
    assert made.spread.values.tolist() == [0.5, 1.0] and made.spread.counts.tolist() == [1, 1, 0]
    assert made.without == 1, "a share of nothing is none"
    assert made.dropped == 1


def test_numbers_in_few_letters() -> None:
    told = [written(value) for value in (0, 0.05, 1, 12.345, 999, 1500, 20_000_000, 1e-5, -2500)]
    assert told == ["0", "0.05", "1", "12.3", "999", "1.5k", "20M", "1e-05", "-2.5k"]
    assert [exact(value) for value in (50, 100_000.0, 0.1, 3.25)] == ["50", "100,000", "0.1", "3.25"]
