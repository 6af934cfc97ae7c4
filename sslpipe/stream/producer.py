"""Threads that make batches ahead of the loop, in order."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

AHEAD: Final = 2
"""Turns that may wait, a thread."""

Make = Callable[[Sequence[int]], list[dict[str, Any]]]
"""From the first rows of the windows of some steps to their batches."""


class Producer:
    """Makes batches with some threads, a turn of them at a time, at most `AHEAD` turns a thread before they are asked for.

    `take` gives the turns in order; an exception of a thread comes out of `take` for the turn that it belongs to. The threads
    end when the last turn is made, at `stop`, and when whoever owns the producer is gone.
    """

    def __init__(self, make: Make, turns: Sequence[Sequence[int]], threads: int) -> None:
        self._make, self._turns = make, turns
        self._changed = threading.Condition()
        self._done: dict[int, list[dict[str, Any]] | BaseException] = {}
        self._given = self._taken = 0
        self._room = AHEAD * threads
        self._stopped = False
        self._process = os.getpid()
        count = min(threads, len(turns))
        self._threads = [threading.Thread(target=self._work, name=f"sslpipe-{i}", daemon=True) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def take(self, turn: int) -> list[dict[str, Any]]:
        """The batches of a turn; turns are asked for in order, each once."""
        with self._changed:
            while turn not in self._done:
                self._changed.wait()
            made = self._done.pop(turn)
            self._taken = turn + 1
            self._changed.notify_all()
        if isinstance(made, BaseException):
            raise made
        return made

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and self._given < len(self._turns) and self._given >= self._taken + self._room:
                    self._changed.wait()
                if self._stopped or self._given >= len(self._turns):
                    return
                turn = self._given
                self._given += 1
            made = self._attempt(turn)
            with self._changed:
                self._done[turn] = made
                self._changed.notify_all()
            del made

    def _attempt(self, turn: int) -> list[dict[str, Any]] | BaseException:
        try:
            return self._make(self._turns[turn])
        except BaseException as error:
            return error

    def stop(self) -> None:
        """Let the threads end, and wait for them: each finishes the turn that it is at."""
        if self._process != os.getpid():
            return
        with self._changed:
            self._stopped = True
            self._done.clear()
            self._changed.notify_all()
        if threading.current_thread() in self._threads:
            return
        for thread in self._threads:
            # Bounded, since the collector of garbage may call this at a place where a thread waits for the caller.
            thread.join(timeout=5)
