"""What the benchmarks of streams share: sides of ours, the copying of tensors as a limit, and the comparison of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

PREFERRED = ("input_ids", "labels", "position_ids")


def endless(make: Callable[[], Iterable[Any]], look: str = "input_ids", each: float = 1) -> Callable[[], Iterator[float]]:
    """Epoch after epoch of batches, each counted as so many units, and looked into.

    `make` is called when a turn begins, so that libraries load only for those who use them.
    """

    def start() -> Iterator[float]:
        batches = make()
        while True:
            for batch in batches:
                batch[look]
                yield each

    return start


def one_thread() -> None:
    """Let torch compute in one thread, on both sides."""
    import torch

    torch.set_num_threads(1)


def copying(make: Callable[[], Iterable[Any]]) -> Callable[[], Iterator[int]]:
    """Copies the tensors of one batch of `make` from memory to memory, over and over: no loader can be faster."""

    def start() -> Iterator[int]:
        batch = next(iter(make()))
        arrays = [value.numpy() for value in batch.values() if hasattr(value, "numpy")]
        targets = [np.empty_like(array) for array in arrays]
        while True:
            for array, target in zip(arrays, targets, strict=True):
                np.copyto(target, array)
            yield 1

    return start


def check_alike(ours: Any, theirs: Any, peer: str) -> None:
    """Stop where the tensors that both make differ in dtype or shape; print what only one of them makes."""
    ours, theirs = dict(ours), dict(theirs)
    both = [name for name in PREFERRED if name in ours and name in theirs]
    for name in both:
        kinds = [(batch[name].dtype, tuple(batch[name].shape)) for batch in (ours, theirs)]
        if kinds[0] != kinds[1]:
            raise SystemExit(f"{name}: sslpipe makes {kinds[0]}, {peer} makes {kinds[1]}")
    alone = [", ".join(sorted(set(a) - set(b))) or "nothing" for a, b in ((ours, theirs), (theirs, ours))]
    print(
        f"{peer}: {', '.join(both)} alike, {kinds[0][0]} {list(kinds[0][1])}; only sslpipe has {alone[0]}; only it {alone[1]}"
    )


def rows_of(batch: Any) -> Iterator[bytes]:
    """The rows before anything was hidden or ignored: at a target the label, elsewhere the input."""
    labels, inputs = batch["labels"].numpy(), batch["input_ids"].numpy()
    for row in np.where(labels == -100, inputs, labels).astype(np.uint32):
        yield row.tobytes()


def check_rows(ours: Iterable[Any], saved: Any) -> None:
    """Stop unless an epoch of ours and the saved rows of the peer are the same rows, each as often."""
    left = sorted(np.asarray(row, np.uint32).tobytes() for row in saved["input_ids"])
    found = sorted(row for batch in ours for row in rows_of(batch))
    if found != left:
        raise SystemExit(f"an epoch of sslpipe has {len(found)} rows, the peer's data {len(left)}, and they aren't the same")
    print(f"rows: {len(found):,} an epoch, the same on both sides")
