"""The steps of one segment, run as one pass over each batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sslpipe.core.draw import Draw
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Filter, Map, Measure, Step
from sslpipe.shards.ledger import MEASURED


@dataclass(frozen=True)
class Dropped:
    """Rows that a filter took out, each with its reason; their measures are columns of theirs."""

    rows: Rows
    reasons: list[str]


class FusedSteps:
    """Maps, measures and filters in the order written, opened once.

    A measure is computed where the first filter asks for it and kept until a map changes the rows, so filters that share a
    measure share its cost. Everything works on whole batches, and what comes out does not depend on how rows are batched.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        fields: Fields,
        artefacts: Mapping[str, Path],
        seed: int,
        labels: Mapping[Measure, str],
    ) -> None:
        self._seed = seed
        self._opened: list[_Opened] = []
        for step in steps:
            context = Context(fields, artefacts)
            needed = step.needs() if isinstance(step, Filter) else (step,) if isinstance(step, Measure) else ()
            measures = [(label_of(measure, labels), measure.open(context)) for measure in needed]
            self._opened.append(_Opened(step, step.open(context), measures))
            fields = step.outputs(fields)
        self.fields = fields

    def run(self, rows: Rows) -> tuple[Rows, list[Dropped]]:
        """The rows that pass, changed, and those that don't."""
        dropped: list[Dropped] = []
        fresh: set[Measure] = set()
        for step in self._opened:
            if not len(rows):
                break
            for label, measure in step.measures:
                if measure not in fresh:
                    rows = _measured(label, measure, rows)
                    fresh.add(measure)
            if isinstance(step.step, Map):
                rows = step.opened.map(rows, Draw(self._seed, step.step.path(), getattr(step.step, "salt", "")))
                fresh.clear()
            elif isinstance(step.step, Filter):
                rows, lost = step.judged(rows)
                if lost is not None:
                    dropped.append(lost)
        return rows, dropped


@dataclass(frozen=True)
class _Opened:
    """A step at its place: opened with the fields that it sees there, its measures too."""

    step: Step
    opened: Any
    measures: list[tuple[str, Measure]]

    def judged(self, rows: Rows) -> tuple[Rows, Dropped | None]:
        """What the filter keeps, and what it drops."""
        numbers: dict[str, Any] = {}
        for label, measure in self.measures:
            numbers |= {name: rows.array(f"{MEASURED}{label}.{name}") for name in measure.names()}
        verdicts = self.opened.judge(numbers)
        out = np.flatnonzero(verdicts.codes)
        if not len(out):
            return rows, None
        reasons = [verdicts.reasons[code - 1] for code in verdicts.codes[out].tolist()]
        return rows.take(verdicts.codes == 0), Dropped(rows.take(out), reasons)


def _measured(label: str, measure: Measure, rows: Rows) -> Rows:
    numbers = measure.measure(rows)
    return rows.with_columns(**{f"{MEASURED}{label}.{name}": column for name, column in numbers.items()})


def label_of(measure: Measure, labels: Mapping[Measure, str]) -> str:
    """The prefix of a measure's columns: its file's name, with the field where a recipe measures several alike."""
    return labels.get(measure) or measure.path().rpartition(".")[2]
