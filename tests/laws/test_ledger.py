"""Law 3: every record read is kept, or is missing for a counted reason that can be looked up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sslpipe.building.driver import check_sum
from sslpipe.building.explain import explain
from sslpipe.core.errors import SslpipeError
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.tables import Table
from tests.laws.modality import Modality

Built = tuple[Path, Manifest]


def test_the_sum_per_source(law: Modality, built: Built) -> None:
    for source, outcomes in built[1].by_source.items():
        told = sum(count for outcome, count in outcomes.items() if outcome != "read")
        assert outcomes["read"] == told == len(law.records()[source])


def test_totals_are_the_sum_of_sources(law: Modality, built: Built) -> None:
    totals = built[1].totals
    assert (
        totals["read"] == totals["kept"] + totals["filtered"] + totals["duplicate"] + totals["quarantined"] + totals["erased"]
    )
    assert totals["read"] == sum(len(lines) for lines in law.records().values())


def test_kept_rows_are_in_the_shards_and_nothing_else_is(built: Built) -> None:
    out, manifest = built
    assert sum(shard.samples for shard in manifest.shards) == manifest.totals["kept"]
    names = [name for entry in manifest.shards for name in Shard(LocalStorage(out), entry, manifest.fields).names.texts()]
    assert len(set(names)) == len(names)


def test_every_record_has_an_entry_with_its_place(built: Built) -> None:
    out, manifest = built
    rows = [row for path in (out / ".sslpipe/ledger").glob("0-read*") for row in pq.read_table(path).to_pylist()]
    assert len(rows) == manifest.totals["read"]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["file"]
        assert row["place"]
        assert (row["reason"] is None) == (row["outcome"] == "passed")


def test_a_filtered_record_has_its_numbers(built: Built) -> None:
    out, _ = built
    rows = [row for path in (out / ".sslpipe/ledger").glob("0-read*") for row in pq.read_table(path).to_pylist()]
    dropped = [row for row in rows if row["outcome"] == "filtered" and row["reason"] != "empty"]
    measures = {name for row in dropped for name in row if "." in name and "blank" not in name}
    assert dropped and measures
    assert all(row[name] is not None for row in dropped for name in measures)


def test_a_duplicate_names_the_survivor_and_it_is_in_the_shards(built: Built) -> None:
    out, manifest = built
    kept = {
        (high, low)
        for entry in manifest.shards
        for names in [Shard(LocalStorage(out), entry, manifest.fields).names]
        for high, low in zip(names.high.tolist(), names.low.tolist(), strict=True)
    }
    lost = 0
    for path in (out / ".sslpipe/decisions").glob("*.arrow"):
        for batch in Table(path).batches:
            for row in batch.to_pylist():
                assert (row["survivor_high"], row["survivor_low"]) in kept
                lost += row["duplicate"]
    assert lost == manifest.totals["duplicate"]


def test_the_quarantine_keeps_the_bytes(law: Modality, built: Built) -> None:
    out, manifest = built
    rows = [row for path in (out / ".sslpipe/quarantine").glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    assert len(rows) == manifest.totals["quarantined"]
    assert {row["raw"].rstrip(b"\n") for row in rows} == law.bad


def test_every_outcome_can_be_explained(built: Built) -> None:
    out, _ = built
    storage = LocalStorage(out)
    rows = [row for path in sorted((out / ".sslpipe/ledger").glob("0-read*")) for row in pq.read_table(path).to_pylist()]
    told = set()
    for row in rows[::10]:
        if row["key"] is not None:
            for story in explain(storage, row["key"].hex()):
                told.add(story[-1].split()[0].rstrip(":"))
    assert {"filtered", "duplicate", "kept"} <= told


@pytest.mark.parametrize("mutant", ["quarantined:", "filtered:", "duplicate", "kept"])
def test_mutant_an_outcome_that_is_not_counted(built: Built, mutant: str) -> None:
    counts = json.loads(json.dumps(built[1].by_source))
    for outcomes in counts.values():
        outcomes.pop(next(name for name in sorted(outcomes) if name.startswith(mutant)))
    with pytest.raises(SslpipeError, match="records were read"):
        check_sum(counts)


def test_equal_payloads_keep_one_row_of_the_strongest_source_order(law: Modality, built: Built) -> None:
    """Whoever wins, one of each stays."""
    out, manifest = built
    survivors = sum(
        int((Shard(LocalStorage(out), entry, manifest.fields).names.occurrence > 0).sum()) for entry in manifest.shards
    )
    assert survivors == 0
    assert manifest.totals["duplicate"] == law.copies - law.survivors
    assert np.sum([outcomes["duplicate"] for outcomes in manifest.by_source.values()]) == law.copies - law.survivors
