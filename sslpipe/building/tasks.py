"""The kinds of task there are, and the one function that every engine runs."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sslpipe.building.job import Job, Task
from sslpipe.building.learn import fit, sample
from sslpipe.building.read import read
from sslpipe.building.resolve import resolve
from sslpipe.building.shard import respill, shard, weigh
from sslpipe.building.workspace import Workspace
from sslpipe.core.errors import SslpipeError
from sslpipe.core.hashes import fingerprint
from sslpipe.shards.commits import Commit, Commits

KINDS: Final[dict[str, Callable[[Workspace, Task], Commit]]] = {
    "read": read,
    "respill": respill,
    "resolve": resolve,
    "sample": sample,
    "fit": fit,
    "weigh": weigh,
    "shard": shard,
}


def run_task(job: Job, task: Task) -> Commit:
    """Run one task and commit it. Running it twice, even at once, does no harm: one record wins, and the bytes are equal.

    What a step raises that is no error of ours becomes one that names the task and what it read, with the traceback.
    """
    try:
        work = _workspace(fingerprint(job.root, job.recipe, job.artefacts, job.revision, job.build), job)
        return Commits(work.storage).publish(KINDS[task.kind](work, replace(task, inputs=job.inputs)))
    except SslpipeError:
        raise
    except Exception as error:
        raise SslpipeError(f"task {task.stem} failed{task.reading}:\n{traceback.format_exc().rstrip()}") from error


_recent: dict[str, Workspace] = {}


def _workspace(name: str, job: Job) -> Workspace:
    """The workspace of a job, kept for the worker's next task; one at a time, since jobs follow one another."""
    if name not in _recent:
        _recent.clear()
        _recent[name] = Workspace(job)
    return _recent[name]
