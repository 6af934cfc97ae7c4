"""A histogram of one number, with the thresholds that it is compared with."""

from __future__ import annotations

import itertools
from typing import Final

from sslpipe.building.thresholds import Line
from sslpipe.report.axis import Axis
from sslpipe.report.html import Html, tag
from sslpipe.report.series import DROPPED, ELSEWHERE, PASSED, Series

WIDTH: Final = 480
HEIGHT: Final = 104
LEFT: Final = 40
"""Room for the numbers of the upright axis."""
END: Final = 18
"""The width of the bars at either end, for what lies beyond the axis, with the gap beside them."""
ROW: Final = 17
"""The height of a line of text."""
LETTER: Final = 6.5
"""The width of a letter in it."""

CLASSES: Final = {
    PASSED: ("kept", "went on"),
    DROPPED: ("filtered", "dropped by this"),
    ELSEWHERE: ("other", "dropped by another"),
}
"""How each class of rows is drawn, from the bottom of a bar up, and what it is called."""


def histogram(series: Series) -> Html:
    """The drawing, as wide as there is room."""
    return _Histogram(series).svg()


class _Histogram:
    def __init__(self, series: Series) -> None:
        self.lines, spread = series.lines, series.spread
        self.axis = Axis.of(spread, [line.limit.value for line in self.lines])
        self.bins = spread.binned(self.axis.edges)
        self.zeros = bool((spread.values[spread.values < self.axis.edges[0]] == 0).all())
        """Whether nothing but zeros lies below the axis."""
        before, behind = (bool(self.bins[end].any()) for end in (0, -1))
        self.start = LEFT + (END if before else 0)
        self.stop = WIDTH - (END if behind else 0)
        self.top = ROW * len(self.lines) + 6
        self.base = self.top + HEIGHT
        self.tallest = int(self.bins.sum(axis=1).max())

    def x(self, value: float) -> float:
        return self.start + (self.stop - self.start) * self.axis.place(value)

    def svg(self) -> Html:
        axes = [
            tag("line", x1=LEFT, x2=WIDTH, y1=self.base, y2=self.base, class_="axis"),
            tag("line", x1=LEFT, x2=WIDTH, y1=self.top, y2=self.top, class_="grid"),
            tag("text", written(self.tallest), x=LEFT - 5, y=self.top + 5, class_="upright"),
            tag("text", "0", x=LEFT - 5, y=self.base, class_="upright"),
        ]
        shades = [self.shade(line) for line in self.lines]
        marks = [self.mark(line, place) for place, line in enumerate(self.lines)]
        size = f"0 0 {WIDTH} {self.base + ROW}"
        return tag("svg", shades, axes, self.bars(), self.ticks(), marks, viewBox=size, class_="histogram", role="img")

    def bars(self) -> list[Html]:
        edges = [self.x(edge) for edge in self.axis.edges]
        names = [written(edge) for edge in self.axis.edges]
        if self.axis.scale == "each":
            said = [written(edge + 0.5) for edge in self.axis.edges[:-1]]
        else:
            said = [f"{a} to {b}" for a, b in itertools.pairwise(names)]
        places: list[tuple[float, float, str]] = [(LEFT, END - 4.0, "0" if self.zeros else f"below {names[0]}")]
        places += [(a, b - a, name) for a, b, name in zip(edges[:-1], edges[1:], said, strict=True)]
        places += [(self.stop + 4, END - 4.0, f"{names[-1]} and above")]
        return [self.bar(*place, counts) for place, counts in zip(places, self.bins.tolist(), strict=True) if sum(counts)]

    def bar(self, at: float, width: float, name: str, counts: list[int]) -> Html:
        """Rows of one range: the classes one above the other, each high enough to be seen."""
        y, parts = float(self.base), []
        for place, (colour, _) in CLASSES.items():
            if counts[place]:
                height = max(1.0, HEIGHT * counts[place] / self.tallest)
                y -= height
                parts.append(tag("rect", x=at + 0.4, y=y, width=max(width - 0.8, 0.8), height=height, class_=colour))
        told = ", ".join(f"{counts[place]:,} {said}" for place, (_, said) in CLASSES.items() if counts[place])
        return tag("g", tag("title", f"{name}: {told}"), parts, data_rows=" ".join(map(str, counts)))

    def ticks(self) -> list[Html]:
        ends = [(LEFT + (END - 4) / 2, "0" if self.zeros else "<")] if self.start > LEFT else []
        ends += [(self.stop + 4 + (END - 4) / 2, ">")] if self.stop < WIDTH else []
        inner = [(min(self.x(tick), WIDTH - LETTER * len(written(tick)) / 2), written(tick)) for tick in self.axis.ticks()]
        clear = [(at, name) for at, name in inner if all(abs(at - other) > LETTER * (len(name) + 3) / 2 for other, _ in ends)]
        return [tag("text", name, x=at, y=self.base + 14, class_="tick") for at, name in [*ends, *clear]]

    def threshold(self, line: Line) -> float:
        """Where a threshold stands; among bars of single integers beside that of the last one that stays."""
        off = 0.0 if self.axis.scale != "each" else -0.5 if line.limit.drops == "below" else 0.5
        return self.x(line.limit.value + off)

    def shade(self, line: Line) -> Html:
        at, below = self.threshold(line), line.limit.drops == "below"
        width = at - LEFT if below else WIDTH - at
        return tag("rect", x=LEFT if below else at, y=self.top, width=max(width, 0.0), height=HEIGHT, class_="shade")

    def mark(self, line: Line, row: int) -> Html:
        at, limit, y = self.threshold(line), line.limit, ROW * row + 12
        beyond = limit.value > self.axis.edges[-1]
        name = f"{limit.field} {exact(limit.value)}" + (" →" if beyond else "")
        early = at < (LEFT + WIDTH) / 2
        text = tag("text", name, x=at + (5 if early else -5), y=y, class_="limit start" if early else "limit end")
        return tag("g", tag("line", x1=at, x2=at, y1=y - 9, y2=self.base, class_="limit"), text)


def written(value: float) -> str:
    """A number in few letters: `0.05`, `120`, `1.5k`, `20M`."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{float(f'{value:.3g}') / size:g}{unit}"
    return f"{float(f'{value:.3g}'):g}"


def exact(value: float) -> str:
    """A threshold as it was given."""
    return f"{int(value):,}" if value == int(value) else repr(value)
