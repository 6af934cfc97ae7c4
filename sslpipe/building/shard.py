"""The last stage: one range of the order hash becomes one shard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sslpipe.building.fused import Damaged, Dropped, FusedSteps
from sslpipe.building.job import Task
from sslpipe.building.read import Counter
from sslpipe.building.spill import SpillWriter, live_rows
from sslpipe.building.workspace import Workspace
from sslpipe.codecs.encoded import element_counts
from sslpipe.core.documents import Documents
from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError, SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.names import Names
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Pack, pick_field
from sslpipe.core.steps import Task as Task_
from sslpipe.shards.commits import Commit, Output
from sslpipe.shards.layout import shard_name, stored
from sslpipe.shards.ledger import Ledger
from sslpipe.shards.manifest import SPLITS
from sslpipe.shards.shard_writer import ShardWriter


class _Segment:
    """One segment after the first at work on one task: its rows, its drops, its counts."""

    def __init__(self, work: Workspace, task: Task) -> None:
        self._work, self._task = work, task
        self.segment = work.plan.segments[task.segment]
        self.steps = FusedSteps(
            self.segment.steps,
            self.segment.fields_in,
            work.artefacts,
            work.recipe.seed,
            work.plan.labels,
            self.segment.dedup,
        )
        self.ledger = Ledger(work.storage, task.stem)
        self.sources = sorted(work.recipe.sources)
        self.counters = [Counter(source) for source in self.sources]
        self.rows_in = 0

    def rows(self, split: int, low: int, high: int | None) -> Iterator[Rows]:
        """The rows of a range that the segment's steps keep, in stored order."""
        inputs = self._task.inputs
        for rows in live_rows(
            self._work.storage, inputs["spill"], inputs.get("decisions", ()), split, low, high, self._work.batch_bytes
        ):
            self.rows_in += len(rows)
            passed = self.steps.run(rows)
            if passed.damaged:
                _refuse(passed.damaged[0])
            for source, more in passed.added.items():
                self.counters[source].add("read", more)
            kept, short = self._long_enough(passed.rows)
            for lost in (*passed.dropped, *short):
                self._drop(lost)
            if len(kept):
                yield kept

    def _drop(self, lost: Dropped) -> None:
        numbers = lost.rows.array("_source").tolist()
        self.ledger.enter(lost.rows, [self.sources[i] for i in numbers], "filtered", lost.reasons)
        for source, reason in zip(numbers, lost.reasons, strict=True):
            self.counters[source].add(f"filtered:{reason}", 1)

    def _long_enough(self, rows: Rows) -> tuple[Rows, list[Dropped]]:
        """Rows that an unpacked task can use; the stream leaves the same ones out when the task stands right of the fence."""
        task = self.segment.task
        if task is None or self.segment.pack is not None or not len(rows):
            return rows, []
        name = unit_field(task, self.steps.fields)
        field = self.steps.fields[name]
        if not field.ragged:
            return rows, []
        short = element_counts(rows.ragged(name), field.kind) < task.minimum()
        return rows.take(~short), [Dropped(rows.take(short), ["too_short"] * int(short.sum()))] if short.any() else []

    def packable(self, split: int, low: int, high: int | None) -> Iterator[Rows]:
        """All rows of a range as one batch, kept if the pack makes a row of them, and left out with that reason if not."""
        parts = list(self.rows(split, low, high))
        pack = self.segment.pack
        if not parts or pack is None:
            return
        whole = Rows.concat(parts)
        _check_unique(whole.names)
        if pack.count(whole.ragged(unit_field(pack, self.steps.fields)).lengths):
            self.keep(whole)
            yield whole
            return
        self._drop(Dropped(whole, ["too_few_tokens"] * len(whole)))

    def keep(self, rows: Rows) -> None:
        """Count rows as kept."""
        for source, count in enumerate(np.bincount(rows.array("_source")).tolist()):
            self.counters[source].add("kept", count)

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by source and outcome."""
        return {counter.source: counter.outcomes for counter in self.counters if counter.outcomes}


def respill(work: Workspace, task: Task) -> Commit:
    """Run a middle segment over one range, and spill what is left."""
    running = _Segment(work, task)
    low, high = task.arguments["range"]
    limits = work.recipe.limits
    spill = SpillWriter(work.storage, task.stem, work.recipe.seed, work.plan.keyed(task.segment), limits.memory_bytes)
    for split in range(len(SPLITS)):
        for rows in running.rows(split, low, high):
            spill.add(work.plan.travelling(rows))
    spill.flush()
    return Commit(
        stage=task.stage,
        task=task.number,
        fingerprint=task.fingerprint,
        outputs=(*spill.outputs, *running.ledger.finish()),
        counts=running.counts(),
        facts={"rows": spill.rows_by_split, "bytes": spill.bytes_by_split},
    )


def weigh(work: Workspace, task: Task) -> Commit:
    """Map a sample of the rows as a shard would, to learn how many stored bytes come of one."""
    running = _Segment(work, task)
    share = task.arguments["share"]
    bytes_out = 0
    for split in range(len(SPLITS)):
        for batch in _finished(work, running, running.rows(split, 0, share)):
            bytes_out += _stored_bytes(batch, running.segment.fields_out)
    return Commit(
        stage=task.stage,
        task=task.number,
        fingerprint=task.fingerprint,
        facts={"rows": running.rows_in, "bytes": bytes_out},
    )


def _stored_bytes(rows: Rows, fields: Fields) -> int:
    """Bytes in a tar: a header block a member, data up to a whole block."""
    total = 0
    for name in stored(fields):
        sizes = Rows(rows.names, {name: rows[name]}).nbytes() + (128 if fields[name].kind in ("ids", "array") else 0)
        total += int((512 + (sizes + 511) // 512 * 512).sum())
    return total


def shard(work: Workspace, task: Task) -> Commit:
    """Write one shard: the rows of one range of one split, in the order of their hash."""
    running = _Segment(work, task)
    split, (low, high) = task.arguments["split"], task.arguments["range"]
    fields = running.segment.fields_out
    writer = ShardWriter(work.storage, fields, work.plan.kept_measures)

    def counted() -> Iterator[Rows]:
        for rows in running.rows(split, low, high):
            _check_unique(rows.names)
            running.keep(rows)
            yield rows

    batches = counted() if running.segment.pack is None else running.packable(split, low, high)
    try:
        for rows in _finished(work, running, batches):
            writer.append(rows)
    except BaseException:
        writer.discard()
        raise
    outputs: list[Output] = []
    elements: dict[str, int] = {}
    if writer.samples:
        name = shard_name(SPLITS[split], task.arguments["number"], work.job.revision)
        tar, index, elements = writer.finish(name)
        outputs = [Output.of("shard", tar, name), Output.of("index", index)]
    else:
        writer.discard()
    return Commit(
        stage=task.stage,
        task=task.number,
        fingerprint=task.fingerprint,
        outputs=(*outputs, *running.ledger.finish()),
        counts=running.counts(),
        facts={
            "split": SPLITS[split],
            "samples": writer.samples,
            "elements": elements,
        },
    )


def _refuse(damaged: Damaged) -> NoReturn:
    """What was sound when it was read can't be decoded any more: a disk or a step is at fault, not the corpus."""
    name, damage = damaged.rows.names.take(slice(0, 1)).texts()[0], damaged.damages[0]
    raise DataError(f"row {name}: field `{damaged.field}` can't be decoded any more: {damage}; run the build again")


