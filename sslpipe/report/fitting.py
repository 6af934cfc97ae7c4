"""Which tasks a dataset can be streamed with, and with which steps before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sslpipe.building.own_files import with_own_files
from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Fields
from sslpipe.core.steps import Pack, Step, Task
from sslpipe.core.words import did_you_mean
from sslpipe.packs.concatenate import Concatenate
from sslpipe.recipe.registry import resolve, step_names
from sslpipe.shards.manifest import Manifest
from sslpipe.stream.stream_steps import StreamSteps, parse_steps

LENGTH: Final = 256
"""Tokens of a packed row, where the recipe packs none."""
STORED: Final = "stored"
"""What rows are called that a task made left of the fence."""
_MADE: Final = ({"input_ids", "labels"}, {"views"}, {"bool_masked_pos"}, {"mask_time_indices"})

Steps = tuple[Step, ...]


@dataclass(frozen=True)
class Fitting:
    """The tasks that fit, by name with the steps of their stream; those that don't, with the reason."""

    steps: Mapping[str, Steps]
    unfit: Mapping[str, str]
    note: str = ""
    """Why the recipe's own `stream:` half is not used; empty if it is."""

    @classmethod
    def of(cls, manifest: Manifest, artefacts: Mapping[str, Path]) -> Fitting:
        """Try all built-in tasks: the recipe's as it has them, others by default, behind its filters and its pack or maps."""
        own, note = _own_steps(manifest, artefacts)
        steps: dict[str, Steps] = {}
        unfit: dict[str, str] = {}
        if any(names <= manifest.fields.keys() for names in _MADE):
            steps[STORED] = own
        for name in step_names("tasks"):
            tried = _with_task(own, name)
            try:
                StreamSteps.of(tried, manifest.fields, artefacts).opened()
                steps[name.partition(".")[2]] = tried
            except RecipeError as error:
                unfit[name.partition(".")[2]] = str(error)
        return cls(steps, unfit, note)

    def named(self, task: str) -> tuple[str, Steps]:
        """A task by its name, with or without `tasks.`; raises RecipeError that names those which fit."""
        name = task.removeprefix("tasks.")
        if name in self.steps:
            return name, self.steps[name]
        fit = f"these fit: {', '.join(self.steps)}" if self.steps else "no other fits either"
        if name in self.unfit:
            raise RecipeError(f"{name} does not fit this dataset: {self.unfit[name]}; {fit}")
        hint = did_you_mean(name, self.steps)
        raise RecipeError(f"there is no task `{name}`; {fit}" + (f"; {hint}" if hint else ""))


def described(fields: Fields) -> str:
    """The fields of a row in words."""
    return ", ".join(f"{name}: {field.kind}" for name, field in fields.items()) or "nothing"


def _own_steps(manifest: Manifest, artefacts: Mapping[str, Path]) -> tuple[Steps, str]:
    try:
        return tuple(with_own_files(step, artefacts) for step in parse_steps(manifest.stream)), ""
    except RecipeError as error:
        return (), f"the recipe's `stream:` half is not used: {error}"


def _with_task(own: Steps, name: str) -> Steps:
    """The steps of the recipe with this task in place of its own, and a pack only before tasks of tokens."""
    if any(step.path() == name for step in own):
        return own
    kind = resolve(name)
    assert issubclass(kind, Task)
    before = [step for step in own if not isinstance(step, Task)]
    if kind.kind != "ids":
        before = [step for step in before if not isinstance(step, Pack)]
    elif not any(isinstance(step, Pack) for step in before):
        before.append(Concatenate(length=LENGTH))
    return (*before, kind())
