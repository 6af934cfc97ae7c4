"""Threads: in order, bounded, gone when nobody wants them."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from sslpipe.stream.batch import Batch
from sslpipe.stream.batches import Batches
from sslpipe.stream.producer import AHEAD, Producer


def sslpipe_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sslpipe-")]


def finish(start: int, made: dict[str, Any]) -> Batch:
    return Batch({**made, "start": start})


def test_batches_come_in_order_whatever_thread_is_first() -> None:
    gates = [threading.Event() for _ in range(4)]

    def make(n: int) -> dict[str, Any]:
        if n < 4:
            gates[n].wait()
            if n:
                gates[n - 1].set()
        return {"n": n}

    gates[3].set()
    assert [batch["n"] for batch in Batches(make, range(20), 4, finish)] == list(range(20))
    assert not sslpipe_threads()


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_than_asked_for_is_made_ahead(threads: int) -> None:
    made: list[int] = []
    full = threading.Semaphore(0)

    def make(n: int) -> dict[str, Any]:
        made.append(n)
        full.release()
        return {}

    producer = Producer(make, range(1000), threads)
    for step in range(3):
        producer.take(step)
    for _ in range(3 + AHEAD * threads):
        full.acquire()
    producer.stop()
    assert sorted(made) == list(range(3 + AHEAD * threads))
    assert not sslpipe_threads()


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_an_exception_comes_where_its_batch_would_have(threads: int) -> None:
    def make(n: int) -> dict[str, Any]:
        if n == 5:
            raise KeyError("five")
        return {"n": n}

    batches = Batches(make, range(9), threads, finish)
    assert [next(batches)["n"] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError, match="five"):
        next(batches)
    assert list(batches) == []
    assert not sslpipe_threads()


def test_abandoned_iterators_leave_no_threads() -> None:
    for taken in (1, 3):
        batches = Batches(lambda n: {"n": n}, range(100), 2, finish)
        for _ in range(taken):
            next(batches)
        assert sslpipe_threads()
        del batches
        gc.collect()
        assert not sslpipe_threads()


def test_an_iterator_that_was_never_asked_starts_nothing() -> None:
    batches = Batches(lambda n: {"n": n}, range(100), 2, finish)
    assert not sslpipe_threads()
    batches.close()
    assert list(batches) == []
