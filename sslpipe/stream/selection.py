"""Which stored rows a stream is made of, known before the first batch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import Filter, Measure
from sslpipe.shards.manifest import Manifest, ShardEntry
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.stream_steps import StreamSteps

_UNKNOWN: Final = 2**40


@dataclass(frozen=True)
class _Judged:
    """What was found in one shard."""

    rows: NDArray[np.intp] | None
    """Selected rows in stored order; None for all."""
    count: int
    """Rows that come out: documents, or packed rows."""
    tokens: int
    filtered: Counter[str]
    too_short: int


class Selection:
    """The rows of one split that pass the stream's filters and are long enough for its task, counted shard by shard.

    Only columns of the index are read, and only those needed: measures for filters, lengths for a pack or a task; nothing but
    the manifest otherwise. Counts are kept, O(shards); which rows they are is judged again when a shard is first used.
    """

    def __init__(self, storage: LocalStorage, manifest: Manifest, split: str, steps: StreamSteps) -> None:
        self.shards: list[ShardEntry] = manifest.split(split)
        self._storage = storage
        self._steps = steps
        self._columns = {step: _measure_columns(step, manifest) for step in steps.filters}
        self._minimum = steps.task.minimum() if steps.task is not None and steps.pack is None else 0
        self._filtered: Counter[str] = Counter()
        self._too_short = self._tokens = self._selected = 0
        counts = []
        for number, entry in enumerate(self.shards):
            judged = self._judge(self.open(number)) if self._needs_index else self._all(entry)
            counts.append(judged.count)
            self._filtered += judged.filtered
            self._too_short += judged.too_short
            self._tokens += judged.tokens
            self._selected += entry.samples - judged.too_short - judged.filtered.total()
        self.counts: NDArray[np.int64] = np.array(counts, np.int64)
        """Rows that come out of each shard in an epoch, int64 `[shards]`."""

    @property
    def _needs_index(self) -> bool:
        return bool(self._steps.filters) or self._steps.pack is not None or self._minimum > 0

    @property
    def row_elements(self) -> int:
        """Elements that a row of the stream has on average, at least 1; more than any batch has where that isn't known."""
        if self._steps.pack is not None:
            return self._steps.packed_length()
        return max(1, self._tokens // max(1, self._selected)) if self._steps.units is not None else _UNKNOWN

    def open(self, number: int) -> Shard:
        """The shard of this number, freshly mapped."""
        return Shard(self._storage, self.shards[number], self._steps.fields)

    def rows(self, shard: Shard) -> NDArray[np.intp] | None:
        """The selected rows of a shard in stored order, None where it is all of them."""
        return self._judge(shard).rows if self._steps.filters or self._minimum > 0 else None

    def report(self) -> dict[str, Any]:
        """Where the stored rows and tokens of the split went.

        `tokens` are those of the selected rows, `separators` what the pack puts between them, `tokens_used` what one epoch
        hands out; the difference is `packing_loss` where it is left out, and `padding` where it is filled up.
        """
        epoch_rows, separators, used = int(self.counts.sum()), 0, self._tokens
        if self._steps.pack is not None:
            used = epoch_rows * self._steps.packed_length()
            separators = self._selected if getattr(self._steps.pack, "separator", "none") == "eos" else 0
        rest = self._tokens + separators - used
        return {
            "rows": sum(entry.samples for entry in self.shards),
            "selected": self._selected,
            "filtered": dict(sorted(self._filtered.items())),
            "too_short": self._too_short,
            "tokens": self._tokens,
            "separators": separators,
            "tokens_used": used,
            "packing_loss": max(0, rest),
            "padding": max(0, -rest),
            "epoch_rows": epoch_rows,
        }

    def _all(self, entry: ShardEntry) -> _Judged:
        return _Judged(None, entry.samples, self._tokens_of(entry), Counter(), 0)

    def _tokens_of(self, entry: ShardEntry) -> int:
        """Elements of the field that a pack or task works on, as the manifest counts them."""
        if self._steps.units is None:
            return 0
        field = self._steps.fields[self._steps.units]
        return entry.elements.get(self._steps.units, 0) if field.ragged else entry.samples * math.prod(map(int, field.shape))  # type: ignore[arg-type]

    def _judge(self, shard: Shard) -> _Judged:
        kept = np.ones(len(shard), np.bool_)
        filtered: Counter[str] = Counter()
        for step in self._steps.filters:
            measures = {name: shard.column(column) for name, column in self._columns[step].items()}
            verdicts = step.judge(measures)
            fresh = kept & (verdicts.codes != 0)
            for code, number in enumerate(np.bincount(verdicts.codes[fresh]).tolist()):
                if number:
                    filtered[verdicts.reasons[code - 1]] += number
            kept &= ~fresh
        tokens = too_short = 0
        lengths = None
        if self._steps.units is not None:
            lengths = shard.column(f"{self._steps.units}.length").astype(np.int64)
            short = kept & (lengths < self._minimum)
            too_short = int(short.sum())
            kept &= ~short
            lengths = lengths[kept]
            tokens = int(lengths.sum())
        rows = None if kept.all() else np.flatnonzero(kept)
        count = int(kept.sum())
        if self._steps.pack is not None and lengths is not None:
            count = self._steps.pack.count(lengths) if count else 0
        return _Judged(rows, count, tokens, filtered, too_short)


def _measure_columns(step: Filter, manifest: Manifest) -> dict[str, str]:
    """The stored column of each measure that a filter reads; raises RecipeError where that very measure was not stored."""
    columns = {}
    for measure in step.needs():
        labels = [label for label, stored in manifest.measured.items() if _same(measure, stored)]
        label = labels[0] if len(labels) == 1 else None
        for name in measure.names():
            column = f"{label}.{name}"
            if label is None or column not in manifest.measures:
                raise RecipeError(
                    f"{step.path()} judges by `{name}` of {measure.path()}{_of_field(measure)}, which is not stored in dataset"
                    f" `{manifest.name}` (stored are: {', '.join(manifest.measures) or 'none'}). Put {measure.path()} into the"
                    f" recipe's `build:` before maps.tokenize, or move {step.path()} there, and build again"
                )
            columns[name] = column
    return columns


def _same(wanted: Measure, stored: Mapping[str, Any]) -> bool:
    """Whether a measure is the stored one; a field left open means the only one there is."""
    fields = wanted.model_dump(mode="json")
    known = dict(stored["fields"])
    if fields.get("field", "") is None:
        fields.pop("field")
        known.pop("field", None)
    return wanted.path() == stored["path"] and wanted.version == stored["version"] and fields == known


def _of_field(measure: Measure) -> str:
    field = getattr(measure, "field", None)
    return f" of field `{field}`" if field else ""
