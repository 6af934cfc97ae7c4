"""What a finished build says: how many rows went where, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sslpipe.building.inputs import unread
from sslpipe.core.steps import Filter, Step
from sslpipe.shards.commits import Counts, totals
from sslpipe.shards.manifest import Manifest, ShardEntry

TOP_REASONS = 6


def summary(
    manifest: Manifest, out: Path, seconds: float | None = None, input_bytes: int = 0, steps: Sequence[Step] = ()
) -> str:
    """The table: read, filtered by top reasons, duplicates, quarantined, kept, shards, and the speed where it is known.

    With the steps of the recipe's `build:` it says which threshold dropped most rows, where one did.
    """
    rows = outcomes(manifest.by_source)
    for split in dict.fromkeys(shard.split for shard in manifest.shards):
        shards = manifest.split(split)
        size = sum(shard.bytes for shard in shards)
        tokens = sum(shard.elements.get("ids", 0) for shard in shards)
        words = f"{sum(shard.samples for shard in shards):,} samples, {size / 1e6:,.1f} MB"
        words += f", {tokens:,} tokens" if tokens else "".join(f", {hours:,.2f} hours" for hours in _hours(manifest, shards))
        rows.append((f"{split} shards", f"{len(shards):,}", words))
    if skipped := unread(manifest.unread.values()):
        rows.append(("not read", *skipped))
    lines = [*aligned(rows), "", f"dataset in {out}"]
    if seconds is not None and input_bytes:
        lines[-1] += f", {seconds:.1f} s, {input_bytes / 1e6 / seconds:.1f} MB/s of input"
    elif seconds is not None:
        lines[-1] += f", {seconds:.1f} s"
    if not manifest.shards:
        lines.append(
            f"no row was kept, so there is nothing to train on; `sslpipe explain {out} PATH` tells why for a file of yours"
        )
    if told := _most_dropped(manifest.by_source, steps):
        lines.append(told)
    if manifest.limited:
        lines.append("made with --limit: a look at the recipe, not a dataset; run it without to build the whole")
    return "\n".join(lines)


def _hours(manifest: Manifest, shards: Sequence[ShardEntry]) -> list[float]:
    """How long the sound in some shards is, for each field of one rate."""
    rates = {name: field.rate for name, field in manifest.fields.items() if field.kind == "audio" and field.rate}
    return [sum(shard.elements.get(name, 0) for shard in shards) / rate / 3600 for name, rate in rates.items()]


def _most_dropped(by_source: Counts, steps: Sequence[Step]) -> str:
    """Which threshold dropped more than half of all rows, and how to move it; empty where none did."""
    for reason, count in reasons(by_source, "filtered")[:1]:
        filters = (step for step in steps if isinstance(step, Filter))
        found = [(step.path(), limit) for step in filters for limit in step.limits() if limit.reason == reason]
        if len(found) == 1 and 2 * count > totals(by_source)["read"]:
            ((path, limit),) = found
            return (
                f"most rows are {reason}: {path} drops what is {limit.drops} its {limit.field}, {limit.value:,}."
                f" To move it, build again with `--update --set {path}.{limit.field}=...`"
            )
    return ""


def outcomes(by_source: Counts) -> list[tuple[str, str, str]]:
    """Rows for `aligned`: how many rows over all sources were read, filtered by top reasons, and so on."""
    total = totals(by_source)

    def line(words: str, count: int) -> tuple[str, str, str]:
        return words, f"{count:,}", f"{100 * count / total['read']:.1f} %" if count and words != "read" else ""

    lines = [line("read", total["read"])]
    for outcome in ("filtered", "duplicate", "quarantined"):
        lines.append(line(outcome, total[outcome]))
        lines += [line(f"  {reason}", count) for reason, count in reasons(by_source, outcome)]
    return [*lines, line("kept", total["kept"])]


def reasons(by_source: Counts, outcome: str) -> list[tuple[str, int]]:
    """The commonest reasons of an outcome over all sources, and the rest as one."""
    total: dict[str, int] = {}
    for counts in by_source.values():
        for name, count in counts.items():
            if name.startswith(f"{outcome}:"):
                reason = name.partition(":")[2]
                total[reason] = total.get(reason, 0) + count
    ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ranked[TOP_REASONS:])
    return ranked[:TOP_REASONS] + ([("other reasons", rest)] if rest else [])


def aligned(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    """Three columns: words, numbers to the right, words."""
    first, second = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    return [f"  {a:<{first}}  {b:>{second}}  {c}".rstrip() for a, b, c in rows]
