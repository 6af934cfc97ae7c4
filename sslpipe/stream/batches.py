"""One pass over a stream."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sslpipe.stream.batch import Batch
from sslpipe.stream.producer import Make, Producer


class Batches:
    """The iterator over the batches of one pass; its threads start with the first `next`, and end with it or before.

    Batches are made some at a time, `together` of them: what a batch costs beside its rows (finding them, calling kernels,
    handing over between threads) is then paid once for all. Where one of them fails, they are made again one by one, so that
    those before it come out and the exception stands where its batch would have. After an exception the pass is over.
    """

    def __init__(
        self,
        make: Make,
        starts: Sequence[int],
        threads: int,
        finish: Callable[[int, dict[str, Any]], Batch],
        together: int = 1,
    ) -> None:
        self._make, self._finish, self._count = make, finish, threads
        self._starts = iter(starts)
        self._turns = [starts[at : at + together] for at in range(0, len(starts), together)]
        self._producer: Producer | None = None
        self._end: weakref.finalize[..., Any] | None = None
        self._turn = 0
        self._ready: Iterator[dict[str, Any]] = iter(())

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Batch:
        try:
            made = next(self._ready, None)
            if made is None:
                self._ready = self._next_turn()
                made = next(self._ready)
        except BaseException:
            self.close()
            raise
        return self._finish(next(self._starts), made)

    def _next_turn(self) -> Iterator[dict[str, Any]]:
        if self._turn >= len(self._turns):
            raise StopIteration
        starts = self._turns[self._turn]
        try:
            made = iter(self._taken())
        except Exception:
            if len(starts) == 1:
                raise
            made = itertools.chain.from_iterable(self._make([start]) for start in starts)
        self._turn += 1
        return made

    def _taken(self) -> list[dict[str, Any]]:
        if self._count == 0:
            return self._make(self._turns[self._turn])
        if self._producer is None:
            self._producer = Producer(self._make, self._turns, self._count)
            self._end = weakref.finalize(self, self._producer.stop)
        return self._producer.take(self._turn)

    def close(self) -> None:
        """End the threads now, and the pass with them."""
        self._turn, self._ready = len(self._turns), iter(())
        if self._end is not None:
            self._end()
