"""The steps of one segment, run as one pass over each batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sslpipe.building.pieces import added, numbered, parent, without_piece
from sslpipe.building.spill import DIGEST
from sslpipe.codecs.encoded import codec_of
from sslpipe.core.damage import Damage
from sslpipe.core.draw import Draw
from sslpipe.core.encoded import Encoded
from sslpipe.core.fields import ENCODED, Fields
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Cut, Dedup, Filter, Map, Measure, Step
from sslpipe.shards.ledger import MEASURED

DECODED_BYTES: Final = 128 << 20
"""About how much of a batch is decoded at a time; a larger picture is alone."""


@dataclass(frozen=True)
class Dropped:
    """Rows that a filter took out, or a cut left nothing of, each with its reason; their measures are columns of theirs."""

    rows: Rows
    reasons: list[str]


@dataclass(frozen=True)
class Damaged:
    """Rows whose bytes can't be decoded, each with what is wrong; found where a step first looked into them."""

    rows: Rows
    field: str
    damages: list[Damage]


@dataclass
class Passed:
    """What became of a batch, gathered as it passes."""

    kept: list[Rows]
    dropped: list[Dropped]
    damaged: list[Damaged]
    added: Counter[int]
    """How many records more a source has since cuts divided some, by its number."""

    @property
    def rows(self) -> Rows:
        """The rows that are left."""
        return Rows.concat(self.kept)


class FusedSteps:
    """Maps, cuts, measures and filters in the order written, opened once, and what a dedup behind them will compare.

    A measure is computed where the first filter asks for it and kept until a map changes the rows, so filters that share a
    measure share its cost. Pictures and sound are decoded at most once for all steps, so many at a time as memory allows.
    Everything works on whole batches, and what comes out does not depend on how rows are batched. `check`: decode what no step
    looked into as well, so that damage is found where rows are read.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        fields: Fields,
        artefacts: Mapping[str, Path],
        seed: int,
        labels: Mapping[Measure, str],
        dedup: Dedup | None = None,
        *,
        check: bool = False,
    ) -> None:
        self._seed, self._check = seed, check
        self._encoded = {name: field.kind for name, field in fields.items() if field.kind in ENCODED}
        self._opened: list[_Opened] = []
        for step in steps:
            context = Context(fields, artefacts)
            needed = step.needs() if isinstance(step, Filter) else (step,) if isinstance(step, Measure) else ()
            measures = [(label_of(measure, labels), measure.open(context)) for measure in needed]
            self._opened.append(_Opened(step, step.open(context), measures))
            fields = step.outputs(fields)
        self.fields = fields
        self._dedup = dedup.open(Context(fields, artefacts)) if dedup is not None else None

    def run(self, rows: Rows) -> Passed:
        """The rows that pass, changed, and those that don't."""
        passed = Passed([], [], [], Counter())
        for part in self._parts(rows):
            passed.kept.append(self._through(part, passed))
        return passed

    def _parts(self, rows: Rows) -> Iterator[Rows]:
        """The batch in parts that may be decoded as a whole, by their headers."""
        rows = self._wrapped(rows)
        columns = [rows.columns.get(name) for name in self._encoded]
        weights = sum((column.weights() for column in columns if isinstance(column, Encoded)), np.zeros(len(rows), np.int64))
        start = held = 0
        for row, weight in enumerate(weights.tolist() if columns else ()):
            if row > start and held + weight > DECODED_BYTES:
                yield rows.view(start, row)
                start, held = row, 0
            held += weight
        yield rows.view(start, len(rows)) if start else rows

    def _wrapped(self, rows: Rows) -> Rows:
        """The rows with pictures and sound as columns that decode them."""
        wrapped = {
            name: Encoded.of(column, codec_of(kind), forgiving=True)
            for name, kind in self._encoded.items()
            if isinstance(column := rows.columns.get(name), Ragged)
        }
        return rows.with_columns(**wrapped) if wrapped else rows

    def _through(self, rows: Rows, passed: Passed) -> Rows:
        fresh: set[Measure] = set()
        for step in self._opened:
            if not len(rows):
                break
            for label, measure in step.measures:
                if measure not in fresh:
                    rows = self._sound(rows, _measured(label, measure, rows), passed)
                    fresh.add(measure)
            if isinstance(step.step, Map):
                mapped = step.opened.map(rows, Draw(self._seed, step.step.path(), getattr(step.step, "salt", "")))
                rows = self._wrapped(self._sound(rows, mapped, passed))
                fresh.clear()
            elif isinstance(step.step, Cut):
                rows = self._wrapped(self._cut(step.step, step.opened, rows, passed))
                fresh.clear()
            elif isinstance(step.step, Filter):
                rows, lost = step.judged(rows)
                if lost is not None:
                    passed.dropped.append(lost)
        if self._dedup is not None and len(rows):
            rows = self._sound(rows, rows.with_columns(**dict(zip(DIGEST, self._dedup.sign(rows), strict=True))), passed)
        for name in self._encoded if self._check else ():
            column = rows.columns.get(name)
            if isinstance(column, Encoded):
                column.check()
        return self._sound(rows, rows, passed).stored()

    def _cut(self, step: Cut, opened: Cut, rows: Rows, passed: Passed) -> Rows:
        pieces = numbered(step, opened.cut(rows))
        rows = self._sound(rows, rows, passed)
        pieces = pieces.take(np.isin(parent(pieces.array("_id")), rows.array("_id")))
        lost = without_piece(rows, pieces)
        if len(lost):
            passed.dropped.append(Dropped(rows.take(lost).stored(), ["no_pieces"] * len(lost)))
        passed.added.update(added(rows, pieces))
        return pieces

    def _sound(self, before: Rows, after: Rows, passed: Passed) -> Rows:
        """The rows after a step, without those that it found damaged when it looked into them."""
        bad: list[int] = []
        for name in self._encoded:
            column = before.columns.get(name)
            if isinstance(column, Encoded):
                fresh = sorted(column.damages.keys() - set(bad))
                if fresh:
                    lost = before.take(np.array(fresh, np.int64)).stored()
                    passed.damaged.append(Damaged(lost, name, [column.damages[row] for row in fresh]))
                    bad += fresh
        if not bad:
            return after
        return after.take(~np.isin(parent(after.array("_id")), parent(before.array("_id")[bad])))


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
        return rows.take(verdicts.codes == 0), Dropped(rows.take(out).stored(), reasons)


def _measured(label: str, measure: Measure, rows: Rows) -> Rows:
    numbers = measure.measure(rows)
    return rows.with_columns(**{f"{MEASURED}{label}.{name}": column for name, column in numbers.items()})


def label_of(measure: Measure, labels: Mapping[Measure, str]) -> str:
    """The prefix of a measure's columns: its file's name, with the field where a recipe measures several alike."""
    return labels.get(measure) or measure.path().rpartition(".")[2]
