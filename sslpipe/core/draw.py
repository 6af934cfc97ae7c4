"""Random numbers as functions of what they are for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from sslpipe.core.names import Names


@dataclass(frozen=True, slots=True)
class Draw:
    """The draws of one step over a batch of rows.

    A number is a function of (seed, epoch of the row's source, step class, `salt`, row name, view) and of its place in the
    row's own sequence: never of a stream, a worker, or the batch. Two steps of one class in a recipe would draw alike; their
    `salt` field tells them apart.

    The 64-bit key of a row is `mix(xxh3_64("sslpipe.draw.1|class|salt|view", seed), epoch)`; the layout of counter and key is
    in `kernels/philox.py`.
    """

    seed: int
    """The recipe's, or the stream's; 0 to 2^63 - 1."""
    step: str
    """The step's name in recipes, `Step.path()`."""
    salt: str = ""
    """The step's field of this name."""
    view: int = 0
    """Which view of a row, from 0; 0 where there is one."""
    epochs: NDArray[np.int64] | int = field(default=0)
    """The epoch of each row's source, from 0: one number, or int64 `[n]` where a batch spans the end of an epoch."""

    def for_view(self, view: int) -> Draw:
        """The same rows and step, seen for another view."""
        return replace(self, view=view)

    def take(self, rows: NDArray[Any]) -> Draw:
        """The draws of the rows at these positions."""
        return replace(self, epochs=self.epochs[rows]) if isinstance(self.epochs, np.ndarray) else self

    def keys(self, count: int) -> NDArray[np.uint64]:
        """The draw keys of `count` rows, uint64 `[count]`."""
        from sslpipe.kernels.names import draw_keys

        keys = np.empty(count, np.uint64)
        base = _step_key(self.seed, self.step, self.salt, self.view)
        draw_keys(base, np.broadcast_to(np.asarray(self.epochs, np.int64), (count,)), keys)
        return keys

    def uint32(self, names: Names, count: int) -> NDArray[np.uint32]:
        """The first `count` draws of every row, uint32 `[n, count]`."""
        from sslpipe.kernels.philox import philox_rows

        out = np.empty((len(names), count), np.uint32)
        philox_rows(names.words(), self.keys(len(names)), out)
        return out

    def below(self, names: Names, bound: int) -> NDArray[np.int64]:
        """One integer in `[0, bound)` a row, int64 `[n]`; uneven by at most `bound / 2^32`."""
        draws = self.uint32(names, 1)[:, 0].astype(np.uint64)
        return ((draws * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)


@lru_cache(maxsize=256)
def _step_key(seed: int, step: str, salt: str, view: int) -> np.uint64:
    return np.uint64(xxhash.xxh3_64_intdigest(f"sslpipe.draw.1|{step}|{salt}|{view}".encode(), seed=seed))
