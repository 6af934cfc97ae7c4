"""Goal: two threads of one process make 95 % of the batches that two processes with one thread each make, or more.

    python -m benchmarks.two_threads [--images DIR] [--audio DIR] [--quick]

For two views of pictures (32 of 224 x 224) and for masked frames of sound (8 of 15.6 s). What is lost against two processes
is what threads wait for one another: Python's lock between kernels, the hand-over of batches, and the memory that they share.
Two processes need twice the memory and can't hand a batch to a trainer for free, so they are a limit and no peer.

Fair: all are fresh processes that a fourth one starts, in turns; each takes as many batches as its threads have made ahead
before it is timed, for the same seconds. Batches of both processes are added up. It needs two cores that nothing else uses:
with one, or a busy machine, both sides are as fast. One thread alone is printed beside them, since two share a core's caches
and clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.corpus import open_dataset, workspace
from benchmarks.harness import ROOT, Pace, ratios, versions
from benchmarks.pictures import build_pictures
from benchmarks.recordings import build_joined
from benchmarks.streams import endless, one_thread

GOAL, AHEAD = 0.95, 4
TASKS = {"TwoViews": ("views", 32), "MaskedFrames": ("input_values", 8)}
"""What is looked into, and the size of a batch."""
ONE, THREADS, PROCESSES = "one thread", "two threads of one process", "two processes of one thread"
ARRANGEMENTS = {ONE: (1,), THREADS: (2,), PROCESSES: (1, 1)}
"""The threads of each process."""


def serve(folder: Path, task: str, threads: int) -> None:
    """Make batches for as many seconds as each line of the input says; print how many, and the CPU seconds of one."""
    from sslpipe import tasks

    one_thread()
    look, size = TASKS[task]
    stream = open_dataset(folder).stream(getattr(tasks, task)(), batch_size=size, threads=threads)
    batches = endless(lambda: stream, look)()
    for line in sys.stdin:
        for _ in range(AHEAD * threads):
            next(batches)
        done, cpu, start = 0.0, time.process_time(), time.perf_counter()
        while (spent := time.perf_counter() - start) < float(line):
            done += next(batches)
        print(json.dumps([done / spent, (time.process_time() - cpu) / done]), flush=True)


@contextmanager
def serving(folder: Path, task: str, threads: int) -> Iterator[subprocess.Popen[str]]:
    """Such a process."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.two_threads", "--serve", str(folder), task, str(threads)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def turn(processes: list[subprocess.Popen[str]], seconds: float) -> tuple[float, float]:
    """Batches a second of all these processes at the same time, and the CPU seconds of one."""
    for process in processes:
        assert process.stdin is not None
        print(seconds, file=process.stdin, flush=True)
    found = []
    for process in processes:
        assert process.stdout is not None
        found.append(json.loads(process.stdout.readline()))
    return sum(rate for rate, _ in found), statistics.mean(cpu for _, cpu in found)


def compare(folder: Path, task: str, pace: Pace) -> float:
    """Measure, print the table; returns the median ratio of threads to processes."""
    with ExitStack() as stack:
        started = {
            name: [stack.enter_context(serving(folder, task, threads)) for threads in each]
            for name, each in ARRANGEMENTS.items()
        }
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in started}
        for round_ in range(-1, pace.rounds):
            for name, processes in started.items():
                found = turn(processes, pace.seconds)
                if round_ >= 0:  # one turn each isn't counted
                    turns[name].append(found)
    print(f"\n{f'{task}, median of {pace.rounds} rounds':<46}{'batches/s':>13}{'CPU ms each':>13}")
    for name, results in turns.items():
        rate, cpu = (statistics.median(column) for column in zip(*results, strict=True))
        print(f"{name:<46}{rate:>13,.2f}{1e3 * cpu:>13.2f}")
    middle, low, high = ratios(*([rate for rate, _ in turns[name]] for name in (THREADS, PROCESSES)))
    met = "met" if middle >= GOAL else "NOT met"
    print(
        f"threads make {middle:.1%} ({low:.1%} to {high:.1%}) of what processes make, the goal of {GOAL:.0%} is {met}",
        flush=True,
    )
    return middle


def main() -> None:
    """Measure both tasks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds on little data, to see that it works")
    parser.add_argument("--images", type=Path, help="a finished dataset of pictures; by default one is made up")
    parser.add_argument("--audio", type=Path, help="a finished dataset of sound at 16 kHz; by default one is made up")
    parser.add_argument("--serve", nargs=3, metavar=("FOLDER", "TASK", "THREADS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        folder, task, threads = chosen.serve
        serve(Path(folder), task, int(threads))
        return
    print(versions("sslpipe", "torch", "numpy", "numba"))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    makers: dict[str, tuple[Any, Callable[[Path, bool], None]]] = {
        "TwoViews": (chosen.images, build_pictures),
        "MaskedFrames": (chosen.audio, build_joined),
    }
    for task, (dataset, make) in makers.items():
        with workspace(dataset, chosen.quick, make) as folder:
            compare(folder, task, Pace.of(chosen.quick))


if __name__ == "__main__":
    main()
