"""What holds for tasks that make something of sound: crops, masks over their frames, and negatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs.encoded import sounds
from sslpipe.core.errors import SslpipeError
from sslpipe.core.rows import Rows
from sslpipe.testing._bench import SIGMAS, Bench, expect

INPUTS: Final = "input_values"
MASK: Final = "mask_time_indices"
NEGATIVES: Final = "sampled_negative_indices"
REAL: Final = "attention_mask"

Covered = Callable[[int], tuple[float, float]]
"""Of a row with so many frames, which share is hidden on average, and with what deviation."""


@dataclass(frozen=True)
class Frames:
    """Which sound is looked at: that of `source`, whose crops are `normalized`, and how many frames so many samples make."""

    bench: Bench
    source: str
    frames: Callable[[int], int] | None
    normalized: bool

    def real(self, made: Rows, row: int) -> int:
        """How many samples of a row are sound."""
        return int(made.array(REAL)[row].sum()) if REAL in made.columns else made.array(INPUTS).shape[1]

    def seen(self, made: Rows, row: int) -> int:
        """How many frames of a row are sound; all, unless it is known how many its samples make."""
        everything = made.array(MASK).shape[1]
        return everything if self.frames is None else self.frames(self.real(made, row))

    def masks(self, made: Rows) -> Iterator[NDArray[np.bool_]]:
        """The mask of each row over the frames that are sound."""
        for row in range(len(made) if MASK in made.columns else 0):
            yield made.array(MASK)[row][: self.seen(made, row)]


def check_shortest_sound(frames: Frames) -> None:
    """19: the shortest legal rows work, and rows of one sample less are refused."""
    bench, length = frames.bench, frames.bench.task.minimum()
    bench.label(_cut(frames, length))
    try:
        bench.label(_cut(frames, length - 1))
    except SslpipeError:
        return
    raise AssertionError(f"assertion 19: rows of {length - 1} samples were taken, though the minimum is {length}")


def _cut(frames: Frames, samples: int) -> Rows:
    rows = frames.bench.rows
    long = rows.take(np.array([sound.frames >= samples for sound in sounds(rows, frames.source).values()]))
    column = sounds(long, frames.source)
    pieces = {row: type(sound)(sound.samples[:, :samples].copy(), sound.rate) for row, sound in enumerate(column.values())}
    return long.with_columns(**{frames.source: column.with_values(pieces)})


def check_frames(frames: Frames, made: Rows) -> None:
    """2 to 5, 9 to 11, 13 and 18, row by row."""
    if INPUTS not in made.columns:
        return
    for row, sound in enumerate(sounds(frames.bench.rows, frames.source).values()):
        _check_input(frames, made, row, sound.samples[0])
    for row, mask in enumerate(frames.masks(made)):
        expect(9, not made.array(MASK)[row][len(mask) :].any(), f"row {row}: padding is hidden")
        expect(4, mask.any(), f"row {row}: nothing is hidden")
        expect(5, not mask.all(), f"row {row}: nothing stays visible")
        if NEGATIVES in made.columns:
            negatives, places = made.array(NEGATIVES)[row], np.flatnonzero(mask)
            expect(9, np.isin(negatives[places], places).all(), f"row {row}: a negative isn't a hidden frame")
            expect(10, (negatives[places] != places[:, None]).all(), f"row {row}: a positive is its own negative")
            others = np.delete(negatives, places, axis=0)
            expect(2, not others.any(), f"row {row}: frames that aren't hidden have negatives")


def _check_input(frames: Frames, made: Rows, row: int, samples: NDArray[Any]) -> None:
    inputs, real = made.array(INPUTS)[row], frames.real(made, row)
    expect(18, real == min(len(samples), len(inputs)), f"row {row}: {real} samples are real")
    expect(3, not inputs[real:].any(), f"row {row}: padding is not silence")
    if REAL in made.columns:
        expect(13, (made.array(REAL)[row][:real] == 1).all(), f"row {row}: the padding isn't at the end")
    expect(11, _is_crop(inputs[:real], samples, frames.normalized), f"row {row}: the input is no piece of the source")


def _is_crop(inputs: NDArray[Any], samples: NDArray[Any], normalized: bool) -> bool:
    """Whether the inputs are samples that follow one another, maybe shifted and scaled as a whole."""
    for start in range(len(samples) - len(inputs) + 1):
        piece = samples[start : start + len(inputs)].astype(np.float64)
        if normalized:
            piece = (piece - piece.mean()) / np.sqrt(piece.var() + 1e-7)
        if np.allclose(inputs[:50], piece[:50], rtol=1e-4, atol=1e-5) and np.allclose(inputs, piece, rtol=1e-4, atol=1e-5):
            return True
    return False


def check_ends(masks: list[NDArray[np.bool_]]) -> None:
    """7: the first frame is hidden as often as the last."""
    first, last = (sum(int(mask[end]) for mask in masks) for end in (0, -1))
    share = (first + last) / (2 * len(masks))
    spread = SIGMAS * math.sqrt(2 * len(masks) * share * (1 - share)) + 1
    expect(7, abs(first - last) <= spread, f"the first frame is hidden {first} times, the last {last}")


def check_covered(masks: list[NDArray[np.bool_]], covered: Covered) -> None:
    """6: as many frames are hidden on average as declared."""
    means, deviations = zip(*(covered(len(mask)) for mask in masks), strict=True)
    found, wanted = sum(float(mask.mean()) for mask in masks), sum(means)
    near = abs(found - wanted) <= SIGMAS * math.hypot(*deviations) + 1e-9
    expect(6, near, f"{found / len(masks):.3f} of the frames are hidden, declared is {wanted / len(masks):.3f}")


def check_negatives(made: list[Rows]) -> None:
    """12: negatives are taken evenly, by their ranks among the other hidden frames, in ten equal parts."""
    if NEGATIVES not in made[0].columns:
        return
    parts = np.zeros(10)
    wanted = np.zeros(10)
    for result in made:
        for row in range(len(result)):
            places = np.flatnonzero(result.array(MASK)[row])
            negatives = result.array(NEGATIVES)[row, places]
            ranks = np.searchsorted(places, negatives)
            ranks = ranks - (ranks > np.arange(len(places))[:, None])
            others = len(places) - 1
            parts += np.bincount(ranks.reshape(-1) * 10 // others, minlength=10)
            wanted += np.bincount(np.arange(others) * 10 // others, minlength=10) / others * ranks.size
    chi2 = float(((parts - wanted) ** 2 / wanted).sum())
    expect(12, chi2 <= 33.7, f"negatives fall {parts.tolist()} times into tenths of the hidden frames")  # 9, 1 in 10^4


def check_unheard(frames: Frames, made: Rows) -> None:
    """10: masks and negatives are drawn by name, so other samples change nothing but the inputs."""
    column = sounds(frames.bench.rows, frames.source)
    backwards = {row: type(sound)(sound.samples[:, ::-1].copy(), sound.rate) for row, sound in enumerate(column.values())}
    again = frames.bench.label(frames.bench.rows.with_columns(**{frames.source: column.with_values(backwards)}))
    for name in (MASK, NEGATIVES):
        if name in made.columns:
            expect(10, np.array_equal(again.array(name), made.array(name)), f"`{name}` depends on the samples")
