"""Everything that the page about a dataset shows, gathered with bounded memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from sslpipe.building.state import RECIPE
from sslpipe.building.thresholds import Thresholds
from sslpipe.core.errors import DataError
from sslpipe.report.duplicates import Duplicates, Group, lost_among
from sslpipe.report.kept import Kept, KeptRows
from sslpipe.report.ledger_pass import LedgerPass, Record
from sslpipe.report.origins import Entry, Origins
from sslpipe.report.outputs import commits_of
from sslpipe.report.payloads import tokenizer_decode
from sslpipe.report.quarantine import BadRecord, quarantined
from sslpipe.report.series import Series
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.dataset import Dataset

KEPT, DROPPED, BAD, GROUPS, MEMBERS = 12, 5, 4, 6, 3
"""How many are shown: rows kept, by source; rows dropped, by reason; bad records, by reason; groups of duplicates; of each."""
REASONS: Final = 40
"""Of so many reasons, the commonest ones, samples are shown."""


Steps = list[dict[str, dict[str, Any]]]


class Written(BaseModel):
    """A recipe as a build writes it down, every field spelt out. It is shown, not run: its steps need not be known here."""

    sources: dict[str, dict[str, dict[str, Any]]]
    build: Steps
    stream: Steps
    shards: dict[str, Any]


@dataclass(frozen=True)
class Drop:
    """A row that a filter dropped."""

    file: str
    place: str
    key: str
    missed: str


@dataclass(frozen=True)
class Likes:
    """A group of duplicates: how many, the survivor, and some that it stands for."""

    size: int
    key: str
    survivor: str
    """Where it came from; empty where that is not known."""
    others: tuple[str, ...]
    kept: Kept | None
    """What is in it, if it is still a row of the dataset."""


@dataclass(frozen=True)
class Findings:
    """What was found out about a finished dataset."""

    manifest: Manifest
    recipe: Written | None
    """As it was written down; None where another build has replaced it since."""
    problem: str
    """Why thresholds can't be told; empty if they can."""
    series: Sequence[Series]
    more_series: int
    """Measures that were too many to show."""
    kept: Sequence[Kept]
    dropped: Mapping[str, Sequence[Drop]]
    """By reason, the commonest first."""
    bad: Mapping[str, Sequence[BadRecord]]
    """By reason, the commonest first."""
    sizes: Mapping[int, int]
    """How many groups of duplicates there are of each size."""
    likes: Sequence[Likes]
    """The largest of them."""


def find(storage: LocalStorage, *, trust: bool = False) -> Findings:
    """Gather them; raises DataError for a dataset that is not finished, or whose records contradict one another."""
    manifest = Manifest.finished(storage)
    commits = commits_of(storage, manifest)
    thresholds = Thresholds(storage, manifest, trust=trust)
    ledger = LedgerPass(thresholds.lines(), list(by_reason(manifest, "filtered"))[:REASONS], DROPPED, manifest.seed)
    ledger.run(storage, commits, manifest.by_source)
    duplicates = Duplicates.of(storage, commits, GROUPS, MEMBERS)
    _check(storage, manifest, duplicates)

    keys = [group.survivor for group in duplicates.largest]
    later = [record.entry["id"] for few in ledger.dropped.values() for record in few.items() if record.segment]
    origins = Origins(storage, commits, [*later, *(member for group in duplicates.largest for member in group.members)], keys)
    gone = lost_among(storage, commits, [entry["id"] for key in keys for entry in origins.alike(key)])
    kept = KeptRows(storage, manifest, tokenizer_decode(Dataset(storage.root).tokenizer), KEPT, keys)
    return Findings(
        manifest=manifest,
        recipe=_recipe(storage, manifest),
        problem=thresholds.problem,
        series=[series for series in ledger.series.values() if len(series.spread) + series.spread.strange + series.without],
        more_series=ledger.more_series,
        kept=kept.samples,
        dropped={
            reason: [_drop(record, origins, thresholds) for record in few.items()] for reason, few in ledger.dropped.items()
        },
        bad=quarantined(storage, commits, list(by_reason(manifest, "quarantined"))[:REASONS], BAD),
        sizes=duplicates.sizes,
        likes=[_likes(group, origins, gone, kept) for group in duplicates.largest],
    )


def by_reason(manifest: Manifest, outcome: str) -> dict[str, dict[str, int]]:
    """Rows by reason and source, the commonest reason first."""
    found: dict[str, dict[str, int]] = {}
    for source, outcomes in manifest.by_source.items():
        for name, count in outcomes.items():
            kind, colon, reason = name.partition(":")
            if kind == outcome and colon:
                found.setdefault(reason, {})[source] = count
    return dict(sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0])))


def _check(storage: LocalStorage, manifest: Manifest, duplicates: Duplicates) -> None:
    lost = sum((size - 1) * count for size, count in duplicates.sizes.items())
    if lost != manifest.totals["duplicate"]:
        raise DataError(
            f"{storage.root}: the decisions name {lost:,} duplicates, the manifest counts {manifest.totals['duplicate']:,};"
            " one of them was changed since the build. Build again with --update"
        )


def _recipe(storage: LocalStorage, manifest: Manifest) -> Written | None:
    told = json.loads(storage.get(RECIPE)) if storage.size(RECIPE) is not None else {}
    if told.get("build") != manifest.build:
        return None
    try:
        return Written.model_validate(told["recipe"])
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise DataError(f"{storage.path(RECIPE)}: {where} is not what a build writes; build again with --update") from None


def _drop(record: Record, origins: Origins, thresholds: Thresholds) -> Drop:
    """Entries of later segments have no file; those of the read have it."""
    entry = record.entry
    where = entry if entry["file"] is not None else origins.of(entry["id"]) or {"file": "", "place": ""}
    return Drop(where["file"], where["place"], entry["key"].hex(), thresholds.missed(entry, record.segment))


def _likes(group: Group, origins: Origins, gone: set[int], kept: KeptRows) -> Likes:
    survivor = next((_where(entry) for entry in origins.alike(group.survivor) if entry["id"] not in gone), "")
    others = tuple(_where(entry) for member in group.members if (entry := origins.of(member)) is not None)
    return Likes(group.size, group.survivor, survivor, others, kept.of(group.survivor))


def _where(entry: Entry) -> str:
    return f"{entry['file']}, {entry['place']}"
