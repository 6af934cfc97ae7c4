"""What holds for every task: types, and draws that depend on nothing but their key."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.testing._bench import Bench, expect, frozen

DTYPES: Final = {
    "input_ids": "int64",
    "labels": "int64",
    "position_ids": "int64",
    "attention_mask": "int64",
    "document_ids": "int32",
    "input_values": "float32",
    "sampled_negative_indices": "int64",
    "bool_masked_pos": "bool",
    "mask_time_indices": "bool",
    "ids_keep": "int64",
    "ids_restore": "int64",
    "pixel_values": "float32",
    "patch_targets": "float32",
    "view_params": "float32",
}
"""The dtypes that trainers expect under these names (`docs/tasks.md`)."""


def check_types(bench: Bench, made: Rows) -> None:
    """13 and 20: dtypes and shapes are those declared, numbers are finite; 18: the rows are those that went in."""
    declared = bench.task.outputs(bench.context.fields)
    have = {name for name in made.columns if not name.startswith("_")}
    expect(13, have == set(declared), f"the fields are {sorted(have)}, declared are {sorted(declared)}")
    for name, wanted in declared.items():
        column = made[name]
        dtype, shape = _shape(column)
        expect(13, dtype == wanted.dtype, f"`{name}` is {dtype}, declared is {wanted.dtype}")
        expect(13, dtype == DTYPES.get(name, dtype), f"`{name}` is {dtype}, trainers expect {DTYPES.get(name)}")
        fits = len(shape) == len(wanted.shape) and all(w in (None, s) for s, w in zip(shape, wanted.shape, strict=True))
        expect(13, fits, f"rows of `{name}` have the shape {shape}, declared is {wanted.shape}")
        if np.issubdtype(np.dtype(dtype), np.floating):
            values = column.values if isinstance(column, Ragged) else column
            expect(20, np.isfinite(values).all(), f"`{name}` holds values that are not finite")
    expect(18, len(made) == len(bench.rows), f"{len(made)} rows came out of {len(bench.rows)}")
    same = made.names.texts() == bench.rows.names.texts()
    expect(18, same, "rows came out under other names, or in another order")


def _shape(column: Column) -> tuple[str, tuple[int | None, ...]]:
    return (column.values.dtype.name, (None,)) if isinstance(column, Ragged) else (column.dtype.name, column.shape[1:])


def check_draws(bench: Bench, made: list[Rows], draws: bool) -> None:
    """14, 15 and 16: the same key gives the same bytes, another epoch others, and the batch around a row changes nothing."""
    rows = bench.rows
    first = frozen(made[0])
    expect(14, frozen(bench.label(rows)) == first, "the same key gave other bytes")
    for later in made[1:]:
        if draws:
            expect(15, frozen(later) != first, "another epoch gave the same bytes")
        else:
            expect(15, frozen(later) == first, "another epoch gave other bytes, though nothing is drawn")
    half = len(rows) // 2
    orders = [np.arange(len(rows))[::-1], np.arange(half), np.arange(half, len(rows)), np.array([0]), np.array([len(rows) - 1])]
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda order: bench.label(rows.take(order)), orders))
    for order, part in zip(orders, parts, strict=True):
        same = frozen(part) == frozen(made[0].take(order))
        expect(16, same, f"a batch of {len(order)} rows gave other bytes than one of {len(rows)}")


def check_classes(values: NDArray[Any], name: str, number: int) -> None:
    """12: classes are balanced, by chi square."""
    expect(12, ((values >= 0) & (values < number)).all(), f"`{name}` holds other classes than 0 to {number - 1}")
    found = np.bincount(values.astype(np.int64).reshape(-1), minlength=number)
    wanted = values.size / number
    chi2 = float(((found - wanted) ** 2 / wanted).sum())
    freedom = number - 1
    limit = freedom * (1 - 2 / (9 * freedom) + 3.719 * math.sqrt(2 / (9 * freedom))) ** 3  # Wilson-Hilferty, 1 in 10^4
    expect(12, chi2 <= limit, f"the classes of `{name}` came up {found.tolist()} times")
