"""The twenty assertions of `docs/tasks.md` for tasks that mask frames of sound.

Of labels (1, 2) and control tokens (3) there are none here: what is predicted is made by the model of the frames themselves. In
their place stand that the input is a crop of the source (11, 18), and that padding is neither masked nor a negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs.encoded import sounds
from sslpipe.core.draw import Draw
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Task

INPUTS, MASK, NEGATIVES, REAL = "input_values", "mask_time_indices", "sampled_negative_indices", "attention_mask"
SIGMAS = 4


def check_frames(
    task: Task,
    fields: Fields,
    rows: Rows,
    *,
    frames: Callable[[int], int],
    covered: Callable[[int], tuple[float, float]],
    length: int,
    shorter: Callable[[Rows, int], Rows],
    normalized: bool = True,
    epochs: int = 4,
    seed: int = 0,
) -> None:
    """Hold a task to the assertions; an AssertionError names the first that fails, by number.

    `rows` are of different lengths, some hundred together over all `epochs`. `frames` counts those of so many samples.
    `covered` says of a row with so many frames which share is masked on average, and with what deviation. `length` is that of
    a span. `shorter` gives rows cut to so many samples.
    """
    source = next(name for name in fields if name not in task.outputs(fields))
    opened = task.open(Context(fields))

    def label(which: Rows, epoch: int = 0) -> Rows:
        draw = Draw(seed, task.path(), task.salt, epochs=np.full(len(which), epoch, np.int64))
        made: Rows = opened.label(which, draw)
        return made

    before = _bytes(rows)
    made = [label(rows, epoch) for epoch in range(epochs)]
    _expect(17, _bytes(rows) == before, "the input changed")
    _check_types(task, fields, made[0])
    _expect(14, _bytes(label(rows)) == _bytes(made[0]), "the same key gave other bytes")
    for later in made[1:]:
        _expect(15, _bytes(later) != _bytes(made[0]), "another epoch gave the same bytes")
    orders = [np.arange(len(rows))[::-1], np.arange(len(rows) // 2), np.array([len(rows) - 1])]
    with ThreadPoolExecutor(3) as pool:
        for order, part in zip(orders, pool.map(lambda order: label(rows.take(order)), orders), strict=True):
            _expect(16, _bytes(part) == _bytes(made[0].take(order)), f"a batch of {len(order)} rows gave other bytes")
    label(shorter(rows, task.minimum()))
    try:
        label(shorter(rows, task.minimum() - 1))
    except SslpipeError:
        pass
    else:
        raise AssertionError("assertion 19: rows below the minimum were taken")
    decoded = [sound.samples[0] for sound in sounds(rows, source).values()]
    for result in made:
        _expect(18, len(result) == len(rows), f"{len(result)} rows came out of {len(rows)}")
        for row, samples in enumerate(decoded):
            _check_row(result, row, samples, frames, length, normalized)
    _check_shares(made, frames, covered)
    _check_negatives(made)
    _check_content(label, rows, source, made[0])


def _expect(number: int, holds: Any, problem: str) -> None:
    if not holds:
        raise AssertionError(f"assertion {number}: {problem}")


def _bytes(rows: Rows) -> dict[str, list[bytes]]:
    columns = {name: rows[name] for name in rows.columns}
    return {
        name: column.to_bytes() if isinstance(column, Ragged) else [row.tobytes() for row in column]
        for name, column in columns.items()
    }


def _check_types(task: Task, fields: Fields, made: Rows) -> None:
    declared = task.outputs(fields)
    _expect(13, set(made.columns) == set(declared), f"the fields are {sorted(made.columns)}, declared are {sorted(declared)}")
    for name, wanted in declared.items():
        column = made[name]
        if isinstance(column, np.ndarray):
            _expect(13, (column.dtype.name, column.shape[1:]) == (wanted.dtype, wanted.shape), f"`{name}` is {column.shape}")
    _expect(20, np.isfinite(made.array(INPUTS)).all(), "inputs are not finite")


def _real(made: Rows, row: int) -> int:
    return int(made.array(REAL)[row].sum()) if REAL in made.columns else made.array(INPUTS).shape[1]


def _check_row(
    made: Rows, row: int, samples: NDArray[Any], frames: Callable[[int], int], length: int, normalized: bool
) -> None:
    real = _real(made, row)
    inputs, mask = made.array(INPUTS)[row], made.array(MASK)[row]
    _expect(18, real == min(len(samples), len(inputs)), f"row {row}: {real} samples are real")
    _expect(3, not inputs[real:].any(), f"row {row}: padding is not silence")
    if REAL in made.columns:
        _expect(13, (made.array(REAL)[row][:real] == 1).all(), f"row {row}: the padding isn't at the end")
    _expect(11, _is_crop(inputs[:real], samples, normalized), f"row {row}: the input is no piece of the source")
    seen = frames(real)
    _expect(9, not mask[seen:].any(), f"row {row}: padding is masked")
    _expect(4, mask.any(), f"row {row}: nothing is masked")
    _expect(5, not mask[:seen].all(), f"row {row}: nothing is visible")
    edges = np.flatnonzero(np.diff(np.pad(mask.astype(np.int8), 1)))
    _expect(8, ((edges[1::2] - edges[::2]) >= length).all(), f"row {row}: a run is shorter than a span")
    if NEGATIVES in made.columns:
        negatives, places = made.array(NEGATIVES)[row], np.flatnonzero(mask)
        _expect(9, np.isin(negatives[places], places).all(), f"row {row}: a negative isn't a masked frame")
        _expect(10, (negatives[places] != places[:, None]).all(), f"row {row}: a positive is its own negative")
        _expect(2, not negatives[~mask].any(), f"row {row}: frames that aren't masked have negatives")


def _is_crop(inputs: NDArray[Any], samples: NDArray[Any], normalized: bool) -> bool:
    """Whether the inputs are samples that follow one another, maybe shifted and scaled as a whole."""
    for start in range(len(samples) - len(inputs) + 1):
        piece = samples[start : start + len(inputs)].astype(np.float64)
        if normalized:
            piece = (piece - piece.mean()) / np.sqrt(piece.var() + 1e-7)
        if np.allclose(inputs[:50], piece[:50], rtol=1e-4, atol=1e-5) and np.allclose(inputs, piece, rtol=1e-4, atol=1e-5):
            return True
    return False


def _check_shares(made: list[Rows], frames: Callable[[int], int], covered: Callable[[int], tuple[float, float]]) -> None:
    found = wanted = variance = first = last = count = 0.0
    for result in made:
        for row in range(len(result)):
            seen = frames(_real(result, row))
            mask = result.array(MASK)[row][:seen]
            mean, deviation = covered(seen)
            found += mask.mean()
            wanted += mean
            variance += deviation**2
            first, last, count = first + mask[0], last + mask[-1], count + 1
    near = abs(found - wanted) <= SIGMAS * math.sqrt(variance) + 1e-9
    _expect(6, near, f"{found / count:.3f} of the frames are masked, declared is {wanted / count:.3f}")
    share = (first + last) / (2 * count)
    spread = SIGMAS * math.sqrt(2 * count * share * (1 - share)) + 1
    _expect(7, abs(first - last) <= spread, f"the first frame is masked {first:.0f} times, the last {last:.0f}")


def _check_negatives(made: list[Rows]) -> None:
    """Ranks of negatives among the other masked frames, in ten equal parts."""
    if NEGATIVES not in made[0].columns:
        return
    parts = np.zeros(10)
    wanted = np.zeros(10)
    for result in made:
        for row in range(len(result)):
            places = np.flatnonzero(result.array(MASK)[row])
            negatives = result.array(NEGATIVES)[row, places]
            own = np.arange(len(places))[:, None]
            ranks = np.searchsorted(places, negatives)
            ranks = ranks - (ranks > own)
            others = len(places) - 1
            parts += np.bincount(ranks.reshape(-1) * 10 // others, minlength=10)
            wanted += np.bincount(np.arange(others) * 10 // others, minlength=10) / others * ranks.size
    chi2 = float(((parts - wanted) ** 2 / wanted).sum())
    _expect(12, chi2 <= 33.7, f"negatives fall {parts.tolist()} times into tenths of the masked frames")  # 9, 1 in 10^4


def _check_content(label: Callable[[Rows], Rows], rows: Rows, source: str, made: Rows) -> None:
    """Masks and negatives are drawn by name: other samples change nothing but the inputs."""
    column = sounds(rows, source)
    louder = {row: type(sound)(sound.samples[:, ::-1].copy(), sound.rate) for row, sound in enumerate(column.values())}
    again = label(rows.with_columns(**{source: column.with_values(louder)}))
    for name in (MASK, NEGATIVES):
        if name in made.columns:
            _expect(10, (again.array(name) == made.array(name)).all(), f"`{name}` depends on the samples")
