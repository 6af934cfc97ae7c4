"""Runs tasks one after another in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sslpipe.building.job import Job, Task
from sslpipe.building.tasks import run_task
from sslpipe.shards.commits import Commit


class Inline:
    """No workers, no start-up time, every traceback where it happened; the reference that other engines must equal."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Commit]:
        """Commits as tasks finish, in any order; here, in theirs."""
        for task in tasks:
            yield run_task(job, task)

    def close(self) -> None:
        """Nothing to release."""
