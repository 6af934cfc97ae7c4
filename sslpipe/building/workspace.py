"""What a worker holds while it runs tasks of one job."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from sslpipe.building.job import Job
from sslpipe.recipe.plan import Plan
from sslpipe.recipe.recipe import Recipe
from sslpipe.shards.limits import allow_many_files
from sslpipe.shards.storage import LocalStorage


class Workspace:
    """The recipe, the plan and the storage of a job, built once per worker and kept between its tasks."""

    def __init__(self, job: Job) -> None:
        self.job = job
        allow_many_files()
        self.storage = LocalStorage(job.root)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe, rebuilt from JSON."""
        return Recipe.from_json(self.job.recipe, trust=True)

    @property
    def batch_bytes(self) -> int:
        """How much a task holds decoded at a time, beside its sort buffer."""
        return min(16 << 20, self.recipe.limits.memory_bytes // 8)

    @cached_property
    def artefacts(self) -> dict[str, Path]:
        """What has been learnt so far."""
        return {name: self.storage.path(path) for name, path in self.job.artefacts.items()}

    @cached_property
    def plan(self) -> Plan:
        """The recipe cut into segments, its steps bound to what has been learnt."""
        return Plan.of(self.recipe, self.artefacts)
