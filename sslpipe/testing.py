"""Checks for steps of your own: the assertions that the built-in ones are held to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.draw import Draw
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.core.steps import Context, Task

__all__ = ["check_task"]

IGNORED: Final = -100
SIGMAS: Final = 4
DTYPES: Final = {
    "input_ids": "int64",
    "labels": "int64",
    "position_ids": "int64",
    "attention_mask": "int64",
    "document_ids": "int32",
    "bool_masked_pos": "bool",
    "mask_time_indices": "bool",
}
"""The dtypes that trainers expect under these names (`docs/tasks.md`)."""


def check_task(
    task: Task,
    fields: Fields,
    rows: Rows,
    *,
    source: str | None = None,
    offset: int = 0,
    share: float | Literal["all"] | None = None,
    count: Callable[[int], int] | None = None,
    stays: float | None = None,
    even: bool = True,
    runs: Callable[[NDArray[np.int64]], None] | None = None,
    classes: Mapping[str, int] | None = None,
    hides: bool = True,
    draws: bool = True,
    epochs: int = 4,
    seed: int = 0,
    artefacts: Mapping[str, Path] | None = None,
) -> None:
    """Hold a task to the twenty assertions of `docs/tasks.md`; an AssertionError names the first that fails, by number.

    `rows` (some hundred: the statistical assertions look at `rows * epochs`) have the types of `fields`. `source` is the field
    of ids whose tokens are the targets, by default the one of kind `ids` that the task replaces; without one, the assertions
    about tokens don't apply and the others are run. A label at place `i` is the token at `i + offset`.

    How many targets: `share` of the eligible tokens on average, each drawn by itself, or "all" for every token but the first
    of each document; or `count`, exactly so many of `n` eligible. `stays` is the share of targets that keep their value in the
    input. `even` says that every arrangement of as many targets is as likely; where it isn't, `runs` is given the lengths of
    all runs of targets and raises AssertionError if they break the declared law. `classes` names outputs that hold one of so
    many balanced classes. `hides` says that the model doesn't see targets (false for next-token tasks), `draws` that chance
    enters. That labels and inputs together restore the source (11) follows from 1 to 3.

    Eligible are ordinary tokens where targets are hidden, all tokens elsewhere; padding never is.
    """
    known = Context(fields, artefacts or {})
    if source is None:
        source = next((name for name in _replaced(task, fields) if fields[name].kind == "ids"), None)
    bench = _Bench(task, known, rows, seed, hides, source, offset)
    before = _frozen(rows)
    made = [bench.label(rows, epoch) for epoch in range(epochs)]
    _expect(17, _frozen(rows) == before, "the input arrays were changed")
    _check_types(task, fields, made[0])
    _check_draws(bench, made, draws)
    if source is not None:
        _check_shortest(bench)
        for result in made:
            _check_tokens(bench, result, share)
        if hides:
            _check_hidden(bench, made[0])
            _check_counts(bench, made, share, count, stays)
            if even:
                _check_even(bench, made)
        if runs is not None:
            runs(np.concatenate([_runs(row.targets) for result in made for row in bench.each(result)]))
    for name, number in (classes or {}).items():
        _check_classes(np.concatenate([result.array(name) for result in made]), name, number)


@dataclass(frozen=True)
class _Row:
    """One row of tokens, before and after."""

    tokens: NDArray[Any]
    inputs: NDArray[Any]
    labels: NDArray[Any]
    documents: NDArray[Any]
    eligible: NDArray[np.bool_]

    @property
    def targets(self) -> NDArray[np.bool_]:
        targets: NDArray[np.bool_] = self.labels != IGNORED
        return targets


@dataclass(frozen=True)
class _Bench:
    task: Task
    context: Context
    rows: Rows
    seed: int
    hides: bool
    source: str | None
    offset: int
    opened: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "opened", self.task.open(self.context))

    def label(self, rows: Rows, epoch: int = 0) -> Rows:
        draw = Draw(self.seed, self.task.path(), self.task.salt, epochs=np.full(len(rows), epoch, np.int64))
        made: Rows = self.opened.label(rows, draw)
        return made

    def each(self, made: Rows, rows: Rows | None = None) -> Iterator[_Row]:
        rows = self.rows if rows is None else rows
        vocabulary = self.context.fields[self.source or ""].vocabulary
        control = np.array(vocabulary.control if vocabulary and self.hides else (), np.int64)
        for row in range(len(rows)):
            tokens = rows[self.source or ""][row].astype(np.int64)
            documents = rows["document_ids"][row] if "document_ids" in rows.columns else np.zeros(len(tokens), np.int32)
            eligible = ~np.isin(tokens, control) & (documents >= 0)
            yield _Row(tokens, made["input_ids"][row], made["labels"][row], documents, eligible)


def _expect(number: int, holds: Any, problem: str) -> None:
    if not holds:
        raise AssertionError(f"assertion {number}: {problem}")


def _replaced(task: Task, fields: Fields) -> list[str]:
    return [name for name in fields if name not in task.outputs(fields)]


def _columns(rows: Rows) -> dict[str, tuple[Any, ...]]:
    return {
        name: (column.values[column.offsets[0] : column.offsets[-1]], column.lengths)
        if isinstance(column, Ragged)
        else (column,)
        for name, column in rows.columns.items()
    }


def _frozen(rows: Rows) -> dict[str, list[bytes]]:
    return {name: [part.tobytes() for part in parts] for name, parts in _columns(rows).items()} | {
        "names": [part.tobytes() for part in (rows.names.words(), rows.names.offset)]
    }


def _check_types(task: Task, fields: Fields, made: Rows) -> None:
    declared = task.outputs(fields)
    have = {name for name in made.columns if not name.startswith("_")}
    _expect(13, have == set(declared), f"the fields are {sorted(have)}, declared are {sorted(declared)}")
    for name, wanted in declared.items():
        column = made[name]
        dtype, shape = _shape(column)
        _expect(13, dtype == wanted.dtype, f"`{name}` is {dtype}, declared is {wanted.dtype}")
        _expect(13, dtype == DTYPES.get(name, dtype), f"`{name}` is {dtype}, trainers expect {DTYPES.get(name)}")
        fits = len(shape) == len(wanted.shape) and all(w in (None, s) for s, w in zip(shape, wanted.shape, strict=True))
        _expect(13, fits, f"rows of `{name}` have the shape {shape}, declared is {wanted.shape}")
        if np.issubdtype(np.dtype(dtype), np.floating):
            values = column.values if isinstance(column, Ragged) else column
            _expect(20, np.isfinite(values).all(), f"`{name}` holds values that are not finite")


def _shape(column: Column) -> tuple[str, tuple[int | None, ...]]:
    return (column.values.dtype.name, (None,)) if isinstance(column, Ragged) else (column.dtype.name, column.shape[1:])


def _check_draws(bench: _Bench, made: list[Rows], draws: bool) -> None:
    rows = bench.rows
    first = _frozen(made[0])
    _expect(14, _frozen(bench.label(rows)) == first, "the same key gave other bytes")
    for later in made[1:]:
        if draws:
            _expect(15, _frozen(later) != first, "another epoch gave the same bytes")
        else:
            _expect(15, _frozen(later) == first, "another epoch gave other bytes, though nothing is drawn")
    half = len(rows) // 2
    orders = [np.arange(len(rows))[::-1], np.arange(half), np.arange(half, len(rows)), np.array([0]), np.array([len(rows) - 1])]
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda order: bench.label(rows.take(order)), orders))
    for order, part in zip(orders, parts, strict=True):
        same = _frozen(part) == _frozen(made[0].take(order))
        _expect(16, same, f"a batch of {len(order)} rows gave other bytes than one of {len(rows)}")


def _check_shortest(bench: _Bench) -> None:
    length = bench.task.minimum()
    bench.label(_cut(bench, length))
    try:
        bench.label(_cut(bench, length - 1))
    except SslpipeError:
        return
    raise AssertionError(f"assertion 19: rows of {length - 1} were taken, though the minimum is {length}")


def _cut(bench: _Bench, length: int) -> Rows:
    """All columns as long as the source, cut to `length`."""
    source = bench.rows[bench.source or ""]
    if isinstance(source, Ragged):
        long = bench.rows.take(source.lengths >= length)

        def cut(column: Column) -> Column:
            if isinstance(column, Ragged) and np.array_equal(column.lengths, long.ragged(bench.source or "").lengths):
                picked = [column[row][:length] for row in range(len(column))]
                return Ragged.from_lengths(np.concatenate(picked), np.full(len(picked), length))
            return column

        return Rows(long.names, {name: cut(long[name]) for name in long.columns})
    return Rows(
        bench.rows.names,
        {
            name: column[:, :length] if not isinstance(column, Ragged) and column.shape[:2] == source.shape[:2] else column
            for name, column in ((name, bench.rows[name]) for name in bench.rows.columns)
        },
    )


def _check_tokens(bench: _Bench, made: Rows, share: float | str | None) -> None:
    _expect(18, len(made) == len(bench.rows), f"{len(made)} rows came out of {len(bench.rows)}")
    for index, row in enumerate(bench.each(made)):
        where = f"row {index}: "
        same = len(row.inputs) == len(row.labels) == len(row.tokens)
        _expect(18, same, f"{where}{len(row.tokens)} tokens became {len(row.inputs)} inputs and {len(row.labels)} labels")
        places = np.flatnonzero(row.targets)
        origins = places + bench.offset
        inside = bool(((origins >= 0) & (origins < len(row.tokens))).all())
        _expect(9, inside, f"{where}a target stands for a place outside the row")
        _expect(9, (row.documents[origins] == row.documents[places]).all(), f"{where}a target reaches into another document")
        _expect(2, (row.labels[places] >= 0).all(), f"{where}a label is negative, but not {IGNORED}")
        _expect(3, (row.documents[places] >= 0).all(), f"{where}padding is a target")
        wrong = row.labels[places] != row.tokens[origins]
        _expect(1, not wrong.any(), f"{where}a label isn't the original token")
        fixed = ~row.eligible if bench.hides else np.ones(len(row.tokens), np.bool_)
        _expect(3, (row.inputs == row.tokens)[fixed].all(), f"{where}an input changed that is none to change")
        if bench.hides:
            _expect(3, not row.targets[fixed].any(), f"{where}a control token is a target")
            _expect(2, (row.targets | (row.inputs == row.tokens)).all(), f"{where}an input changed, but has no label")
            _expect(5, row.eligible.sum() < 2 or (row.eligible & ~row.targets).any(), f"{where}nothing stays visible")
        if share == "all":
            _check_all(row, bench.offset, where)
        elif row.eligible.any():
            _expect(4, row.targets.any(), f"{where}nothing is a target")


def _check_all(row: _Row, offset: int, where: str) -> None:
    """Every token but the first of each document is a target, at its own place or `offset` before it."""
    follows = np.zeros(len(row.tokens), np.bool_)
    follows[1:] = (row.documents[1:] == row.documents[:-1]) & (row.documents[1:] >= 0)
    wanted = np.roll(follows, -offset)
    _expect(2, not (row.targets & ~wanted).any(), f"{where}the first token of a document, or padding, is a target")
    _expect(6, not (wanted & ~row.targets).any(), f"{where}a token that follows another is no target")


def _check_hidden(bench: _Bench, made: Rows) -> None:
    """Change the value of one hidden target in each row: the model must see the same."""
    source = bench.rows[bench.source or ""]
    values = (source.values if isinstance(source, Ragged) else source).copy()
    flat = values.reshape(-1)
    starts = source.offsets if isinstance(source, Ragged) else np.arange(len(source)) * source.shape[1]
    for index, row in enumerate(bench.each(made)):
        hidden = np.flatnonzero(row.targets & (row.inputs != row.tokens))
        others = np.unique(row.tokens[row.eligible])
        if len(hidden) and len(others) > 1:
            place = hidden[-1]
            flat[starts[index] + place] = others[(np.searchsorted(others, row.tokens[place]) + 1) % len(others)]
    column = Ragged(values, source.offsets) if isinstance(source, Ragged) else values
    again = bench.label(bench.rows.with_columns(**{bench.source or "": column}))
    same = _frozen(Rows(made.names, {"x": made["input_ids"]})) == _frozen(Rows(again.names, {"x": again["input_ids"]}))
    _expect(10, same, "the value of a hidden target shows in what the model sees")


def _check_counts(
    bench: _Bench, made: list[Rows], share: float | str | None, count: Callable[[int], int] | None, stays: float | None
) -> None:
    wanted = variance = 0.0
    found = kept = 0
    for result in made:
        for index, row in enumerate(bench.each(result)):
            eligible, targets = int(row.eligible.sum()), int(row.targets.sum())
            if count is not None:
                _expect(6, targets == count(eligible), f"row {index} has {targets} targets, declared are {count(eligible)}")
            if isinstance(share, float) and eligible:
                forced = (1 - share) ** eligible - (share**eligible if eligible > 1 else 0)
                wanted += eligible * share + forced
                variance += eligible * share * (1 - share)
            found += targets
            kept += int((row.targets & (row.inputs == row.tokens)).sum())
    if isinstance(share, float):
        _expect(6, abs(found - wanted) <= SIGMAS * math.sqrt(variance) + 1, f"{found} targets, declared are {wanted:.0f}")
    if stays is not None:
        vocabulary = bench.context.fields[bench.source or ""].vocabulary
        twins = found / (vocabulary.size - len(vocabulary.control)) if vocabulary else 0  # replaced by their own value
        spread = SIGMAS * math.sqrt(stays * (1 - stays) * found) + 1
        fits = stays * found - spread <= kept <= stays * found + twins + spread
        _expect(6, fits, f"{kept} of {found} targets stay themselves, declared is {stays}")


def _check_even(bench: _Bench, made: list[Rows]) -> None:
    """First and last place, and the number of runs, against all arrangements of as many targets in as many eligible places."""
    sums = {"first": np.zeros(3), "last": np.zeros(3), "runs": np.zeros(3)}
    for result in made:
        for row in bench.each(result):
            targets = row.targets[row.eligible]
            n, k = len(targets), int(targets.sum())
            if n < 2:
                continue
            each = k / n
            sums["first"] += (targets[0], each, each * (1 - each))
            sums["last"] += (targets[-1], each, each * (1 - each))
            spread = k * (k - 1) * (n - k + 1) * (n - k) / (n * n * (n - 1))
            sums["runs"] += (len(_runs(targets)), k * (n - k + 1) / n, spread)
    for what, (found, wanted, variance) in sums.items():
        holds = abs(found - wanted) <= SIGMAS * math.sqrt(variance) + 1
        number, label = (8, "runs of targets") if what == "runs" else (7, f"targets at the {what} place")
        _expect(number, holds, f"{found:.0f} {label}, chance gives {wanted:.0f}")


def _runs(targets: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], targets, [False]]).astype(np.int8)))
    return edges[1::2] - edges[::2]


def _check_classes(values: NDArray[Any], name: str, number: int) -> None:
    _expect(12, ((values >= 0) & (values < number)).all(), f"`{name}` holds other classes than 0 to {number - 1}")
    found = np.bincount(values.astype(np.int64).reshape(-1), minlength=number)
    wanted = values.size / number
    chi2 = float(((found - wanted) ** 2 / wanted).sum())
    freedom = number - 1
    limit = freedom * (1 - 2 / (9 * freedom) + 3.719 * math.sqrt(2 / (9 * freedom))) ** 3  # Wilson-Hilferty, 1 in 10^4
    _expect(12, chi2 <= limit, f"the classes of `{name}` came up {found.tolist()} times")
