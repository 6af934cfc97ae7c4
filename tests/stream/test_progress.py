"""Workers of a pass find each other, and nobody else."""

from __future__ import annotations

import copy
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.stream import progress as module
from sslpipe.stream.progress import Progress
from sslpipe.stream.windows import Windows


@dataclass
class Worker:
    """A loader's worker, as `get_worker_info` shows it; one process plays them all here."""

    id: int
    num_workers: int
    seed: int
    number: int
    passes: int = 0

    def join(self, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
        monkeypatch.setattr(module, "_process_number", lambda: self.number)
        progress._joined = self.passes
        self.passes += 1
        return progress.join(self)


def pool(count: int, seed: int, first: int) -> list[Worker]:
    return [Worker(number, count, seed + number, first + number) for number in range(count)]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_each_pass_is_the_next_epoch_for_all_its_workers(data: st.DataObject) -> None:
    """Pools of any size, seeds that come again, late and missing workers, processes of others numbered in between."""
    progress, started, expected = Progress(Windows(100, 10, "carry")), 1, 0
    with pytest.MonkeyPatch.context() as monkeypatch:
        for _ in range(data.draw(st.integers(1, 5))):
            count = data.draw(st.integers(1, 4))
            workers = pool(count, data.draw(st.sampled_from([7, 8])), started)
            if data.draw(st.booleans()) and count > 1:
                workers[-1].number += data.draw(st.integers(0, count - 1))
            started = workers[-1].number + 1
            for _ in range(data.draw(st.integers(1, 3))):
                present = data.draw(st.permutations(workers))[: data.draw(st.integers(1, count))]
                for worker in workers:
                    if worker not in present:
                        worker.passes += 1
                starts = {worker.join(progress, monkeypatch)[0] for worker in present}
                assert starts == {expected}
                expected += 100


def test_a_late_worker_joins_its_own_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(Windows(100, 10, "carry"))
    early, late = pool(2, 7, 1)
    assert early.join(progress, monkeypatch)[0] == 0
    progress.handed_out(1, 10)
    assert late.join(progress, monkeypatch)[0] == 0


def test_mutant_that_reads_the_place_when_it_arrives_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(Windows(100, 10, "carry"))
    pool(2, 7, 1)[0].join(progress, monkeypatch)
    progress.handed_out(1, 10)
    assert (progress.place, int(progress._numbers[1])) == (10, 100), "a late worker that reads either would be in another pass"


def test_restart_counts_for_the_next_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(Windows(100, 10, "drop"))
    assert progress.begin() == (0, 1)
    progress.restart(250)
    progress.handed_out(1, 50)
    assert progress.place == 250
    (worker,) = pool(1, 7, 1)
    assert worker.join(progress, monkeypatch) == (250, 2)
    assert progress.begin() == (300, 2)
    progress.restart(395)
    assert progress.place == 400, "no window of ten rows is left in the epoch"


def test_copies_go_their_own_way() -> None:
    progress = Progress(Windows(100, 10, "carry"))
    progress.begin()
    progress.handed_out(1, 30)
    for other in (copy.deepcopy(progress), pickle.loads(pickle.dumps(progress))):
        assert other.place == 30 and other.begin() == (100, 1)
        assert other.ticket(1, 0).stream != progress.ticket(1, 0).stream
    assert progress.begin() == (100, 1)


def test_a_fork_that_is_no_worker_goes_its_own_way() -> None:
    progress = Progress(Windows(100, 10, "carry"))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, bytes([progress.begin()[0], progress.begin()[0]]))
        os._exit(0)
    os.waitpid(child, 0)
    assert list(os.read(reader, 2)) == [0, 100]
    os.close(reader)
    os.close(writer)
    assert progress.begin()[0] == 0


def test_nothing_is_named_in_shared_memory() -> None:
    shm = Path("/dev/shm")
    before = set(shm.iterdir()) if shm.exists() else set()
    progress: Any = Progress(Windows(100, 10, "carry"))
    assert progress.begin() == (0, 1)
    assert (set(shm.iterdir()) if shm.exists() else set()) <= before


def test_systems_without_anonymous_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    progress = Progress(Windows(100, 10, "carry"))
    assert progress.begin() == (0, 1) and progress.begin() == (100, 1)
