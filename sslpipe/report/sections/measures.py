"""Histograms of what was measured, with the thresholds that decided."""

from __future__ import annotations

from typing import Final

from sslpipe.report.findings import Findings
from sslpipe.report.histogram import CLASSES, exact, histogram
from sslpipe.report.html import Child, Html, cut, joined, tag
from sslpipe.report.series import DROPPED, Series

NAME: Final = 80
_OWN: Final = "blank."
"""The measure that every build takes for itself."""


def measures(found: Findings) -> Html | None:
    """Numbers that a filter compares first, then all others."""
    shown = [series for series in found.series if not series.part.startswith(_OWN)]
    decided = [series for series in shown if series.lines and (not series.segment or series.dropped)]
    others = [series for series in shown if series not in decided]
    if not shown:
        return None
    notes: list[Child] = []
    if found.problem:
        notes.append(tag("p", f"Thresholds can't be told: {cut(found.problem, 500)}", class_="warning"))
    if found.more_series:
        notes.append(tag("p", f"{found.more_series:,} more measures are in the ledger.", class_="quiet"))
    others_drawn = tag("div", [_figure(series) for series in others], class_="figures")
    return joined(
        _legend(bool(decided)),
        notes,
        tag("div", [_figure(series) for series in decided], class_="figures") if decided else None,
        tag("details", tag("summary", f"{len(others):,} other numbers"), others_drawn, open=None if decided else "")
        if others
        else None,
    )


def _legend(decided: bool) -> Html:
    shown = [mark for place, mark in CLASSES.items() if decided or place != DROPPED]
    marks = [tag("span", tag("i", class_=f"swatch {colour}"), said, class_="mark") for colour, said in shown]
    return tag("p", marks, class_="legend")


def _figure(series: Series) -> Html:
    name = _short(series.part) + (f" / {' × '.join(map(_short, series.whole))}" if series.whole else "")
    values = series.spread.values
    if not len(values):
        drawn: Child = tag("p", "no number in any row")
    elif len(values) == 1:
        drawn = tag("p", f"{exact(float(values[0]))} in all rows")
    else:
        drawn = histogram(series)
    facts = [f"{len(series.spread):,} rows", series.part.rpartition(".")[0]]
    facts += [f"{series.without:,} without a share"] if series.without else []
    facts += [f"{series.spread.strange:,} are no numbers"] if series.spread.strange else []
    facts += ["only rows that were dropped there"] if series.segment else []
    steps = list(dict.fromkeys(line.step for line in series.lines))
    caption = tag("figcaption", tag("b", cut(name, NAME)), tag("small", cut(" · ".join([*steps, *facts]), 300)))
    return tag("figure", caption, drawn)


def _short(column: str) -> str:
    return column.rpartition(".")[2].replace("_", " ")
