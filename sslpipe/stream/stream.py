"""Batches without end, epoch after epoch, from any place."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info
from torch.utils.data._utils.collate import default_collate_fn_map

from sslpipe.core.errors import RecipeError
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Step
from sslpipe.shards.manifest import SPLITS, Manifest
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.assemble import Assemble
from sslpipe.stream.batch import Batch
from sslpipe.stream.batches import Batches
from sslpipe.stream.collate import collate
from sslpipe.stream.left_out import most_too_short, why_none
from sslpipe.stream.order import Order, Shuffle, check_shuffle
from sslpipe.stream.progress import Progress
from sslpipe.stream.ranks import find_rank, global_size
from sslpipe.stream.selection import Selection
from sslpipe.stream.state import check_state, identity
from sslpipe.stream.stream_steps import StreamSteps, parse_steps
from sslpipe.stream.windows import Tail, Windows

log = logging.getLogger(__name__)

_THREADS = 4
"""Threads that a stream starts by default, where there are as many processors: enough to hide the making of text batches."""


_TURN = 2**18
"""Elements (tokens, samples, bytes of text) that are made in one turn, where batches are smaller."""

_TOGETHER = 16
"""Batches of one turn at the most: they wait in memory until they are asked for."""


class Stream(IterableDataset[dict[str, Any]]):
    """Batches of one split, the same sequence of rows on any number of ranks, threads and workers.

    Everything is a function of `n`, the rows before a batch over all ranks: a step is the window `[n, n + G)`, `G` the global
    batch, of which rank `r` of `W` takes `[n + r G / W, n + (r + 1) G / W)`; which rows these are follows from dataset, steps,
    seed, shuffle and tail. So a state is one number, and is loaded at any world size, with any number of workers.

    **Passes.** `iter()` begins an epoch and ends with it; every `iter()` begins the epoch after that which the last `iter()`
    began, however little was taken from it. So `next(iter(stream))` for a look uses up epoch 0, and the training loop behind it
    runs epoch 1, whole: nothing is cut short; where the number matters, `set_epoch(0)` after looking puts it right. The first
    `iter()` after `load_state_dict` goes on in the middle of the epoch; one after `set_epoch` starts at that epoch's first row.
    With `tail="carry"` an epoch starts where the last window of the one before ended; epochs may differ by one step.

    **State.** `state_dict()` is the place behind the last batch handed out: when iterated directly, the last that `next` gave;
    through `DataLoader(stream, batch_size=None, num_workers=N)`, the last that the loop looked into (see `Batch`). Batches made
    ahead don't count. `load_state_dict` and `set_epoch` act on the next `iter()`, not on one that runs.

    Without `batch_size=None` a loader would put batches into batches; the first one it takes raises RecipeError.

    A batch is a `Batch`: a dict of tensors, and of lists for text, meta, and pictures or sound that no task took; see `collate`
    for what is padded and added. Threads run in processes that iterate directly, and end with the iterator; a loader's worker
    makes batches in its only thread.

    Made by `Dataset.stream`, which explains the options.
    """

    def __init__(
        self,
        storage: LocalStorage,
        manifest: Manifest,
        steps: Sequence[Step],
        *,
        split: str = "train",
        batch_size: int | None = None,
        global_batch_size: int | None = None,
        seed: int | None = None,
        rank: int | None = None,
        world: int | None = None,
        threads: int | None = None,
        shuffle: Shuffle = "full",
        tail: Tail = "carry",
        producer: Literal["auto", "threads"] = "auto",
        pin_memory: bool = False,
        with_keys: bool = False,
    ) -> None:
        check_shuffle(shuffle)
        _check_choice("split", split, SPLITS)
        _check_choice("tail", tail, ("carry", "drop"))
        _check_choice("producer", producer, ("auto", "threads"))
        seed = manifest.seed if seed is None else seed
        _check_number("seed", seed, 0, 2**64 - 1)
        self._threads = min(_THREADS, os.cpu_count() or 1) if threads is None else threads
        _check_number("threads", self._threads, 1, 256)
        self._rank, self._world = find_rank(rank, world)
        size = global_size(batch_size, global_batch_size, self._world)
        given = tuple(steps) if steps else tuple(parse_steps(manifest.stream))
        artefacts = {name: storage.path(file.path) for name, file in manifest.artefacts.items()}
        plan = StreamSteps.of(given, manifest.fields, artefacts)
        self._fields, self._with_keys = {**manifest.fields, **plan.outputs}, with_keys
        self._pin = pin_memory and _can_pin()
        selection = Selection(storage, manifest, split, plan)
        order = Order(selection.counts, seed, shuffle)
        self._report = selection.report()
        self._check_steps(order.rows, size, split, tail, plan, manifest)
        self._windows = Windows(order.rows, size, tail)
        self._assemble = Assemble(selection, order, plan, seed)
        self._together = max(1, min(_TOGETHER, _TURN // max(1, size // self._world * selection.row_elements)))
        self._identity = identity(manifest, order.rows, given, split=split, seed=seed, shuffle=shuffle, tail=tail)
        self._progress = Progress(self._windows)

    def _check_steps(self, rows: int, size: int, split: str, tail: str, steps: StreamSteps, manifest: Manifest) -> None:
        if rows == 0:
            raise RecipeError(why_none(self._report, split, steps, manifest))
        if told := most_too_short(self._report, split, steps):
            log.warning(told)
        if rows < size and tail == "carry":
            log.warning(
                "one step takes %d rows, an epoch of split `%s` has %d: a batch holds rows of %d epochs; take a smaller one",
                size, split, rows, -(-size // rows) + 1,
            )  # fmt: skip
        if tail == "drop" and rows < size:
            raise RecipeError(
                f"an epoch of split `{split}` has {rows} rows, fewer than the {size} of one step (all ranks together), so with"
                f' tail="drop" there is no step; take a batch of {rows} at most, or tail="carry"'
            )

    def __len__(self) -> int:
        """Steps of the epoch that the stream stands in, those already taken counted."""
        return self._windows.steps(self._progress.place)

    def __iter__(self) -> Batches:
        worker = get_worker_info()
        if worker is None:
            start, generation = self._progress.begin()
            first, stride, threads = 0, 1, self._threads
        else:
            start, generation = self._progress.join(worker)
            first, stride, threads = worker.id, worker.num_workers, 0
        windows = self._windows
        starts = range(start, start + windows.left(start) * windows.size, windows.size)[first::stride]

        def handed_out(n: int, made: dict[str, Any]) -> Batch:
            end = windows.after(n)
            if worker is not None:
                return Batch(made, self._progress.ticket(generation, end))
            self._progress.handed_out(generation, end)
            return Batch(made)

        return Batches(self._make, starts, threads, handed_out, self._together)

    def _make(self, starts: Sequence[int]) -> list[dict[str, Any]]:
        """This rank's shares of the steps whose windows start there."""
        share = self._windows.size // self._world
        firsts = [self._first(n) for n in starts]
        try:
            rows = self._assemble(np.concatenate([np.arange(first, first + share, dtype=np.int64) for first in firsts]))
            return [self._batch(rows.view(at, at + share)) for at in range(0, len(rows), share)]
        except Exception as error:
            n, first = starts[0], firsts[0]
            step = n % self._windows.rows // self._windows.size
            also = f", or the {len(starts) - 1} steps behind it" if len(starts) > 1 else ""
            error.add_note(f"in step {step} of epoch {self._windows.epoch(n)}, rows {first} to {first + share - 1}{also}")
            raise

    def _first(self, n: int) -> int:
        """The first row of this rank's share of the window that starts at `n`."""
        return n + self._rank * (self._windows.size // self._world)

    def _batch(self, rows: Rows) -> dict[str, Any]:
        return {name: self._tensor(value) for name, value in collate(rows, self._fields, self._with_keys).items()}

    def _tensor(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._tensor(item) for item in value]
        if not isinstance(value, np.ndarray):
            return value
        tensor = torch.from_numpy(value)
        return tensor.pin_memory() if self._pin else tensor

    def set_epoch(self, epoch: int) -> None:
        """Let the next `iter()` start at the first row of an epoch."""
        _check_number("epoch", epoch, 0, 2**40)
        self._progress.restart(self._windows.epoch_start(epoch))

    def state_dict(self) -> dict[str, Any]:
        """The place behind the last batch handed out: JSON, less than a kilobyte, the same on every rank."""
        return {**self._identity, "n": self._progress.place, "global_batch_size": self._windows.size}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on at a saved place with the next `iter()`; raises RecipeError naming what differs where it is not this stream's.

        World, threads, workers and the size of the batch may differ: the sequence goes on at the same row.
        """
        n = check_state(state, self._identity)
        if state["global_batch_size"] != self._windows.size:
            log.info(
                "the state was saved with %d rows a step, this stream has %d; it goes on at the same row, %d",
                state["global_batch_size"], self._windows.size, n,
            )  # fmt: skip
        self._progress.restart(n)

    def report(self) -> dict[str, Any]:
        """Where the rows and tokens of the split went: see `Selection.report`; `tail` is what `tail_mode` says of the rest.

        Rows behind the last whole window of an epoch: left out with "drop", taken along into the next epoch with "carry".
        """
        rest = self._windows.rows % self._windows.size
        return {**self._report, "tail": rest, "tail_mode": self._windows.tail, "steps": self._windows.steps(0)}


def _made_already(batch: Sequence[Batch], *, collate_fn_map: Any = None) -> Batch:
    """What a loader's `default_collate` does with batches."""
    raise RecipeError("the batches are made already: DataLoader(stream, batch_size=None, ...)")


# The registry that `default_collate` documents for types of one's own; every process that unpickles a stream imports this file.
default_collate_fn_map[Batch] = _made_already


def _check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    if value not in choices:
        raise RecipeError(f"{name}: got {value!r}, wanted one of {', '.join(choices)}")


def _check_number(name: str, value: Any, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RecipeError(f"{name}: got {value!r}, wanted an integer from {low} to {high}")


def _can_pin() -> bool:
    if torch.cuda.is_available():
        return True
    log.warning("pin_memory=True, but there is no accelerator here: batches stay in ordinary memory")
    return False