def _check_unique(names: Names) -> None:
    """Rows of one name lie side by side; two of them mean a dedup whose digest is not a function of the payload."""
    same = (names.high[1:] == names.high[:-1]) & (names.low[1:] == names.low[:-1])
    same &= names.occurrence[1:] == names.occurrence[:-1]
    if same.any():
        text = names.take(np.flatnonzero(same)[:1]).texts()[0]
        raise SslpipeError(
            f"two rows are called {text}: a dedup's digest must depend on the fields of a row alone, not on meta"
        )


def _finished(work: Workspace, running: _Segment, batches: Iterator[Rows]) -> Iterator[Rows]:
    """What is stored of these rows: packed and labelled where the recipe does that left of the fence."""
    segment, fields = running.segment, running.steps.fields
    if segment.pack is not None:
        whole = list(batches)
        batches = _packed(segment.pack, fields, work, Rows.concat(whole)) if whole else iter(())
        fields = segment.pack.outputs(fields)
    if segment.task is None:
        yield from batches
        return
    labeller = segment.task.open(Context(fields, work.artefacts))
    draw = Draw(work.recipe.seed, segment.task.path(), segment.task.salt)
    for rows in batches:
        made = labeller.label(rows, draw)
        yield made.with_columns(_source=rows.array("_source"))


def _packed(pack: Pack, fields: Fields, work: Workspace, rows: Rows) -> Iterator[Rows]:
    """The documents of a shard as packed rows, by the packer that the stream uses, with the cuts of epoch 0."""
    column = rows.ragged(unit_field(pack, fields))
    separated = pack.count(column.lengths)
    packer = pack.open(Context(fields, work.artefacts))
    packer.add(0, Documents.from_ragged(rows.names, column))
    step = max(1, work.batch_bytes // max(1, 8 * int(column.lengths.sum()) // max(1, separated)))
    sources = _source_of(rows)
    for start in range(0, separated, step):
        numbers = np.arange(start, min(separated, start + step), dtype=np.int64)
        zeros = np.zeros(len(numbers), np.int64)
        packed = packer.pack(zeros, numbers, zeros)
        yield packed.with_columns(_source=sources(packed.names))


def unit_field(step: Pack | Task_, fields: Fields) -> str:
    """The field that a pack or task works on: the one it names, or the only one of its kind."""
    return pick_field(step, fields, step.kind if isinstance(step, Task_) else "ids", getattr(step, "field", None))


def _source_of(rows: Rows) -> Any:
    """A function from names of packed rows to the source of the document that each begins in."""
    kind = [("high", np.uint64), ("low", np.uint64), ("occurrence", np.uint32)]

    def structured(names: Names) -> NDArray[Any]:
        table = np.empty(len(names), kind)
        table["high"], table["low"], table["occurrence"] = names.high, names.low, names.occurrence
        return table

    keys = structured(rows.names)
    order = np.argsort(keys, order=["high", "low", "occurrence"])
    sources = rows.array("_source")

    def of(names: Names) -> NDArray[np.uint16]:
        at = np.searchsorted(keys[order], structured(names))
        found: NDArray[np.uint16] = sources[order[at]]
        return found

    return of
