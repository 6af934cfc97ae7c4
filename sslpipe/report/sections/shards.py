"""The shards: how many, how large, and what a row of them holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from sslpipe.report.findings import Findings
from sslpipe.report.html import Html, joined, tag
from sslpipe.report.sections.overview import UNITS, of_bytes
from sslpipe.shards.manifest import SPLITS, ShardEntry

BARS: Final = 240
LISTED: Final = 200
WIDTH: Final = 960
HEIGHT: Final = 60


def shards(found: Findings) -> Html:
    """Totals by split, a strip of sizes, the fields of a row, and the list of files."""
    manifest = found.manifest
    names = [name for name in manifest.fields if any(name in shard.elements for shard in manifest.shards)]
    head = ["", "shards", "rows", "bytes", *(f"{UNITS.get(manifest.fields[name].kind, 'elements')} ({name})" for name in names)]
    parts = [(split, manifest.split(split)) for split in SPLITS if manifest.split(split)]
    rows = [_split_row(split, mine, names) for split, mine in parts]
    table = tag(
        "table",
        tag("thead", tag("tr", [tag("th", name, class_="number" if name else None) for name in head])),
        tag("tbody", rows),
    )
    strips = [
        tag("figure", tag("figcaption", tag("b", split), tag("small", _said(mine))), _strip(mine)) for split, mine in parts
    ]
    return joined(tag("div", table, class_="scroll"), strips, _fields(found), _listed(manifest.shards))


def _split_row(split: str, mine: Sequence[ShardEntry], names: Sequence[str]) -> Html:
    numbers = [len(mine), sum(shard.samples for shard in mine), sum(shard.bytes for shard in mine)]
    numbers += [sum(shard.elements.get(name, 0) for shard in mine) for name in names]
    return tag("tr", tag("th", split), [tag("td", number, class_="number") for number in numbers], data_split=split)


def _said(mine: Sequence[ShardEntry]) -> str:
    sizes = [shard.bytes for shard in mine]
    return (
        f"{of_bytes(min(sizes))} to {of_bytes(max(sizes))} a shard" if len(mine) > 1 else f"one shard of {of_bytes(sizes[0])}"
    )


def _strip(mine: Sequence[ShardEntry]) -> Html:
    """A bar a shard in their order, or a bar for the largest of some where they are too many."""
    sizes = np.array([shard.bytes for shard in mine], np.float64)
    starts = np.unique(np.linspace(0, len(sizes), min(BARS, len(sizes)), endpoint=False).astype(np.int64))
    tall = np.maximum.reduceat(sizes, starts)
    width = min(WIDTH / len(tall), 48.0)
    bars = [
        tag("rect", tag("title", f"{mine[start].path}: {mine[start].samples:,} rows, {of_bytes(mine[start].bytes)}"),
            x=place * width, y=HEIGHT * (1 - size), width=width * 0.86, height=HEIGHT * size, class_="kept")
        for place, (start, size) in enumerate(zip(starts.tolist(), (tall / tall.max()).tolist(), strict=True))
    ]  # fmt: skip
    return tag("svg", bars, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="strip", role="img")


def _fields(found: Findings) -> Html:
    lines = []
    for name, field in found.manifest.fields.items():
        shape = (
            ""
            if field.kind in ("text", "meta")
            else f", {field.dtype} [{', '.join('any' if axis is None else f'{axis:,}' for axis in field.shape)}]"
        )
        more = [f"vocabulary of {field.vocabulary.size:,}"] if field.vocabulary else []
        more += [str(field.format)] if field.format else []
        more += [f"{field.rate:,} Hz"] if field.rate else []
        lines.append(tag("li", tag("code", name), f" {field.kind}{shape}", ", " if more else None, ", ".join(more)))
    return joined(tag("h3", "A row holds"), tag("ul", lines))


def _listed(shards: Sequence[ShardEntry]) -> Html | None:
    if not shards:
        return None
    rows = []
    for shard in shards[:LISTED]:
        numbers = [tag("td", number, class_="number") for number in (shard.samples, shard.bytes)]
        rows.append(tag("tr", tag("td", tag("code", shard.path)), numbers, tag("td", tag("code", shard.xxh3_128))))
    more = tag("p", f"and {len(shards) - LISTED:,} more, in manifest.json", class_="quiet") if len(shards) > LISTED else None
    head = [tag("th", "file"), tag("th", "rows", class_="number"), tag("th", "bytes", class_="number"), tag("th", "xxh3")]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", rows))
    return tag("details", tag("summary", f"{len(shards):,} files"), tag("div", table, class_="scroll"), more)
