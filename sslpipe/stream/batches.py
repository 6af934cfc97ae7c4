"""One pass over a stream."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from sslpipe.stream.batch import Batch
from sslpipe.stream.producer import Make, Producer


class Batches:
    """The iterator over the batches of one pass; its threads start with the first `next`, and end with it or before.

    After an exception the pass is over.
    """

    def __init__(self, make: Make, starts: Sequence[int], threads: int, finish: Callable[[int, dict[str, Any]], Batch]) -> None:
        self._make, self._starts, self._finish, self._count = make, starts, finish, threads
        self._producer: Producer | None = None
        self._end: weakref.finalize[..., Any] | None = None
        self._step = 0

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Batch:
        if self._step >= len(self._starts):
            self.close()
            raise StopIteration
        start = self._starts[self._step]
        try:
            made = self._taken(start)
        except BaseException:
            self.close()
            raise
        self._step += 1
        return self._finish(start, made)

    def _taken(self, start: int) -> dict[str, Any]:
        if self._count == 0:
            return self._make(start)
        if self._producer is None:
            self._producer = Producer(self._make, self._starts, self._count)
            self._end = weakref.finalize(self, self._producer.stop)
        return self._producer.take(self._step)

    def close(self) -> None:
        """End the threads now, and the pass with them."""
        self._step = len(self._starts)
        if self._end is not None:
            self._end()
