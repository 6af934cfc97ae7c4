"""The head of the page: what the dataset is, in one look."""

from __future__ import annotations

from sslpipe.core.fields import Kind
from sslpipe.report.findings import Findings
from sslpipe.report.html import Html, tag
from sslpipe.report.sections.outcomes import percent

UNITS: dict[Kind, str] = {"ids": "tokens", "text": "bytes of text", "image": "pixels", "audio": "samples", "array": "numbers"}
"""What the lengths of each kind of field count."""


def overview(found: Findings) -> Html:
    """Name, the numbers that matter, and what must be known before they are believed."""
    manifest = found.manifest
    read, kept = manifest.totals["read"], manifest.totals["kept"]
    facts = [("read", f"{read:,}", "records"), ("kept", f"{kept:,}", percent(kept, read)), *sizes(found)]
    tiles = [tag("div", tag("b", value), tag("span", name), tag("small", more), class_="tile") for name, value, more in facts]
    sources = f"{len(manifest.by_source):,} source{'s' * (len(manifest.by_source) != 1)}"
    made = f"{sources}, seed {manifest.seed}, version {manifest.version}, build {manifest.build[:12]}"
    look = "Made with --limit: a look at the recipe, not a dataset." if manifest.limited else None
    return tag(
        "header",
        tag("h1", manifest.name),
        tag("p", made, class_="quiet"),
        tag("p", look, class_="warning") if look else None,
        tag("div", tiles, class_="tiles"),
    )


def sizes(found: Findings) -> list[tuple[str, str, str]]:
    """Bytes, shards, and the elements of each field: what is counted, the number, and more."""
    manifest = found.manifest
    size = sum(shard.bytes for shard in manifest.shards)
    facts = [("in shards", of_bytes(size), f"{len(manifest.shards):,} shard{'s' * (len(manifest.shards) != 1)}")]
    for name in sorted({name for shard in manifest.shards for name in shard.elements}):
        field = manifest.fields.get(name)
        unit = UNITS.get(field.kind, "elements") if field is not None else "elements"
        count = sum(shard.elements.get(name, 0) for shard in manifest.shards)
        facts.append((unit, f"{count:,}", name))
    return facts


def of_bytes(size: int) -> str:
    """A size in words: `11.8 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000  # type: ignore[assignment]
    return f"{size:,} B" if unit == "B" else f"{size:,.1f} {unit}"
