"""What holds for tasks whose targets are tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.errors import SslpipeError
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.testing._bench import IGNORED, SIGMAS, Bench, expect, frozen


@dataclass(frozen=True)
class Row:
    """One row of tokens, before and after."""

    tokens: NDArray[Any]
    inputs: NDArray[Any]
    labels: NDArray[Any]
    documents: NDArray[Any]
    eligible: NDArray[np.bool_]

    @property
    def targets(self) -> NDArray[np.bool_]:
        """Where something is to be predicted."""
        targets: NDArray[np.bool_] = self.labels != IGNORED
        return targets


@dataclass(frozen=True)
class Tokens:
    """Which tokens are looked at: those of `source`, hidden or not, their labels `offset` before them."""

    bench: Bench
    source: str
    hides: bool
    offset: int

    def each(self, made: Rows) -> Iterator[Row]:
        """The rows one by one."""
        rows, vocabulary = self.bench.rows, self.bench.context.fields[self.source].vocabulary
        control = np.array(vocabulary.control if vocabulary and self.hides else (), np.int64)
        for row in range(len(rows)):
            tokens = rows[self.source][row].astype(np.int64)
            documents = rows["document_ids"][row] if "document_ids" in rows.columns else np.zeros(len(tokens), np.int32)
            eligible = ~np.isin(tokens, control) & (documents >= 0)
            yield Row(tokens, made["input_ids"][row], made["labels"][row], documents, eligible)


def check_shortest(tokens: Tokens) -> None:
    """19: the shortest legal rows work, and shorter ones are refused."""
    length = tokens.bench.task.minimum()
    tokens.bench.label(_cut(tokens, length))
    try:
        tokens.bench.label(_cut(tokens, length - 1))
    except SslpipeError:
        return
    raise AssertionError(f"assertion 19: rows of {length - 1} were taken, though the minimum is {length}")


def _cut(tokens: Tokens, length: int) -> Rows:
    """All columns as long as the source, cut to `length`."""
    source = tokens.bench.rows[tokens.source]
    if isinstance(source, Ragged):
        long = tokens.bench.rows.take(source.lengths >= length)

        def cut(column: Column) -> Column:
            if isinstance(column, Ragged) and np.array_equal(column.lengths, long.ragged(tokens.source).lengths):
                picked = [column[row][:length] for row in range(len(column))]
                return Ragged.from_lengths(np.concatenate(picked), np.full(len(picked), length))
            return column

        return Rows(long.names, {name: cut(long[name]) for name in long.columns})
    return Rows(
        tokens.bench.rows.names,
        {
            name: column[:, :length] if not isinstance(column, Ragged) and column.shape[:2] == source.shape[:2] else column
            for name, column in ((name, tokens.bench.rows[name]) for name in tokens.bench.rows.columns)
        },
    )


def check_tokens(tokens: Tokens, made: Rows, share: float | str | None) -> None:
    """1 to 6, 9 and 18, row by row."""
    expect(18, len(made) == len(tokens.bench.rows), f"{len(made)} rows came out of {len(tokens.bench.rows)}")
    for index, row in enumerate(tokens.each(made)):
        where = f"row {index}: "
        same = len(row.inputs) == len(row.labels) == len(row.tokens)
        expect(18, same, f"{where}{len(row.tokens)} tokens became {len(row.inputs)} inputs and {len(row.labels)} labels")
        places = np.flatnonzero(row.targets)
        origins = places + tokens.offset
        inside = bool(((origins >= 0) & (origins < len(row.tokens))).all())
        expect(9, inside, f"{where}a target stands for a place outside the row")
        expect(9, (row.documents[origins] == row.documents[places]).all(), f"{where}a target reaches into another document")
        expect(2, (row.labels[places] >= 0).all(), f"{where}a label is negative, but not {IGNORED}")
        expect(3, (row.documents[places] >= 0).all(), f"{where}padding is a target")
        wrong = row.labels[places] != row.tokens[origins]
        expect(1, not wrong.any(), f"{where}a label isn't the original token")
        fixed = ~row.eligible if tokens.hides else np.ones(len(row.tokens), np.bool_)
        expect(3, (row.inputs == row.tokens)[fixed].all(), f"{where}an input changed that is none to change")
        if tokens.hides:
            expect(3, not row.targets[fixed].any(), f"{where}a control token is a target")
            expect(2, (row.targets | (row.inputs == row.tokens)).all(), f"{where}an input changed, but has no label")
            expect(5, row.eligible.sum() < 2 or (row.eligible & ~row.targets).any(), f"{where}nothing stays visible")
        if share == "all":
            _check_all(row, tokens.offset, where)
        elif row.eligible.any():
            expect(4, row.targets.any(), f"{where}nothing is a target")


def _check_all(row: Row, offset: int, where: str) -> None:
    """Every token but the first of each document is a target, at its own place or `offset` before it."""
    follows = np.zeros(len(row.tokens), np.bool_)
    follows[1:] = (row.documents[1:] == row.documents[:-1]) & (row.documents[1:] >= 0)
    wanted = np.roll(follows, -offset)
    expect(2, not (row.targets & ~wanted).any(), f"{where}the first token of a document, or padding, is a target")
    expect(6, not (wanted & ~row.targets).any(), f"{where}a token that follows another is no target")


def check_hidden(tokens: Tokens, made: Rows) -> None:
    """10: change the value of one hidden target in each row, and the model must see the same."""
    source = tokens.bench.rows[tokens.source]
    values = (source.values if isinstance(source, Ragged) else source).copy()
    flat = values.reshape(-1)
    starts = source.offsets if isinstance(source, Ragged) else np.arange(len(source)) * source.shape[1]
    for index, row in enumerate(tokens.each(made)):
        hidden = np.flatnonzero(row.targets & (row.inputs != row.tokens))
        others = np.unique(row.tokens[row.eligible])
        if len(hidden) and len(others) > 1:
            place = hidden[-1]
            flat[starts[index] + place] = others[(np.searchsorted(others, row.tokens[place]) + 1) % len(others)]
    column = Ragged(values, source.offsets) if isinstance(source, Ragged) else values
    again = tokens.bench.label(tokens.bench.rows.with_columns(**{tokens.source: column}))
    same = frozen(Rows(made.names, {"x": made["input_ids"]})) == frozen(Rows(again.names, {"x": again["input_ids"]}))
    expect(10, same, "the value of a hidden target shows in what the model sees")


def check_stays(tokens: Tokens, made: list[Rows], stays: float) -> None:
    """6: so many of the targets keep their value."""
    found = kept = 0
    for result in made:
        for row in tokens.each(result):
            found += int(row.targets.sum())
            kept += int((row.targets & (row.inputs == row.tokens)).sum())
    vocabulary = tokens.bench.context.fields[tokens.source].vocabulary
    twins = found / (vocabulary.size - len(vocabulary.control)) if vocabulary else 0  # replaced by their own value
    spread = SIGMAS * math.sqrt(stays * (1 - stays) * found) + 1
    fits = stays * found - spread <= kept <= stays * found + twins + spread
    expect(6, fits, f"{kept} of {found} targets stay themselves, declared is {stays}")
