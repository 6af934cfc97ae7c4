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
        self._labels = labels
        self._opened: list[tuple[Step, Any, Fields]] = []
        for step in steps:
            self._opened.append((step, step.open(Context(fields, artefacts)), fields))
            fields = step.outputs(fields)
        self._artefacts = artefacts
        self._measures: dict[Measure, Any] = {}
        self.fields = fields

    def run(self, rows: Rows) -> tuple[Rows, list[Dropped]]:
        """The rows that pass, changed, and those that don't."""
        dropped: list[Dropped] = []
        fresh: set[Measure] = set()
        for step, opened, fields in self._opened:
            if not len(rows):
                break
            if isinstance(step, Map):
                rows = opened.map(rows, Draw(self._seed, step.path(), getattr(step, "salt", "")))
                fresh.clear()
            elif isinstance(step, Measure):
                rows = self._measured(step, rows, fields, fresh)
            elif isinstance(step, Filter):
                for measure in step.needs():
                    rows = self._measured(measure, rows, fields, fresh)
                rows, lost = self._judged(step, opened, rows)
                if lost is not None:
                    dropped.append(lost)
        return rows, dropped

    def _measured(self, measure: Measure, rows: Rows, fields: Fields, fresh: set[Measure]) -> Rows:
        if measure in fresh:
            return rows
        if measure not in self._measures:
            self._measures[measure] = measure.open(Context(fields, self._artefacts))
        opened = self._measures[measure]
        fresh.add(measure)
        label = label_of(measure, self._labels)
        numbers = opened.measure(rows)
        return rows.with_columns(**{f"{MEASURED}{label}.{name}": column for name, column in numbers.items()})

    def _judged(self, step: Filter, opened: Filter, rows: Rows) -> tuple[Rows, Dropped | None]:
        numbers: dict[str, Any] = {}
        for measure in step.needs():
            label = label_of(measure, self._labels)
            numbers |= {name: rows.array(f"{MEASURED}{label}.{name}") for name in measure.names()}
        verdicts = opened.judge(numbers)
        out = np.flatnonzero(verdicts.codes)
        if not len(out):
            return rows, None
        reasons = [verdicts.reasons[code - 1] for code in verdicts.codes[out].tolist()]
        return rows.take(verdicts.codes == 0), Dropped(rows.take(out), reasons)


def label_of(measure: Measure, labels: Mapping[Measure, str]) -> str:
    """The prefix of a measure's columns: its file's name, with the field where a recipe measures several alike."""
    return labels.get(measure) or measure.path().rpartition(".")[2]
