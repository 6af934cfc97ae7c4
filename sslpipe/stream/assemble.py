"""Makes the rows at any places of the sequence."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.documents import Documents
from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.core.steps import Labeller, Mapper, Packer
from sslpipe.shards.limits import allow_many_files
from sslpipe.shards.shard import Shard
from sslpipe.stream.order import Order
from sslpipe.stream.selection import Selection
from sslpipe.stream.stream_steps import StreamSteps

_NAME_COLUMNS = 4


class Assemble:
    """A function from places to rows: the same places give the same bytes, in any process, thread or batch.

    Shards are mapped when one of their rows is first wanted, and stay so; their documents are read in place. Safe to call from
    several threads. What is open belongs to one process: a forked or unpickled copy opens its own.
    """

    def __init__(self, selection: Selection, order: Order, steps: StreamSteps, seed: int) -> None:
        self._selection, self._order, self._steps, self._seed = selection, order, steps, seed
        self._workshop: _Workshop | None = None
        self._process = 0
        self._known_shifts: dict[int, NDArray[np.int64]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_workshop": None, "_process": 0}

    def __call__(self, n: NDArray[np.int64]) -> Rows:
        """The rows at places `n`, int64 `[n]`, in that order, with all steps applied."""
        workshop = self._here()
        epochs, shards, numbers = self._order.locate(n)
        if workshop.packer is not None:
            workshop.need(shards)
            rows = workshop.packer.pack(shards, numbers, self._shifts(epochs, shards))
        else:
            workshop.need(shards)
            rows = workshop.gather(shards, numbers)
        for step, mapper in workshop.maps:
            rows = mapper.map(rows, Draw(self._seed, step.path(), getattr(step, "salt", ""), epochs=epochs))
        task = self._steps.task
        if task is not None and workshop.labeller is not None:
            rows = workshop.labeller.label(rows, Draw(self._seed, task.path(), task.salt, epochs=epochs))
        return rows

    def _here(self) -> _Workshop:
        if self._workshop is None or self._process != os.getpid():
            # Two threads may both make one here; either will do, and the loser's is dropped unused.
            self._workshop, self._process = _Workshop(self._selection, self._steps), os.getpid()
        return self._workshop

    def _shifts(self, epochs: NDArray[np.int64], shards: NDArray[np.int64]) -> NDArray[np.int64]:
        """How far a pack's cuts are moved: not at all in epoch 0, which a pack left of the fence must equal."""
        pack = self._steps.pack
        assert pack is not None
        if pack.period() <= 1 or not epochs.any():
            return np.zeros(len(epochs), np.int64)
        shifts = np.zeros(len(epochs), np.int64)
        for epoch in np.unique(epochs).tolist():
            if epoch:
                here = epochs == epoch
                shifts[here] = self._shifts_of(epoch)[shards[here]]
        return shifts

    def _shifts_of(self, epoch: int) -> NDArray[np.int64]:
        """The shift of every shard in one epoch; the last few epochs are kept, since batches of one follow one another."""
        known = self._known_shifts.get(epoch)
        if known is None:
            pack, count = self._steps.pack, len(self._selection.shards)
            assert pack is not None
            names = Names.from_keys(np.zeros(count, np.uint64), np.arange(count, dtype=np.uint64))
            known = Draw(self._seed, pack.path(), epochs=epoch).below(names, pack.period())
            self._known_shifts = {epoch: known, **dict(list(self._known_shifts.items())[:1])}
        return known


