"""Walks the segments of a plan, from raw files to a published manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sslpipe.building.inputs import parts_by_source
from sslpipe.building.learn import MARGIN
from sslpipe.building.lock import BuildLock
from sslpipe.building.progress import Progress, Silent
from sslpipe.building.publish import Publisher, refuse_strangers
from sslpipe.building.stages import Engine, Stages
from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.core.hashes import fingerprint
from sslpipe.kernels.jit import kernel_stamp
from sslpipe.recipe.located import Located
from sslpipe.recipe.plan import Plan
from sslpipe.recipe.recipe import Recipe, step_stamp
from sslpipe.shards.commits import Commit, Output, add_counts
from sslpipe.shards.manifest import SPLITS, Manifest
from sslpipe.shards.storage import LocalStorage

WEIGH_BYTES = 2 << 20
"""How much is mapped to learn what a row will weigh in a shard."""

LEAST_ROWS = 16
"""How many rows a sample has on average at the least: where rows are huge, a sample by bytes would have none."""

TOP = 2**64


@dataclass
class _Spilled:
    """The rows between two segments: where they lie, what was decided about them, and how many are alive."""

    spills: list[Output]
    records: list[Output]
    decisions: list[Output]
    rows: list[int]
    bytes: list[int]

    @classmethod
    def of(cls, commits: Sequence[Commit]) -> _Spilled:
        total = [[sum(commit.facts[what][split] for commit in commits) for split in range(3)] for what in ("rows", "bytes")]
        spills = [output for commit in commits for output in commit.all("spill")]
        return cls(spills, [output for commit in commits for output in commit.all("records")], [], total[0], total[1])

    def inputs(self) -> dict[str, list[Output]]:
        return {"spill": self.spills, "decisions": self.decisions}


class Builder:
    """One build of one recipe into one folder; running it again resumes it."""

    def __init__(
        self, recipe: Recipe, out: Path, engine: Engine, progress: Progress | None = None, *,
        limit: int | None = None, update: bool = False, located: Located | None = None,
    ) -> None:  # fmt: skip
        self._recipe, self._limit, self._update = recipe, limit, update
        self._located = located
        self._storage = LocalStorage(out.resolve())
        self._engine = engine
        self._progress = progress or Silent()
        self._plan = Plan.of(recipe)

    def run(self) -> Manifest:
        """Build, or go on building; the manifest is written last."""
        parts = self._parts()
        refuse_strangers(self._storage)
        with BuildLock(self._storage.root):
            return self._run(parts)

    def _run(self, parts: list[tuple[str, dict[str, Any]]]) -> Manifest:
        inputs = fingerprint(_files(parts), self._limit)
        publisher = Publisher(self._storage, self._recipe, inputs, limited=self._limit is not None)
        finished = publisher.finished(self._update)
        if finished is not None:
            return finished
        publisher.begin(self._update)
        stages = Stages(self._storage, self._engine, self._progress, publisher.build)
        stages.job = replace(stages.job, recipe=self._recipe.to_json(), revision=publisher.revision)
        spilled = self._read(stages, parts)
        for number in range(len(self._plan.segments) - 1):
            if number:
                spilled = self._respill(stages, number, spilled)
            self._resolve(stages, number, spilled)
            self._learn(stages, number, spilled)
        shards = self._shards(stages, spilled)
        counts = add_counts(commit.counts for commits in stages.finished.values() for commit in commits)
        check_sum(counts)
        return publisher.publish(stages, shards, counts, self._fields(stages))

    def _parts(self) -> list[tuple[str, dict[str, Any]]]:
        """What each read task reads: (source, part), sources by name, files by path."""
        found = parts_by_source(self._recipe, self._located)
        return [
            (source, asdict(part)) for source, parts in found.items() for part in (parts if self._limit is None else parts[:1])
        ]

    def _read(self, stages: Stages, parts: list[tuple[str, dict[str, Any]]]) -> _Spilled:
        recipe, segment = self._recipe, self._plan.segments[0]
        steps = [*segment.steps, *([segment.dedup] if segment.dedup else [])]
        readers = {source: step_stamp(reader) for source, reader in sorted(recipe.sources.items())}
        also = [
            readers,
            recipe.seed,
            recipe.shards.splits.model_dump(),
            self._plan.kept_measures,
            kernel_stamp(),
            recipe.limits.memory_bytes,
        ]
        arguments = [{"source": source, "part": part, "limit": self._limit} for source, part in parts]
        return _Spilled.of(stages.run("0-read", "read", 0, arguments, steps, also=also))

    def _respill(self, stages: Stages, number: int, spilled: _Spilled) -> _Spilled:
        segment = self._plan.segments[number]
        steps = [*segment.steps, *([segment.dedup] if segment.dedup else [])]
        tasks = [{"range": bounds} for bounds in self._ranges(sum(spilled.bytes))]
        also = [self._recipe.seed, self._artefacts(stages), kernel_stamp(), sorted(self._recipe.sources)]
        return _Spilled.of(stages.run(f"{number}-spill", "respill", number, tasks, steps, spilled.inputs(), also))

    def _resolve(self, stages: Stages, number: int, spilled: _Spilled) -> None:
        segment = self._plan.segments[number]
        if number and segment.dedup is None:
            return
        size = sum(output.bytes for output in spilled.records)
        count = max(1, -(-size // max(1, self._recipe.limits.memory_bytes // 8)))
        tasks = [{"range": bounds, "dedup": segment.dedup is not None, "rename": number == 0} for bounds in _ranges(count)]
        steps = [segment.dedup] if segment.dedup else []
        sources = sorted(self._recipe.sources)  # counts are by name, and records know only the number
        commits = stages.run(f"{number}-resolve", "resolve", number, tasks, steps, {"records": spilled.records}, sources)
        spilled.decisions = [output for commit in commits for output in commit.all("decisions")]
        for split in range(len(SPLITS)):
            spilled.rows[split] -= sum(commit.facts["lost_rows"][split] for commit in commits)
            spilled.bytes[split] -= sum(commit.facts["lost_bytes"][split] for commit in commits)
        self._guard(stages, commits)

    def _guard(self, stages: Stages, commits: Sequence[Commit]) -> None:
        """Stop before anything is written where a dedup would wipe out a source."""
        read = add_counts(commit.counts for commit in stages.finished["0-read"])
        limit = self._recipe.limits.max_duplicate
        for source, outcomes in add_counts(commit.counts for commit in commits).items():
            lost, total = outcomes.get("duplicate", 0), read[source]["read"]
            if lost > limit * total:
                raise RecipeError(
                    f"source `{source}`: {lost:,} of {total:,} rows are duplicates, more than"
                    f" `limits: {{max_duplicate: {limit}}}` allows; no dataset was written."
                    " If that is what you expect, raise max_duplicate and run the same command again"
                )

    def _learn(self, stages: Stages, number: int, spilled: _Spilled) -> None:
        segment = self._plan.segments[number]
        for at, step in enumerate(segment.fits):
            spec = step.sample(segment.fields)
            total = max(1, spilled.bytes[0])
            share = max(spec.bytes * MARGIN / total, LEAST_ROWS / max(1, spilled.rows[0]))
            bound = None if share >= 1 else int(TOP * share)
            wanted = {"field": spec.field, "bytes": spec.bytes, "bound": bound}
            tasks = [{"range": bounds, **wanted} for bounds in self._ranges(sum(spilled.bytes))]
            seed = [self._recipe.seed]
            sampled = stages.run(f"{number}-sample-{at}", "sample", number, tasks, [step], spilled.inputs(), seed)
            sample = [output for commit in sampled for output in commit.all("sample")]
            fitted = stages.run(f"{number}-fit-{at}", "fit", number, [{"fit": at}], [step], {"sample": sample}, seed)
            output = fitted[0].outputs[0]
            stages.with_artefacts({output.role: output.name})

    def _shards(self, stages: Stages, spilled: _Spilled) -> list[Commit]:
        last = len(self._plan.segments) - 1
        segment = self._plan.segments[last]
        steps = [*segment.steps, *(step for step in (segment.pack, segment.task) if step is not None)]
        sources = sorted(self._recipe.sources)
        also = [self._recipe.seed, self._artefacts(stages), kernel_stamp(), self._plan.kept_measures, sources]
        counts = self._shard_counts(stages, spilled, steps, also)
        tasks = [
            {"split": split, "number": number, "range": bounds}
            for split, count in enumerate(counts)
            for number, bounds in enumerate(_ranges(count))
        ]
        return stages.run(f"{last}-shards", "shard", last, tasks, steps, spilled.inputs(), [also, stages.job.revision])

    def _shard_counts(self, stages: Stages, spilled: _Spilled, steps: Sequence[Any], also: object) -> list[int]:
        """How many shards each split gets; a function of the rows, never of how they were read."""
        shards, last = self._recipe.shards, len(self._plan.segments) - 1
        if shards.count is not None:
            train = max(1, spilled.rows[0])
            return [-(-shards.count * rows // train) if rows else 0 for rows in (train, *spilled.rows[1:])]
        by_bytes, by_rows = TOP * WEIGH_BYTES // max(1, sum(spilled.bytes)), TOP * LEAST_ROWS // max(1, sum(spilled.rows))
        share = min(TOP, max(by_bytes, by_rows))
        arguments = [{"share": None if share == TOP else share}]
        weighed = stages.run(f"{last}-weigh", "weigh", last, arguments, steps, spilled.inputs(), also)[0].facts
        per_row = weighed["bytes"] / max(1, weighed["rows"])
        return [max(1, -(-int(rows * per_row) // shards.max_bytes)) if rows else 0 for rows in spilled.rows]

    def _ranges(self, size: int) -> list[tuple[int, int | None]]:
        return _ranges(max(1, -(-size // (4 * self._recipe.limits.part_bytes))))

    def _artefacts(self, stages: Stages) -> list[tuple[str, str]]:
        """What was learnt, by content."""
        return [
            (output.role, output.xxh3_128)
            for commits in stages.finished.values()
            for commit in commits
            for output in commit.outputs
            if output.role in stages.job.artefacts
        ]

    def _fields(self, stages: Stages) -> dict[str, Field]:
        artefacts = {name: self._storage.path(path) for name, path in stages.job.artefacts.items()}
        return dict(Plan.of(self._recipe, artefacts).segments[-1].fields_out)


def _files(parts: list[tuple[str, dict[str, Any]]]) -> list[tuple[Any, ...]]:
    """Source, name, size and time of each file, once, so that another `part_bytes` is no other input."""
    columns = ("files", "sizes", "stamps")
    files = [(source, *file) for source, part in parts for file in zip(*(part[column] for column in columns), strict=True)]
    return list(dict.fromkeys(files))


def _ranges(count: int) -> list[tuple[int, int | None]]:
    """Equal ranges of 64-bit hashes; the last one has no upper end."""
    if not count:
        return []
    edges = [TOP * i // count for i in range(count)]
    return list(zip(edges, [*edges[1:], None], strict=True))


def check_sum(counts: dict[str, dict[str, int]]) -> None:
    """The ledger's law: every record read is kept, or is missing for a counted reason."""
    for source, outcomes in counts.items():
        read = outcomes.get("read", 0)
        told = sum(number for outcome, number in outcomes.items() if outcome != "read")
        if read != told:
            raise SslpipeError(
                f"internal error: source `{source}`: {read} records were read, {told} are accounted for: {json.dumps(outcomes)}"
            )
