"""Where each row of an endless training run lies: a function of one number."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
import xxhash
from numpy.typing import NDArray

from sslpipe.core.errors import RecipeError
from sslpipe.core.hashes import mix

Shuffle = Literal["full"] | dict[str, int] | None

_TABLES: Final = 64
"""Tables kept, each at most 128 KiB."""


class Order:
    """The order of rows, epoch after epoch, as positions `n = epoch * rows + p`.

    `shuffle="full"` permutes all rows of an epoch; any row may follow any other, so all shards are live at once.
    `{"window_shards": K}` permutes the shards, cuts that order into runs of K, and permutes inside each run: K shards are live,
    and known beforehand, while rows of far shards never meet in a batch. `None` is the stored order. Every row comes once an
    epoch, each epoch has its own order, and tables are as long as there are shards, however many rows they hold.
    """

    def __init__(self, rows: NDArray[np.int64], seed: int, shuffle: Shuffle) -> None:
        check_shuffle(shuffle)
        self._rows = np.asarray(rows, np.int64)
        self._ends = np.cumsum(self._rows)
        self._seed = seed
        self._window = shuffle["window_shards"] if isinstance(shuffle, dict) else None
        self._full = shuffle == "full"
        self.rows = int(self._ends[-1]) if len(self._rows) else 0
        """Rows an epoch."""

    def locate(self, n: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Epoch, shard and row in the shard of each position, int64 `[n]` each."""
        epochs, places = np.divmod(np.asarray(n, np.int64), self.rows)
        shards, rows = np.empty_like(places), np.empty_like(places)
        for epoch, here in _groups(epochs):
            if self._window is not None:
                shards[here], rows[here] = self._in_windows(epoch, places[here])
            else:
                if self._full:
                    places[here] = permute(places[here], self.rows, self._key("rows", epoch))
                shards[here], rows[here] = _bisect(self._ends, places[here])
        return epochs, shards, rows

    def _in_windows(self, epoch: int, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        assert self._window is not None
        count = len(self._rows)
        order = permute(np.arange(count, dtype=np.int64), count, self._key("shards", epoch))
        ends = np.cumsum(self._rows[order])
        runs = np.searchsorted(ends, places, side="right") // self._window
        moved = np.empty_like(places)
        for run, here in _groups(runs):
            first = run * self._window
            start = int(ends[first - 1]) if first else 0
            size = int(ends[min(first + self._window, count) - 1]) - start
            moved[here] = start + permute(places[here] - start, size, self._key(f"run {run}", epoch))
        slots, rows = _bisect(ends, moved)
        return order[slots], rows

    def _key(self, what: str, epoch: int) -> int:
        return _order_key(self._seed, what, epoch)


@lru_cache(maxsize=256)
def _order_key(seed: int, what: str, epoch: int) -> int:
    base = xxhash.xxh3_64_intdigest(f"sslpipe.stream.1|{what}".encode(), seed=seed)
    return int(mix(np.array([base], np.uint64), np.array([epoch], np.uint64))[0])


def check_shuffle(shuffle: Any) -> None:
    """Raise RecipeError for what is no shuffle."""
    if shuffle is None or shuffle == "full":
        return
    if isinstance(shuffle, dict) and list(shuffle) == ["window_shards"]:
        window = shuffle["window_shards"]
        if isinstance(window, int) and not isinstance(window, bool) and window >= 1:
            return
    raise RecipeError(
        f'shuffle: got {shuffle!r}, wanted "full", {{"window_shards": K}} with K >= 1, or None for the stored order'
    )


def permute(positions: NDArray[np.int64], size: int, key: int) -> NDArray[np.int64]:
    """The images of positions in `[0, size)` under the permutation that `key` names, int64 `[n]`."""
    from sslpipe.kernels.feistel import LARGEST, ROUNDS, TABLE_BELOW, feistel

    if size < TABLE_BELOW:
        return _table(size, key)[positions].astype(np.int64)
    if size > LARGEST:
        raise RecipeError(f"got {size} rows, an order takes {LARGEST} at most")
    out = np.empty(len(positions), np.int64)
    feistel(np.ascontiguousarray(positions), size, np.uint64(key), ROUNDS, out)
    return out


@lru_cache(maxsize=_TABLES)
def _table(size: int, key: int) -> NDArray[np.uint16]:
    from sslpipe.kernels.feistel import shuffled_table

    table: NDArray[np.uint16] = shuffled_table(size, np.uint64(key))
    table.setflags(write=False)
    return table


def _groups(values: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp] | slice]]:
    """Each value with the places where it stands; most batches hold only one."""
    if len(values) and values[0] == values[-1] and (values == values[0]).all():
        yield int(values[0]), slice(None)
        return
    for value in np.unique(values).tolist():
        yield value, np.flatnonzero(values == value)


def _bisect(ends: NDArray[np.int64], places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The slot that holds each place, and the place inside of it; slots without rows are never hit."""
    slots = np.searchsorted(ends, places, side="right").astype(np.int64)
    return slots, places - np.where(slots > 0, ends[slots - 1], 0)
