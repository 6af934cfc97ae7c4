"""The numbers that a page draws: measures of the ledger, and the shares that filters take of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.building.thresholds import Line
from sslpipe.report.spread import Spread

Column = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""A measure of every row of a batch, and whether the row has it."""

Key = tuple[int, str, tuple[str, ...], int]
"""Segment, part, whole and unit: what makes two series the same."""

PASSED, DROPPED, ELSEWHERE = range(3)
"""Classes of rows in a histogram: went on, dropped by a threshold that is drawn in it, dropped for another reason."""

MAX_SERIES: Final = 100
"""How many are counted; a build has some dozens."""


@dataclass(eq=False)
class Series:
    """One number of every row: a measure, or one as a share of others, with the thresholds that it is compared with."""

    segment: int
    """Later segments enter only the rows that they drop."""
    part: str
    whole: tuple[str, ...] = ()
    unit: int = 1
    lines: Sequence[Line] = ()
    spread: Spread = field(init=False)
    without: int = 0
    """Rows that have no share, since the whole is 0."""

    def __post_init__(self) -> None:
        self.spread = Spread(
            3, [_first_beyond(line) if line.limit.drops == "above" else line.limit.value for line in self.lines]
        )

    def add(self, numbers: Mapping[str, Column], reasons: Sequence[str], reason: NDArray[np.int64]) -> None:
        """Count a batch; `reason` is per row the place of its reason among `reasons`, -1 for a row that went on."""
        values, there = numbers[self.part]
        whole = np.full(len(values), float(self.unit))
        for name in self.whole:
            factor, also = numbers[name]
            whole, there = whole * factor, there & also
        self.without += int((there & (whole == 0)).sum())
        there = there & (whole != 0)
        values = np.divide(values, whole, out=np.zeros_like(values), where=there)
        mine = {line.limit.reason for line in self.lines}
        classes = np.array([PASSED, *(DROPPED if name in mine else ELSEWHERE for name in reasons)])
        self.spread.add(values[there], classes[reason[there] + 1])

    @property
    def dropped(self) -> int:
        """Rows that one of the thresholds dropped."""
        return int(self.spread.counts[DROPPED])


def series_of(lines: Iterable[Line]) -> dict[Key, Series]:
    """A series for all the thresholds that one number is compared with, in their order."""
    found: dict[Key, list[Line]] = {}
    for line in lines:
        found.setdefault((line.segment, line.part, line.whole, line.limit.unit), []).append(line)
    return {key: Series(*key, lines=mine) for key, mine in found.items()}


def _first_beyond(line: Line) -> float:
    """The least number above a threshold: the threshold itself still belongs to what stays."""
    return float(np.nextafter(line.limit.value, np.inf))
