"""The axis of a histogram: which bars, and where they and the thresholds stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sslpipe.report.spread import Spread

BARS: Final = 40
"""About how many bars a histogram has."""
_STEEP: Final = 20
"""An axis is logarithmic where the large numbers are so many times the middle one."""
_FAR: Final = 1e9
"""What is so many times smaller or larger than most has no place on a logarithmic axis either."""
_ENDS: Final = 0.005
"""The share of rows at either end that doesn't count when the axis is chosen, and then stands in a bar of its own ..."""
_ROOM: Final = 1.5
"""... unless the axis with them is no more than so many times as long."""


@dataclass(frozen=True)
class Axis:
    """Bars from edge to edge: one for each integer, of equal width, or of equal ratio."""

    edges: tuple[float, ...]
    scale: Literal["each", "linear", "log"]

    @classmethod
    def of(cls, spread: Spread, marks: Sequence[float] = ()) -> Axis:
        """An axis for these numbers, with the marks on it where they aren't too far off."""
        low, high, middle = _span(spread)
        low, high = (
            min([low, *(mark for mark in marks if mark >= low - (high - low))]),
            max(high, *_near(marks, low, high), low),
        )
        if spread.whole and high - low <= BARS:
            return cls(tuple(number - 0.5 for number in range(math.floor(low), math.ceil(high) + 2)), "each")
        if low >= 0 and high > _STEEP * max(middle, high / 1e6):
            least = next((value for value in spread.values.tolist() if value > 0), high)
            near = [mark for mark in marks if high / _FAR <= mark <= high * _FAR]
            return cls(_log_edges(min([max(least, low, high / _FAR), *near]), max(high, *near, 0), spread.whole), "log")
        return cls(_even_edges(0.0 if 0 <= low < high / 2 else low, high, spread.whole), "linear")

    def place(self, value: float) -> float:
        """Where a number stands between the first edge, 0, and the last, 1; beyond either it stands at the end."""
        first, last = self.edges[0], self.edges[-1]
        value = min(max(value, first), last)
        if self.scale == "log":
            return (math.log(value) - math.log(first)) / (math.log(last) - math.log(first))
        return (value - first) / (last - first)

    def ticks(self) -> list[float]:
        """The numbers that are written below the axis."""
        first, last = self.edges[0], self.edges[-1]
        if self.scale == "log":
            powers = [
                10.0**power for power in range(math.ceil(math.log10(first) - 1e-9), math.floor(math.log10(last) + 1e-9) + 1)
            ]
            if len(powers) >= 3:
                return powers[:: math.ceil(len(powers) / 6)]
            start = math.floor(math.log10(first))
            fine = [digit * 10.0**power for power in range(start, start + 4) for digit in (1, 2, 5)]
            return [value for value in fine if first <= value <= last]
        step = _nice((last - first) / 5)
        if self.scale == "each":
            step = max(1.0, step)
        return [number * step for number in range(math.ceil(first / step), math.floor(last / step) + 1)]


def _span(spread: Spread) -> tuple[float, float, float]:
    """The range that an axis should have, and the middle number; the ends are left out where they are far from all others."""
    low, high, middle = (spread.quantile(share) for share in (_ENDS, 1 - _ENDS, 0.5))
    least, most = spread.values[0], spread.values[-1]
    if most - least <= _ROOM * (high - low) or (spread.whole and most - least <= BARS):
        return float(least), float(most), middle
    return low, high, middle


def _near(marks: Sequence[float], low: float, high: float) -> list[float]:
    """Marks above the numbers that an even axis can show without crowding the bars into a corner."""
    return [mark for mark in marks if mark <= high + (high - min(low, 0.0))]


def _log_edges(first: float, last: float, whole: bool) -> tuple[float, ...]:
    fine = next((fine for fine in (40, 20, 10, 5, 2) if math.log10(last / first) * fine <= BARS), 1)
    start, stop = math.floor(math.log10(first) * fine + 1e-9), math.floor(math.log10(last) * fine + 1e-9) + 1
    edges = [10.0 ** (number / fine) for number in range(start, stop + 1)]
    if not whole:
        return tuple(edges)
    rounded = tuple(dict.fromkeys(max(1.0, math.ceil(edge - 1e-9)) for edge in edges))
    return rounded if len(rounded) > 1 else (rounded[0], rounded[0] + 1)


def _even_edges(low: float, high: float, whole: bool) -> tuple[float, ...]:
    step = _nice((high - low) / BARS)
    step = max(1.0, step) if whole else step
    start = math.floor(low / step)
    return tuple(number * step for number in range(start, math.floor(high / step) + 2))


def _nice(step: float) -> float:
    """The next of 1, 2, 5, 10, ... times a power of ten."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * (1 - 1e-9))
