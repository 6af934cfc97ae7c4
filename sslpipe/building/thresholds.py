"""By how much a dropped row missed: its numbers in the ledger, judged once more by the recipe that made the dataset."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sslpipe.building.fused import label_of
from sslpipe.building.own_files import with_own_files
from sslpipe.building.state import RECIPE
from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Fields
from sslpipe.core.steps import Context, Filter, Limit, Map, Numbers
from sslpipe.recipe.located import HALVES
from sslpipe.recipe.plan import Plan
from sslpipe.recipe.recipe import Recipe
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage


@dataclass(frozen=True)
class Line:
    """One threshold, with the columns of the ledger that it divides."""

    segment: int
    step: str
    """The filter's path."""
    part: str
    whole: tuple[str, ...]
    """Of what it is taken as a share; none where it is not."""
    limit: Limit


class Thresholds:
    """The filters of a finished dataset, ready to say which of them dropped a row, and by how much.

    The ledger keeps a row's numbers and the reason, not the filter: two filters may give one reason, with other thresholds. So
    each is asked to judge the numbers again. A recipe that can't be had leaves rows without thresholds, and `problem` says why.
    """

    def __init__(self, storage: LocalStorage, manifest: Manifest, *, trust: bool) -> None:
        self.problem = ""
        """Why thresholds can't be told, if they can't."""
        self._plan: Plan | None = None
        self._artefacts = {name: storage.path(file.path) for name, file in manifest.artefacts.items()}
        told = json.loads(storage.get(RECIPE)) if storage.size(RECIPE) is not None else {}
        if told.get("build") != manifest.build:
            self.problem = "another build has begun in this folder, and its recipe has taken the place of this dataset's"
            return
        try:
            recipe = Recipe.from_json(told["recipe"], trust=trust)
            halves = {half: tuple(with_own_files(step, self._artefacts) for step in getattr(recipe, half)) for half in HALVES}
            self._plan = Plan.of(recipe.model_copy(update=halves), self._artefacts)
        except RecipeError as error:
            self.problem = str(error) + ("" if trust else " (`--trust` on the command line)")

    def lines(self) -> list[Line]:
        """The thresholds of all filters that can tell them, in the order of the recipe."""
        segments = self._plan.segments if self._plan is not None else ()
        return [
            Line(number, step.path(), columns[limit.part], tuple(columns[name] for name in limit.whole), limit)
            for number, segment in enumerate(segments)
            for step in segment.steps
            if isinstance(step, Filter)
            for columns in [self._columns(step)]
            for limit in step.limits()
        ]

    def missed(self, entry: Mapping[str, Any], segment: int) -> str:
        """What a ledger entry's row missed in that segment; empty where it was no filter, or its filter has nothing to add."""
        return " or ".join(dict.fromkeys(text for text in self._explanations(entry, segment) if text))

    def _explanations(self, entry: Mapping[str, Any], segment: int) -> Iterator[str]:
        """Those of all filters that give the reason. The first of them dropped the row, unless a map changed its numbers."""
        if self._plan is None:
            return
        found = False
        fields = self._plan.segments[segment].fields_in
        for step in self._plan.segments[segment].steps:
            if isinstance(step, Map):
                found = False
            elif isinstance(step, Filter) and not found:
                numbers = self._numbers(step, entry)
                if self._gives(step, fields, numbers, entry["reason"]):
                    found = True
                    yield step.explain(entry["reason"], numbers)
            fields = step.outputs(fields)

    def _numbers(self, step: Filter, entry: Mapping[str, Any]) -> Numbers:
        """What the filter read, as far as the entry has it: measures behind the one that dropped a row were never taken.

        What is no number is none of ours: the ledger may have come with somebody's dataset.
        """
        found = {name: entry.get(column) for name, column in self._columns(step).items()}
        return {name: value for name, value in found.items() if isinstance(value, int | float) and math.isfinite(value)}

    def _columns(self, step: Filter) -> dict[str, str]:
        """The columns of the ledger that hold the numbers of a filter, by the names that it knows them by."""
        assert self._plan is not None
        return {name: f"{label_of(measure, self._plan.labels)}.{name}" for measure in step.needs() for name in measure.names()}

    def _gives(self, step: Filter, fields: Fields, numbers: Numbers, reason: str) -> bool:
        if len(numbers) < sum(len(measure.names()) for measure in step.needs()):
            return False
        verdicts = step.open(Context(fields, self._artefacts)).judge({name: np.array([n]) for name, n in numbers.items()})
        return bool(verdicts.codes[0]) and verdicts.reasons[verdicts.codes[0] - 1] == reason
