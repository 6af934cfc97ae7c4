"""How far a stream is, kept where a loader's workers can see it."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import multiprocessing
import os
import tempfile
import threading
import uuid
import weakref
from collections.abc import Iterator
from multiprocessing import context, reduction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.stream.place import Place
from sslpipe.stream.windows import Windows

_HEADER: Final = 3
_GENERATION, _UPCOMING, _CURSOR = range(_HEADER)
_RECORD: Final = 6
_RECORDS: Final = 16
_SIZE: Final = 8 * (_HEADER + _RECORD * _RECORDS)

_at_home: weakref.WeakValueDictionary[str, Progress] = weakref.WeakValueDictionary()


class Progress:
    """Where the next pass starts, shared with workers, and where the last batch handed out ended, known to the owner alone.

    A pass begins with `iter()`. In the owner's process `begin` takes it; a `DataLoader` calls `iter()` once in each worker, at
    some time, with nothing in the parent that could be asked, so the workers of one pass must find each other: the first to
    arrive writes down where the pass starts, the others read it. They know each other by the loader's seed, the number of the
    pass in their own process, and by processes numbered next to one another: so neither a seed that comes again nor an
    abandoned pass that some worker never joined can mix two passes.

    The shared page has no name in any folder, and its lock goes with the process that holds it.
    """

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._token = uuid.uuid4().hex
        self._place = 0
        self._settle_in(None)
        self.restart(0)

    def _settle_in(self, contents: bytes | None, descriptor: int | None = None) -> None:
        """Map the page: a new one, with these contents, or the one behind a descriptor."""
        if descriptor is None:
            descriptor = _unnamed_file()
            os.ftruncate(descriptor, _SIZE)
        self._descriptor = descriptor
        self._page = mmap.mmap(descriptor, _SIZE)
        if contents is not None:
            self._page[:] = contents
        self._numbers: NDArray[np.int64] = np.frombuffer(self._page, np.int64)
        weakref.finalize(self._page, os.close, descriptor)
        self._process = os.getpid()
        self._mutex = threading.Lock()
        self._joined = 0
        _at_home[self._token] = self

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = {"windows": self._windows, "token": self._token, "place": self._place}
        if context.get_spawning_popen() is not None:
            return {**state, "page": reduction.DupFd(self._descriptor)}
        return {**state, "token": uuid.uuid4().hex, "contents": bytes(self._page)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._windows, self._token, self._place = state["windows"], state["token"], state["place"]
        if "page" in state:
            self._settle_in(None, state["page"].detach())
            self._process = 0
        else:
            self._settle_in(state["contents"])

    def _own(self) -> None:
        """Make this process the owner: a copy that was forked or spawned, and isn't a loader's worker, goes its own way."""
        if self._process != os.getpid():
            contents = bytes(self._page)
            self._token = uuid.uuid4().hex
            self._settle_in(contents)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._mutex:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    @property
    def place(self) -> int:
        """The row behind the last batch handed out."""
        return self._place

    def restart(self, n: int) -> None:
        """Let the next pass start at `n`; batches of passes begun before no longer count."""
        self._own()
        with self._locked():
            self._numbers[_GENERATION] += 1
            self._numbers[_UPCOMING] = self._windows.settle(n)
        self._place = self._windows.settle(n)

    def begin(self) -> tuple[int, int]:
        """Start a pass in this process: its first row, and its generation."""
        self._own()
        with self._locked():
            return self._advance(), int(self._numbers[_GENERATION])

    def join(self, worker: Any) -> tuple[int, int]:
        """The same in a worker of a loader, given its `WorkerInfo`; all workers of a pass get the same."""
        if self._process != os.getpid():
            # Forked: the lock may be held for ever by a thread that doesn't exist here, and passes are counted anew.
            self._process, self._mutex, self._joined = os.getpid(), threading.Lock(), 0
        self._joined += 1
        seed, workers = worker.seed - worker.id, worker.num_workers
        first = _process_number() - worker.id
        with self._locked():
            records = self._numbers[_HEADER:].reshape(_RECORDS, _RECORD)
            for record in records.tolist():
                if record[:3] == [seed, workers, self._joined] and abs(record[3] - first) < workers:
                    return record[4], record[5]
            start, generation = self._advance(), int(self._numbers[_GENERATION])
            cursor = int(self._numbers[_CURSOR])
            records[cursor % _RECORDS] = seed, workers, self._joined, first, start, generation
            self._numbers[_CURSOR] = cursor + 1
        return start, generation

    def _advance(self) -> int:
        start = int(self._numbers[_UPCOMING])
        self._numbers[_UPCOMING] = self._windows.end(start)
        return start

    def ticket(self, generation: int, end: int) -> Place:
        """What a batch made for this stream carries."""
        return Place(self._token, generation, end)

    def handed_out(self, generation: int, end: int) -> None:
        """A batch reached the training loop. A later one may have before it, and an older pass doesn't count."""
        if generation == int(self._numbers[_GENERATION]):
            self._place = max(self._place, end)


def mark_handed_out(place: Place) -> None:
    """Tell the stream that a batch came from, if it lives in this process and this is no loader's worker."""
    progress = _at_home.get(place.stream)
    if progress is None or _worker() is not None:
        return
    progress.handed_out(place.generation, place.end)


def _worker() -> Any:
    from torch.utils.data import get_worker_info

    return get_worker_info()


def _process_number() -> int:
    """Processes that a parent starts are numbered one after another."""
    identity: tuple[int, ...] = getattr(multiprocessing.current_process(), "_identity", ())
    return identity[-1] if identity else 0


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("sslpipe")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
