"""A stage hands an engine one job and many small tasks."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sslpipe.building.job import Job, Task
from sslpipe.building.progress import Silent
from sslpipe.building.stages import Stages
from sslpipe.shards.commits import Commit, Output
from sslpipe.shards.storage import LocalStorage

SPILLS = [
    Output(role="spill", name=f".sslpipe/spill/0-read-{number:05d}.arrow", bytes=number, xxh3_128=f"{number:032x}")
    for number in range(10_000)
]


class Notes:
    """An engine that runs nothing, and keeps what it was handed."""

    def __init__(self) -> None:
        self.handed: list[tuple[Job, list[Task]]] = []

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Commit]:
        self.handed.append((job, list(tasks)))
        for task in tasks:
            yield Commit(stage=task.stage, task=task.number, fingerprint=task.fingerprint)

    def close(self) -> None: ...


def stage(out: Path) -> tuple[Job, list[Task]]:
    engine = Notes()
    stages = Stages(LocalStorage(out), engine, Silent(), "build")
    ranges = [{"split": 0, "number": number, "range": (number << 50, (number + 1) << 50)} for number in range(20)]
    commits = stages.run("1-shards", "shard", 1, ranges, inputs={"spill": SPILLS})
    assert [commit.task for commit in commits] == list(range(20))
    assert stages.job.inputs == {}, "the next stage reads other files"
    ((job, tasks),) = engine.handed
    return job, tasks


def _heaviest(tasks: Sequence[Task]) -> int:
    return max(len(pickle.dumps(task)) for task in tasks)


def test_what_all_tasks_read_travels_once(tmp_path: Path) -> None:
    job, tasks = stage(tmp_path)
    assert list(job.inputs["spill"]) == SPILLS
    assert _heaviest(tasks) < 1000, "its number and range"


def test_tasks_that_carry_it_are_caught(tmp_path: Path) -> None:
    job, tasks = stage(tmp_path)
    assert _heaviest([replace(tasks[0], inputs=job.inputs)]) > 1_000_000


def test_what_is_read_decides_the_fingerprint_by_content_not_by_name(tmp_path: Path) -> None:
    engine = Notes()
    stages = Stages(LocalStorage(tmp_path), engine, Silent(), "build")
    changes: list[dict[str, object]] = [{}, {"name": "moved"}, {"xxh3_128": "other"}, {"bytes": 9}]
    for changed in changes:
        stages.run("0-resolve", "resolve", 0, [{}], inputs={"records": [SPILLS[0].model_copy(update=changed)]})
    first, moved, *others = [tasks[0].fingerprint for _, tasks in engine.handed]
    assert first == moved and first not in others and others[0] != others[1]
