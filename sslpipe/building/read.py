"""The first stage: raw files in, keyed and filtered rows out, every record accounted for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from sslpipe.building.fused import Damaged, Dropped, FusedSteps
from sslpipe.building.job import Task
from sslpipe.building.pieces import record_number
from sslpipe.building.spill import SpillWriter, split_numbers
from sslpipe.building.workspace import Workspace
from sslpipe.core.fields import Fields
from sslpipe.core.hashes import payload_digest, purpose_hash, split_digests
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Bad, Part
from sslpipe.recipe.splits import Splits
from sslpipe.shards.commits import Commit
from sslpipe.shards.ledger import RAW_LIMIT, Ledger


def read(work: Workspace, task: Task) -> Commit:
    """Read one part, key its rows, run the first segment's steps, and spill what is left, sorted."""
    recipe, plan = work.recipe, work.plan
    source = task.arguments["source"]
    reader = recipe.sources[source]
    part = Part(**task.arguments["part"])
    segment = plan.segments[0]
    fields = reader.outputs({})
    steps = FusedSteps(segment.steps, fields, {}, recipe.seed, plan.labels, segment.dedup, check=True)
    spill = SpillWriter(work.storage, task.stem, recipe.seed, plan.keyed(0), recipe.limits.memory_bytes)
    ledger = Ledger(work.storage, task.stem)
    count = Counter(source)
    number = sorted(recipe.sources).index(source)

    limit = task.arguments.get("limit")
    seen = {"bad": 0, "rows": 0}

    def bad(record: Bad) -> None:
        # A look by --limit takes so many rows and so many bad records; a reader tells of the bad ones first.
        if seen["bad"] != limit:
            seen["bad"] += 1
            ledger.quarantine(source, record, record_number(task.number, count.records))
            count.record(1)
            count.add(f"quarantined:{record.reason}", 1)

    def take(batch: Rows) -> None:
        ids = record_number(task.number, np.arange(count.records, count.records + len(batch), dtype=np.uint64))
        count.record(len(batch))
        rows = keyed(batch, fields, recipe.seed, recipe.shards.splits).with_columns(
            _source=np.full(len(batch), number, np.uint16), _id=ids
        )
        passed = steps.run(rows)
        count.add("read", passed.added[number])
        for lost in passed.dropped:
            _enter(ledger, lost.rows, source, part, "filtered", lost)
            for reason in lost.reasons:
                count.add(f"filtered:{reason}", 1)
        for found in passed.damaged:
            for record, identity in zip(_bad_records(found, part), found.rows.array("_id").tolist(), strict=True):
                ledger.quarantine(source, record, identity)
                count.add(f"quarantined:{record.reason}", 1)
        _enter(ledger, passed.rows, source, part, "passed", None)
        spill.add(plan.travelling(passed.rows))

    for batch in reader.read(part, bad):
        rows = batch if limit is None else batch.view(0, min(limit - seen["rows"], len(batch)))
        seen["rows"] += len(rows)
        take(rows)
        if seen["rows"] == limit:
            break
    spill.flush()
    return Commit(
        stage=task.stage,
        task=task.number,
        fingerprint=task.fingerprint,
        outputs=(*spill.outputs, *ledger.finish()),
        counts={source: count.outcomes},
        facts={
            "rows": spill.rows_by_split,
            "bytes": spill.bytes_by_split,
            "input_bytes": sum(part.sizes),
            "fields": {name: field.model_dump(mode="json") for name, field in steps.fields.items()},
        },
    )


class Counter:
    """Rows by outcome. Counted where each outcome happens, so that the ledger's sum is a check and not a definition."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.outcomes: dict[str, int] = {}
        self.records = 0
        """Records read so far, the unreadable ones too, before anything was cut."""

    def record(self, number: int) -> None:
        """Count records that were read."""
        self.records += number
        self.add("read", number)

    def add(self, outcome: str, number: int) -> None:
        """Count rows; an outcome of no rows is not listed."""
        if number:
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + number


def _bad_records(found: Damaged, part: Part) -> Iterator[Bad]:
    """What the quarantine keeps of rows that can't be decoded."""
    columns = (found.rows.array(name).tolist() for name in ("_file", "_place"))
    for file, place, raw, damage in zip(*columns, found.rows.ragged(found.field).to_bytes(), found.damages, strict=True):
        where = f"record {place + 1}, byte {damage.offset} of its {found.field}"
        yield Bad(part.files[file], where, damage.reason, damage.detail[:300], raw if len(raw) <= RAW_LIMIT else b"")


def _enter(ledger: Ledger, rows: Rows, source: str, part: Part, outcome: str, lost: Dropped | None) -> None:
    files = [part.files[i].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
             for i in rows.array("_file").tolist()]  # fmt: skip
    places = [f"record {place + 1}" for place in rows.array("_place").tolist()]
    ledger.enter(rows, [source] * len(rows), outcome, lost.reasons if lost else None, files, places)


def keyed(rows: Rows, fields: Fields, seed: int, splits: Splits) -> Rows:
    """The rows with names, order hashes and splits, from the payload as it was read; `meta` is not payload."""
    payload = sorted(name for name, field in fields.items() if field.kind != "meta")
    views = {name: _row_views(rows[name]) for name in payload}
    digests = [payload_digest({name: views[name][row] for name in payload}) for row in range(len(rows))]
    high, low = split_digests(digests) if digests else (np.empty(0, np.uint64), np.empty(0, np.uint64))
    names = Names.from_keys(high, low)
    meta = np.zeros(len(rows), np.uint64)
    for name in sorted(name for name, field in fields.items() if field.kind == "meta"):
        meta = np.array([xxhash.xxh3_64_intdigest(view, seed=int(seed_)) for view, seed_ in
                         zip(_row_views(rows[name]), meta.tolist(), strict=True)], np.uint64)  # fmt: skip
    groups = (high, low) if splits.by is None else _groups(rows, splits.by, high, low)
    return Rows(names, rows.columns).with_columns(
        _meta=meta, _split=split_numbers(*groups, splits), _order=purpose_hash("order", high, low, seed)
    )


def _groups(
    rows: Rows, column: str, high: NDArray[np.uint64], low: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The key of the group that each row names in its metadata; its own where it names none."""
    digests = []
    for text, own_high, own_low in zip(rows.ragged("meta").to_bytes(), high.tolist(), low.tolist(), strict=True):
        group = json.loads(text).get(column, "")
        digests.append(xxhash.xxh3_128_digest(str(group).encode("utf-8", "surrogatepass")) if group != "" else
                       own_high.to_bytes(8, "big") + own_low.to_bytes(8, "big"))  # fmt: skip
    return split_digests(digests) if digests else (high, low)


def _row_views(column: Any) -> list[Any]:
    if isinstance(column, Ragged):
        data = np.ascontiguousarray(column.values).view(np.uint8).data
        ends = (column.offsets * column.values.itemsize).tolist()
        return [data[a:b] for a, b in zip(ends, islice(ends, 1, None), strict=False)]
    array: NDArray[Any] = np.ascontiguousarray(column)
    return [array[row : row + 1].view(np.uint8).reshape(-1).data for row in range(len(array))]
