"""How often rows repeat, and those that repeat most."""

from __future__ import annotations

from typing import Final

from sslpipe.report.drawing import single
from sslpipe.report.findings import Findings, Likes
from sslpipe.report.html import Html, joined, tag
from sslpipe.report.sections.cards import contents, path
from sslpipe.report.sections.outcomes import percent

_BUCKETS: Final = ((2, 2), (3, 3), (4, 4), (5, 9), (10, 99), (100, 999), (1000, 9999), (10_000, None))
"""Sizes of groups that stand in one line, from and to."""


def duplicates(found: Findings) -> Html | None:
    """How large the groups of like rows are, and the largest of them."""
    if not found.sizes:
        return None
    names = [tag("th", name, class_="number") for name in ("groups", "dropped", "share")]
    head = tag("tr", tag("th", "rows in a group"), tag("th", class_="wide"), names)
    body = [_bucket(found, low, high) for low, high in _BUCKETS]
    table = tag("table", tag("thead", head), tag("tbody", body), class_="reasons")
    cards = [_likes(likes) for likes in found.likes]
    return joined(tag("div", table, class_="scroll"), tag("h3", "The largest"), tag("div", cards, class_="cards"))


def _bucket(found: Findings, low: int, high: int | None) -> Html | None:
    mine = {size: count for size, count in found.sizes.items() if size >= low and (high is None or size <= high)}
    dropped, total = sum((size - 1) * count for size, count in mine.items()), found.manifest.totals["duplicate"]
    if not dropped:
        return None
    name = f"{low:,}" if low == high else f"{low:,} and more" if high is None else f"{low:,} to {high:,}"
    numbers = [
        tag("td", sum(mine.values()), class_="number"),
        tag("td", dropped, class_="number", data_dropped=dropped),
        tag("td", percent(dropped, total), class_="number"),
    ]
    return tag("tr", tag("th", name), tag("td", single(dropped / total, "duplicate", 10), class_="wide"), numbers)


def _likes(likes: Likes) -> Html:
    if likes.kept is not None:
        body = contents(likes.kept)
    else:
        body = [tag("p", "The survivor is no row of its own in the dataset.", class_="quiet")]
    rest = likes.size - 1 - len(likes.others)
    lines = [
        tag("li", tag("b", "kept "), path(likes.survivor)) if likes.survivor else None,
        *(tag("li", tag("b", "dropped "), path(other)) for other in likes.others),
        tag("li", f"and {rest:,} more", class_="quiet") if rest else None,
    ]
    title, key = tag("h4", f"{likes.size:,} rows alike"), tag("p", tag("code", likes.key), class_="quiet")
    return tag("article", title, body, tag("ul", lines, class_="paths"), key, class_="card")
