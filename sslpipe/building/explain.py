"""Why a record is in the dataset, or is not: what the ledger, the decisions and the indexes say of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

from sslpipe.building.state import RECIPE
from sslpipe.building.thresholds import Thresholds
from sslpipe.core.errors import DataError
from sslpipe.core.names import Names
from sslpipe.shards.commits import Commit
from sslpipe.shards.layout import rollup_name
from sslpipe.shards.ledger import FACTS, read_ledger
from sslpipe.shards.manifest import NAME, Manifest
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import Table

LIMIT = 20
"""How many records one call explains."""


def explain(storage: LocalStorage, wanted: str, *, trust: bool = False) -> list[list[str]]:
    """The story of each record that a key, the start of one, or the end of a path names; a few lines each.

    To say by how much a row missed a threshold, the dataset's own recipe is read. Steps of other packages that it names are
    code, which runs only with `trust`.
    """
    if storage.size(NAME) is None:
        if storage.size(RECIPE) is None:
            raise DataError(f"{storage.root} holds no build; `sslpipe build RECIPE -o {storage.root}` starts one")
        raise DataError(f"{storage.root} is not finished yet; `sslpipe status {storage.root}` says how far it is")
    manifest = Manifest.load(storage)
    stages = json.loads(storage.get(rollup_name(manifest.build)))
    commits = [Commit.model_validate(commit) for done in stages.values() for commit in done]
    records = _records(storage, commits, wanted)
    if not records:
        raise DataError(_unknown(storage, manifest, wanted))
    thresholds = Thresholds(storage, manifest, trust=trust)
    return [_story(storage, commits, record, thresholds) for record in records[:LIMIT]]


def _unknown(storage: LocalStorage, manifest: Manifest, wanted: str) -> str:
    """What to say of a name that no record has: it may be that of a file whose kind isn't read."""
    for source, counts in manifest.unread.items():
        suffix = next((name for name in counts if name.startswith(".") and wanted.lower().endswith(name)), None)
        if suffix is not None:
            return f"nothing in {storage.root} is called `{wanted}`: source `{source}` reads no files that end in {suffix}"
    return f"nothing in {storage.root} is called `{wanted}`; give a key (32 hex digits, or how it starts), or a path"


def _records(storage: LocalStorage, commits: list[Commit], wanted: str) -> list[dict[str, Any]]:
    """Entries of the first reading that match."""
    import pyarrow.compute as pc

    prefix = _key_prefix(wanted)
    found: list[dict[str, Any]] = []
    for commit in commits:
        if commit.stage != "0-read":
            continue
        for output in commit.all("ledger"):
            table = read_ledger(storage.path(output.name))
            files = table["file"].cast("string")
            mask = reduce(pc.or_, (pc.ends_with(files, end) for end in _path_ends(wanted)))
            if prefix is not None:
                keys = [key is not None and key.hex().startswith(prefix) for key in table["key"].to_pylist()]
                mask = pc.or_(pc.fill_null(mask, False), keys)
            found += table.filter(mask).to_pylist()
    return found


def _key_prefix(wanted: str) -> str | None:
    text = wanted.lower()[:32]
    return text if len(text) >= 6 and all(letter in "0123456789abcdef" for letter in text) else None


def _path_ends(wanted: str) -> list[str]:
    """What a wanted file's path may end with: as the reader wrote it, as it is without links, or the end that was typed."""
    path = Path(wanted).expanduser()
    found = [str(path.absolute()), str(path.resolve())] if path.exists() else []
    found.append("/" + wanted.removeprefix("./").lstrip("/"))
    return [os.fsencode(end).decode("utf-8", "backslashreplace") for end in found]  # As the ledger writes names.


def _story(storage: LocalStorage, commits: list[Commit], record: dict[str, Any], thresholds: Thresholds) -> list[str]:
    key = record["key"].hex() if record["key"] is not None else "no key"
    lines = [f"{record['file']}, {record['place']}", f"  key {key}, source {record['source']}"]
    lines += _verdict(record, 0, thresholds)
    if record["outcome"] != "passed":
        return lines
    for segment, later in _later(storage, commits, record["id"]):
        lines += _verdict(later, segment, thresholds)
        if later["outcome"] != "passed":
            return lines
    high, low = int.from_bytes(record["key"][:8], "big"), int.from_bytes(record["key"][8:], "big")
    occurrence = 0
    for commit in commits:
        for output in commit.all("decisions"):
            for row in _decision(Table(storage.path(output.name)), record["id"]):
                if row["duplicate"]:
                    name = f"{row['survivor_high']:016x}{row['survivor_low']:016x}"
                    return [*lines, f"  duplicate of {name}, which survives; `sslpipe explain {storage.root} {name}` shows it"]
                occurrence = int(row["occurrence"])
    return [*lines, *_places(storage, high, low, occurrence)]


def _verdict(entry: dict[str, Any], segment: int, thresholds: Thresholds) -> list[str]:
    numbers = [
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in entry.items()
        if name not in FACTS and value is not None
    ]
    lines = [f"  measured: {', '.join(numbers)}"] if numbers else []
    if entry["outcome"] == "passed":
        return [*lines, "  passed the filters before the first dedup or fit"]
    detail = f" ({entry['detail']})" if entry["detail"] else ""
    if entry["outcome"] != "filtered":
        return [*lines, f"  {entry['outcome']}: {entry['reason']}{detail}"]
    missed = thresholds.missed(entry, segment)
    lines.append(f"  filtered: {entry['reason']}{detail}" + (f": {missed}" if missed else ""))
    return [*lines, f"  thresholds can't be told: {thresholds.problem}"] if thresholds.problem else lines


def _later(storage: LocalStorage, commits: list[Commit], number: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Entries of later segments for the record of this number, with the number of the segment."""
    for commit in commits:
        if commit.stage != "0-read":
            for output in commit.all("ledger"):
                for entry in read_ledger(storage.path(output.name), number).to_pylist():
                    yield int(commit.stage.partition("-")[0]), entry


def _decision(table: Table, number: int) -> Iterator[dict[str, Any]]:
    import pyarrow.compute as pc

    for batch in table.batches:
        yield from batch.filter(pc.equal(batch.column("id"), number)).to_pylist()


def _places(storage: LocalStorage, high: int, low: int, occurrence: int) -> list[str]:
    """Where a surviving row lies: its own member, or the packed rows that begin in it."""
    manifest = Manifest.load(storage)
    lines: list[str] = []
    for entry in manifest.shards:
        names: Names = Shard(storage, entry, manifest.fields).names
        mine = (names.high == high) & (names.low == low) & (names.occurrence == occurrence)
        for text in names.take(mine.nonzero()[0]).texts()[:LIMIT]:
            lines.append(f"  kept: {entry.path}, member {text}")
    return lines or [
        "  kept, but no row begins in it: it was packed behind another document, or is the end of a shard that fills no row"
    ]
