"""Runs the tasks of one stage: those that no commit covers yet, on whatever engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sslpipe.building.job import Job, Task
from sslpipe.building.progress import Progress
from sslpipe.core.errors import SslpipeError
from sslpipe.core.hashes import fingerprint
from sslpipe.core.steps import Step
from sslpipe.recipe.recipe import step_stamp
from sslpipe.shards.commits import Commit, Commits, Output
from sslpipe.shards.storage import LocalStorage

FORMAT = 1
"""Version of what tasks read and write between themselves; enters every fingerprint."""

STAGES = ".sslpipe/stages"


class Engine(Protocol):
    """Who runs tasks."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Commit]:
        """Commits as tasks finish, in any order."""

    def close(self) -> None:
        """Release workers."""


class Stages:
    """The stages of one build, one after another, each resumed from its commits."""

    def __init__(self, storage: LocalStorage, engine: Engine, progress: Progress, build: str) -> None:
        self._storage, self._engine, self._progress = storage, engine, progress
        self._commits = Commits(storage)
        self._build = build
        self.job = Job(str(storage.root), {}, build=build)
        self.finished: dict[str, list[Commit]] = {}

    def run(self, stage: str, kind: str, segment: int, tasks: Sequence[Mapping[str, Any]], steps: Sequence[Step] = (),
            inputs: Mapping[str, Sequence[Output]] | None = None, also: object = None) -> list[Commit]:  # fmt: skip
        """Commits of all tasks in the order of their numbers; what is committed already is not run again.

        A task's fingerprint covers its arguments, the steps with their versions, and the content (not the names) of inputs.
        """
        files = {role: tuple(outputs) for role, outputs in (inputs or {}).items()}
        content = {role: [(output.bytes, output.xxh3_128) for output in outputs] for role, outputs in files.items()}
        shared = fingerprint(FORMAT, kind, segment, [step_stamp(step) for step in steps], content, also)
        listed = [
            Task(stage, kind, segment, number, fingerprint(shared, number, arguments), arguments)
            for number, arguments in enumerate(tasks)
        ]
        self._announce(stage, [task.fingerprint for task in listed])
        done = {task.number: commit for task in listed if (commit := self._commits.find(stage, task.fingerprint)) is not None}
        left = [task for task in listed if task.number not in done]
        self._progress.stage(stage, len(listed), len(done))
        for commit in self._engine.run(replace(self.job, inputs=files), left):
            done[commit.task] = commit
            self._progress.tick(commit)
        missing = [task.number for task in listed if task.number not in done]
        if missing:
            raise SslpipeError(f"internal error: stage {stage} ended without tasks {missing[:5]}")
        self.finished[stage] = [done[number] for number in sorted(done)]
        return self.finished[stage]

    def with_artefacts(self, artefacts: Mapping[str, str]) -> None:
        """Tell later tasks what has been learnt."""
        self.job = replace(self.job, artefacts={**self.job.artefacts, **artefacts})

    def _announce(self, stage: str, fingerprints: list[str]) -> None:
        """Write down what the stage consists of, so that `status` can count from another shell."""
        name = f"{STAGES}/{self._build}/{len(self.finished):02d}.json"
        self._storage.replace(name, json.dumps({"stage": stage, "tasks": fingerprints}).encode())
