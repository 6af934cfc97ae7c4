"""What became of every record, by source and by reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sslpipe.report.drawing import single, stacked
from sslpipe.report.findings import REASONS, Findings, by_reason
from sslpipe.report.html import Child, Html, cut, joined, tag
from sslpipe.shards.commits import totals

OUTCOMES: Final = ("kept", "filtered", "duplicate", "quarantined", "erased")
REASON: Final = 80
"""Characters of a reason."""
_SOURCES: Final = 4
"""So many sources are named beside a reason."""
_SUFFIXES: Final = 12


def outcomes(found: Findings) -> Html:
    """A table of sources, one of reasons, and what was not read at all."""
    return joined(_legend(found), _by_source(found), _by_reason(found), _unread(found))


def percent(part: int, whole: int) -> str:
    """A share in words: `4.5 %`."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def _shown(found: Findings) -> list[str]:
    """The outcomes worth a column: that rows can be erased need not be said where none is."""
    return [name for name in OUTCOMES if name != "erased" or found.manifest.totals["erased"]]


def _legend(found: Findings) -> Html:
    marks = [tag("span", tag("i", class_=f"swatch {name}"), name, class_="mark") for name in _shown(found)]
    return tag("p", marks, class_="legend")


def _by_source(found: Findings) -> Html:
    columns = ("read", *_shown(found))
    sources = {source: totals({source: counts}) for source, counts in sorted(found.manifest.by_source.items())}
    head = tag("tr", tag("th", "source"), tag("th", class_="wide"), [tag("th", name, class_="number") for name in columns])
    body = [_source_row(source, counts, columns) for source, counts in sources.items()]
    foot = tag("tfoot", _source_row("all", found.manifest.totals, columns)) if len(sources) > 1 else None
    return _table(tag("thead", head), tag("tbody", body), foot, class_="sources")


def _source_row(source: str, counts: Mapping[str, int], columns: tuple[str, ...]) -> Html:
    bar = stacked({name: counts[name] for name in OUTCOMES}, 14)
    numbers = [tag("td", counts[name], class_="number", data_outcome=name) for name in columns]
    return tag("tr", tag("th", source), tag("td", bar, class_="wide"), numbers)


def _by_reason(found: Findings) -> Html | None:
    rows: list[Html] = []
    read = found.manifest.totals["read"]
    for outcome in ("filtered", "duplicate", "quarantined"):
        total = found.manifest.totals[outcome]
        if not total:
            continue
        by_source = {source: counts.get(outcome, 0) for source, counts in found.manifest.by_source.items()}
        named = {source: count for source, count in by_source.items() if count}
        rows.append(_reason_row(outcome, "", total, read, named, "total"))
        listed = list(by_reason(found.manifest, outcome).items())
        rows += [
            _reason_row(outcome, reason, sum(counts.values()), read, counts, "reason") for reason, counts in listed[:REASONS]
        ]
        rest = sum(sum(counts.values()) for _, counts in listed[REASONS:])
        if rest:
            rows.append(_reason_row(outcome, f"{len(listed) - REASONS:,} other reasons", rest, read, {}, "reason"))
    return _table(tag("tbody", rows), class_="reasons") if rows else None


def _reason_row(outcome: str, reason: str, count: int, read: int, counts: Mapping[str, int], kind: str) -> Html:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named: Child = None
    if len(ranked) > 1:
        more = [f"{len(ranked) - _SOURCES:,} more sources"] if len(ranked) > _SOURCES else []
        told = ", ".join([*(f"{source} {number:,}" for source, number in ranked[:_SOURCES]), *more])
        named = tag("small", told)
    name = tag("th", cut(reason, REASON) or outcome, named)
    bar = tag("td", single(count / read, outcome, 10), class_="wide")
    numbers = [tag("td", count, class_="number", data_outcome=outcome), tag("td", percent(count, read), class_="number")]
    return tag("tr", name, bar, numbers, class_=kind)


def _unread(found: Findings) -> Html | None:
    lines = []
    for source, counts in sorted(found.manifest.unread.items()):
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        rest = sum(count for _, count in ranked[_SUFFIXES:])
        told = [f"{cut(name, 20)} {count:,}" for name, count in ranked[:_SUFFIXES]] + ([f"others {rest:,}"] if rest else [])
        lines.append(tag("li", f"{source}: {sum(counts.values()):,} files ({', '.join(told)})"))
    return (
        tag("div", tag("p", "Files that no reader claims, by suffix; they were not read:"), tag("ul", lines)) if lines else None
    )


def _table(*children: Child, class_: str) -> Html:
    return tag("div", tag("table", *children, class_=class_), class_="scroll")