class _Workshop:
    """What one process has open."""

    def __init__(self, selection: Selection, steps: StreamSteps) -> None:
        allow_many_files()
        self._selection, self._steps = selection, steps
        self._wanted = steps.wanted()
        self._lock = threading.Lock()
        self._opened: dict[int, tuple[Shard, NDArray[np.int64] | None]] = {}
        count = len(selection.shards)
        self._ready = np.zeros(count, np.bool_)
        self._tables = np.zeros(count, np.uint64)
        self._lines = np.zeros(count, np.int64)
        maps, packer, labeller = steps.opened()
        self.maps: list[tuple[Any, Mapper]] = maps
        self.packer: Packer | None = packer
        self.labeller: Labeller | None = labeller

    def need(self, shards: NDArray[np.int64]) -> None:
        """Open what is not open yet of these shards."""
        if self._ready[shards].all():
            return
        with self._lock:
            for number in np.unique(shards[~self._ready[shards]]).tolist():
                self._open(number)
                self._ready[number] = True

    def _open(self, number: int) -> None:
        shard = self._selection.open(number)
        rows = self._selection.rows(shard)
        if self.packer is not None:
            assert self._steps.units is not None
            self.packer.add(number, _documents(shard, self._steps.units, rows))
            self._opened[number] = shard, None
            return
        table = self._table(shard, rows)
        self._opened[number] = shard, table
        self._tables[number], self._lines[number] = table.ctypes.data, len(table)

    def _table(self, shard: Shard, rows: NDArray[np.intp] | None) -> NDArray[np.int64]:
        """A line for each selected row: its name, then the address and the bytes of each field."""
        names = shard.names if rows is None else shard.names.take(rows)
        table = np.empty((len(names), _NAME_COLUMNS + 2 * len(self._wanted)), np.int64)
        table[:, 0], table[:, 1] = names.high.view(np.int64), names.low.view(np.int64)
        table[:, 2], table[:, 3] = names.occurrence, names.offset
        for place, field in enumerate(self._wanted):
            documents = _documents(shard, field, rows)
            column = _NAME_COLUMNS + 2 * place
            table[:, column] = documents.starts + documents.data.ctypes.data
            table[:, column + 1] = documents.lengths * documents.dtype.itemsize
            self._check_shape(shard, field, documents)
        return table

    def _check_shape(self, shard: Shard, field: str, documents: Documents) -> None:
        kind = self._steps.fields[field]
        if not kind.ragged:
            elements = int(np.prod([axis or 0 for axis in kind.shape], dtype=np.int64))
            if (documents.lengths != elements).any():
                raise DataError(f"{shard.entry.index.path}: `{field}` has rows that are not of its shape {kind.shape}")

    def gather(self, shards: NDArray[np.int64], rows: NDArray[np.int64]) -> Rows:
        """The wanted fields of these rows, copied out of the mapped files."""
        from sslpipe.kernels.gather import gather_bytes, look_up

        lines = np.empty((len(shards), _NAME_COLUMNS + 2 * len(self._wanted)), np.int64)
        look_up(self._tables, self._lines, shards, rows, lines)
        high, low, occurrence, offset = (np.ascontiguousarray(lines[:, column]) for column in range(_NAME_COLUMNS))
        names = Names(high.view(np.uint64), low.view(np.uint64), occurrence.astype(np.uint32), offset)
        columns: dict[str, Column] = {}
        for place, field in enumerate(self._wanted):
            kind = self._steps.fields[field]
            dtype = np.dtype(kind.dtype)
            column = _NAME_COLUMNS + 2 * place
            addresses = np.ascontiguousarray(lines[:, column]).view(np.uint64)
            offsets = np.zeros(len(lines) + 1, np.int64)
            np.cumsum(lines[:, column + 1], out=offsets[1:])
            values = np.empty(int(offsets[-1]) // dtype.itemsize, dtype)
            gather_bytes(addresses, offsets, values.view(np.uint8))
            shape = [axis or 0 for axis in kind.shape]
            columns[field] = Ragged(values, offsets // dtype.itemsize) if kind.ragged else values.reshape(-1, *shape)
        return Rows(names, columns)


def _documents(shard: Shard, field: str, rows: NDArray[np.intp] | None) -> Documents:
    """A field in place, its ends checked: kernels believe them."""
    documents = shard.documents(field, rows)
    sizes = documents.lengths * documents.dtype.itemsize
    room = len(documents.data)
    if len(sizes) and (
        documents.lengths.min() < 0 or documents.lengths.max() > room or (documents.starts + sizes).max() > room
    ):
        raise DataError(f"{shard.entry.index.path}: `{field}` is longer than {shard.entry.path}; run `sslpipe verify`")
    return documents
