"""The engine that other engines must equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslpipe.building.job import Job, Task
from sslpipe.engines import inline
from sslpipe.engines.inline import Inline
from sslpipe.shards.commits import Commit


def test_tasks_run_in_order_and_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []

    def run_task(job: Job, task: Task) -> Commit:
        ran.append(task.number)
        return Commit(stage=task.stage, task=task.number, fingerprint=task.fingerprint)

    monkeypatch.setattr(inline, "run_task", run_task)
    engine = Inline()
    commits = engine.run(Job(str(tmp_path), {}), [Task("s", "read", 0, number, f"f{number}") for number in range(3)])
    assert ran == []
    assert next(commits).task == 0 and ran == [0]
    assert [commit.task for commit in commits] == [1, 2]
    engine.close()
