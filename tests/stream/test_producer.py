"""Threads: in order, bounded, gone when nobody wants them."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sslpipe.stream.batch import Batch
from sslpipe.stream.batches import Batches
from sslpipe.stream.producer import AHEAD, Make, Producer


def sslpipe_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sslpipe-")]


def one_by_one(make: Callable[[int], dict[str, Any]]) -> Make:
    """A turn made batch by batch."""
    return lambda starts: [make(start) for start in starts]


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
    assert [batch["n"] for batch in Batches(one_by_one(make), range(20), 4, finish)] == list(range(20))
    assert not sslpipe_threads()


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_than_asked_for_is_made_ahead(threads: int) -> None:
    made: list[int] = []
    full = threading.Semaphore(0)

    def make(n: int) -> dict[str, Any]:
        made.append(n)
        full.release()
        return {}

    producer = Producer(one_by_one(make), [[n] for n in range(1000)], threads)
    for step in range(3):
        producer.take(step)
    for _ in range(3 + AHEAD * threads):
        full.acquire()
    producer.stop()
    assert sorted(made) == list(range(3 + AHEAD * threads))
    assert not sslpipe_threads()


@pytest.mark.parametrize("together", [1, 2, 4, 100])
@pytest.mark.parametrize("threads", [0, 1, 3])
def test_an_exception_comes_where_its_batch_would_have(threads: int, together: int) -> None:
    def make(n: int) -> dict[str, Any]:
        if n == 5:
            raise KeyError("five")
        return {"n": n}

    batches = Batches(one_by_one(make), range(9), threads, finish, together)
    assert [next(batches)["n"] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError, match="five"):
        next(batches)
    assert list(batches) == []
    assert not sslpipe_threads()


def test_abandoned_iterators_leave_no_threads() -> None:
    for taken in (1, 3):
        batches = Batches(one_by_one(lambda n: {"n": n}), range(100), 2, finish)
        for _ in range(taken):
            next(batches)
        assert sslpipe_threads()
        del batches
        gc.collect()
        assert not sslpipe_threads()


def test_an_iterator_that_was_never_asked_starts_nothing() -> None:
    batches = Batches(one_by_one(lambda n: {"n": n}), range(100), 2, finish)
    assert not sslpipe_threads()
    batches.close()
    assert list(batches) == []


@pytest.mark.parametrize("together", [1, 2, 7, 100])
@pytest.mark.parametrize("threads", [0, 1, 3])
def test_batches_made_together_come_one_by_one(threads: int, together: int) -> None:
    turns: list[int] = []

    def make(starts: Sequence[int]) -> list[dict[str, Any]]:
        turns.append(len(starts))
        return [{"n": start} for start in starts]

    made = [(batch["n"], batch["start"]) for batch in Batches(make, range(10, 90, 4), threads, finish, together)]
    assert made == [(n, n) for n in range(10, 90, 4)]
    assert max(turns) == min(together, 20) and sum(turns) == 20
