"""What a worker is told: the job it belongs to, and the one task it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sslpipe.shards.commits import Output


@dataclass(frozen=True)
class Job:
    """All that tasks of one build share; names and numbers only, never payload."""

    root: str
    recipe: Mapping[str, Any]
    """The recipe as JSON, with paths resolved."""
    artefacts: Mapping[str, str] = field(default_factory=dict)
    """What earlier fits learnt: artefact name to path under the output folder."""
    revision: int = 0
    """How many finished datasets the folder held before; enters the names of shards."""
    build: str = ""
    """The name of the build: a hash of recipe, code of foreign steps, and input files."""
    inputs: Mapping[str, tuple[Output, ...]] = field(default_factory=dict)
    """What all tasks of a stage read, by role: a name for each spill of the stage before, so it travels once, not with each."""


@dataclass(frozen=True)
class Task:
    """One task of a stage.

    `fingerprint` names the result: a hash of the steps that run and the content of what they read. `inputs` says where that
    content lies in this attempt, and may change without the fingerprint changing; it is filled in from the job where the task
    runs, so that a task on its way is its number and range.
    """

    stage: str
    kind: str
    segment: int
    number: int
    fingerprint: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, tuple[Output, ...]] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """A readable start for the names of the task's files."""
        return f"{self.stage}-{self.number:05d}"

    @property
    def reading(self) -> str:
        """The raw files that the task reads, for messages; nothing where it reads none."""
        files = self.arguments.get("part", {}).get("files", ())
        return f" while reading {', '.join(files[:3])}{' and others' if len(files) > 3 else ''}" if files else ""
