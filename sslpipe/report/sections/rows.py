"""Rows to look at: kept ones with what is in them, dropped and bad ones with where they lay and why they went."""

from __future__ import annotations

from typing import Final

from sslpipe.report.findings import Drop, Findings, by_reason
from sslpipe.report.html import Html, cut, joined, tag
from sslpipe.report.quarantine import BadRecord
from sslpipe.report.sections.cards import DETAIL, card, path
from sslpipe.report.sections.outcomes import REASON

_OPEN: Final = 3
"""So many reasons are unfolded."""


def kept_rows(found: Findings) -> Html:
    """Rows of each source, chosen by hash."""
    if not found.kept:
        return tag("p", "No row was kept, so there is nothing to train on.", class_="warning")
    several = len(found.manifest.by_source) > 1 or len({kept.split for kept in found.kept}) > 1
    return joined(
        tag("p", "Chosen by hash, so they stand for all, and are the same in every report.", class_="quiet"),
        tag("div", [card(kept, f"{kept.source}, {kept.split}" if several else "") for kept in found.kept], class_="cards"),
    )


def dropped_rows(found: Findings) -> Html | None:
    """By reason, where rows lay and by how much they missed; the raw files are not opened."""
    counts = by_reason(found.manifest, "filtered")
    groups = [
        _folded(reason, sum(counts[reason].values()), place, [_drop(drop) for drop in drops])
        for place, (reason, drops) in enumerate(found.dropped.items())
    ]
    how = tag("code", "sslpipe explain OUT KEY")
    said = tag("p", "What was in them is not stored; ", how, " tells the whole story of one.", class_="quiet")
    return joined(said, groups) if groups else None


def bad_records(found: Findings) -> Html | None:
    """By reason, where records lay, what is wrong, and how their bytes begin."""
    counts = by_reason(found.manifest, "quarantined")
    groups = [
        _folded(reason, sum(counts[reason].values()), place, [_bad(record) for record in records])
        for place, (reason, records) in enumerate(found.bad.items())
    ]
    return joined(groups) if groups else None


def _folded(reason: str, count: int, place: int, items: list[Html]) -> Html:
    summary = tag("summary", tag("b", cut(reason, REASON)), tag("span", count, class_="count"))
    return tag("details", summary, tag("ul", items, class_="paths"), open="" if place < _OPEN else None)


def _drop(drop: Drop) -> Html:
    missed = tag("p", cut(drop.missed, DETAIL)) if drop.missed else None
    return tag("li", path(drop.file, drop.place), missed, tag("code", drop.key))


def _bad(record: BadRecord) -> Html:
    start = tag("pre", record.start, dir="auto") if record.start else None
    return tag("li", path(record.file, record.place), tag("p", cut(record.detail, DETAIL)), start)
