"""How sides are measured: in turns, in one run, with what the machine could do at best beside them.

A side is an endless iterator of work done. In each round every side takes one turn, in the same order, so that a machine which
slows down slows all of them. A turn starts its side afresh, takes a few items to get warm, and is then timed for some seconds;
what a loader made ahead while it got warm counts for it. Ratios are taken within a round, and their median is printed with the
smallest and the largest. CPU seconds are those of the process and its children. Peak memory is measured in a process of its own
for each side, which loads that side's libraries only; pages of mapped files count in it, the second number leaves them out.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WARM_UP = 5
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Side:
    """One way to do the work, ours, a peer's, or a physical limit; `start` gives the units done, item after item."""

    name: str
    start: Callable[[], Iterator[float]]
    against: str | None = None
    """The side of ours that a peer or a limit is compared with; None for a side of ours."""
    limit: bool = False
    weigh: bool = True
    """Whether its memory is measured; not of a limit, nor where the work is done in children."""


@dataclass(frozen=True)
class Turn:
    """What one turn found."""

    rate: float
    """Units a second."""
    cpu: float
    """CPU seconds a unit."""


@dataclass(frozen=True)
class Pace:
    """How long to measure."""

    rounds: int
    seconds: float

    @classmethod
    def of(cls, quick: bool) -> Pace:
        """Seven rounds of two seconds, or three short ones to see that a benchmark works."""
        return cls(3, 0.3) if quick else cls(7, 2.0)


def cpu_seconds() -> float:
    """CPU seconds of this process and its children; those still running are counted on Linux only."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(map(_spent, _children(os.getpid())))


def _children(process: int) -> Iterator[int]:
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            yield child
            yield from _children(child)


def _spent(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def take_turn(side: Side, seconds: float) -> Turn:
    """One timed turn."""
    items = side.start()
    for _ in range(WARM_UP):
        next(items)
    done, cpu, start, spent = 0.0, cpu_seconds(), time.perf_counter(), 0.0
    while spent < seconds:
        done += next(items)
        spent = time.perf_counter() - start
    cpu = cpu_seconds() - cpu
    items.close()  # type: ignore[attr-defined]
    return Turn(done / spent, cpu / done)


def compare(sides: Sequence[Side], pace: Pace) -> dict[str, list[Turn]]:
    """All rounds, after one turn each that isn't counted."""
    for side in sides:
        take_turn(side, min(pace.seconds, 0.5))
    turns: dict[str, list[Turn]] = {side.name: [] for side in sides}
    for _ in range(pace.rounds):
        for side in sides:
            turns[side.name].append(take_turn(side, pace.seconds))
    return turns


def ratios(ours: Sequence[float], others: Sequence[float]) -> tuple[float, float, float]:
    """Median, smallest and largest of the ratios of each round."""
    found = sorted(a / b for a, b in zip(ours, others, strict=True))
    return statistics.median(found), found[0], found[-1]


def memory() -> dict[str, float]:
    """The largest resident memory of this process so far, and what isn't mapped from files now, in MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        scale = 1e6 if sys.platform == "darwin" else 1e3
        return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale, "own": float("nan")}
    # Not ru_maxrss: a child starts with that of the process it was forked from.
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    size = {name: int(lines[name].split()[0]) * 1024 / 1e6 for name in ("VmHWM", "RssAnon", "RssShmem")}
    return {"peak": size["VmHWM"], "own": size["RssAnon"] + size["RssShmem"]}


def weigh(module: str, side: str, folder: Path, items: int) -> dict[str, float]:
    """The memory of a fresh process that takes so many items of one side of a benchmark."""
    command = [sys.executable, "-m", "benchmarks.harness", module, side, str(folder), str(items)]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def report(module: str, folder: Path, sides: Sequence[Side], unit: str, pace: Pace, items: int) -> dict[str, float]:
    """Measure all sides and print the table; returns the median ratio of ours to each peer and limit."""
    turns = compare(sides, pace)
    found: dict[str, float] = {}
    print(f"\n{'median of ' + str(pace.rounds) + ' rounds':<46}{unit + '/s':>13}{'CPU ms each':>13}{'peak MB':>9}{'own MB':>8}")
    for side in sides:
        line = f"{side.name:<46}{statistics.median(turn.rate for turn in turns[side.name]):>13,.1f}"
        line += f"{1e3 * statistics.median(turn.cpu for turn in turns[side.name]):>13.4f}"
        held = weigh(module, side.name, folder, items) if side.weigh and not side.limit else {}
        line += f"{held['peak']:>9,.0f}{held['own']:>8,.0f}" if held else f"{'':>17}"
        if side.against is not None:
            ours = turns[side.against]
            middle, low, high = ratios([turn.rate for turn in ours], [turn.rate for turn in turns[side.name]])
            found[side.name] = middle
            spread = (
                f"{middle:.1%} ({low:.1%} to {high:.1%}) of it" if side.limit else f"{middle:.1f} x ({low:.1f} to {high:.1f})"
            )
            cpu = ratios([turn.cpu for turn in turns[side.name]], [turn.cpu for turn in ours])[0]
            line += f"   {side.against}: {spread}" + ("" if side.limit else f", CPU {cpu:.1f} x less")
        print(line, flush=True)
    return found


def verdict(peer: str, found: float, goal: float) -> None:
    """Print whether a claim holds."""
    print(f"against {peer}: {found:.1f} x, the goal of {goal:g} x is {'met' if found >= goal else 'NOT met'}")


def versions(*names: str) -> str:
    """Installed versions of packages, on one line."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _main(module: str, name: str, folder: str, items: str) -> None:
    side = next(side for side in importlib.import_module(f"benchmarks.{module}").sides(Path(folder)) if side.name == name)
    work = side.start()
    for _ in range(int(items)):
        next(work)
    print(json.dumps(memory()))


if __name__ == "__main__":
    _main(*sys.argv[1:])
