"""What the machine, or the container, allows."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sys
from pathlib import Path
from typing import Final

from sslpipe import __version__
from sslpipe.commands.checks.finding import Finding, bounded, gigabytes

NEWEST: Final = (3, 13)
"""The newest Python that is tested."""
WORKER_BYTES: Final = 1 << 30
"""What one worker of a build needs: its sort buffers (`limits.memory_bytes`, 512 MB unless set), and about as much again."""
CGROUP: Final = Path("/sys/fs/cgroup")
SHM: Final = Path("/dev/shm")


def machine() -> list[Finding]:
    """All checks of the machine."""
    return [python(), cores(), memory(), shared_memory(), open_files()]


def python() -> Finding:
    """The interpreter and the operating system, against those that are tested."""
    found = f"{platform.python_version()} on {platform.system()}, sslpipe {__version__}"
    if sys.platform != "linux":
        return Finding("warn", "Python", found, "only Linux is tested")
    if sys.version_info[:2] > NEWEST:
        return Finding("warn", "Python", found, f"3.11 to {NEWEST[0]}.{NEWEST[1]} are tested")
    return Finding("ok", "Python", found)


def usable_cores() -> float:
    """Cores that this process may use: the affinity's, or the container's share where that is less."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(CGROUP / "cpu.max").partition(" ")
    return min(mine, int(quota) / int(period)) if quota.isdigit() and period.strip().isdigit() else mine


def cores() -> Finding:
    """How many cores there are, and whether this process gets them."""
    seen, usable = os.cpu_count() or 1, usable_cores()
    if usable < seen:
        advice = f"where a build starts more workers than that, give `--workers {max(1, int(usable))}`"
        return Finding("warn", "cores", f"{usable:g} of {seen} may be used", advice)
    return Finding("ok", "cores", f"{seen}")


def memory() -> Finding:
    """Memory that is free, for as many workers as there are cores."""
    free = _free_memory()
    if free is None:
        return Finding("warn", "memory", "unknown", "this system doesn't say; a worker needs about 1 GB")
    workers = max(1, int(usable_cores()))
    advice = (
        f"{workers} workers need about {gigabytes(workers * WORKER_BYTES)}; give `--workers {max(1, free // WORKER_BYTES)}`"
    )
    if free < WORKER_BYTES:
        advice = "one worker needs about 1 GB; close something, or set `limits: {memory_bytes: 100MB}`"
    return bounded("memory", free, f"{gigabytes(free)} free", warn=workers * WORKER_BYTES, fail=WORKER_BYTES / 4, advice=advice)


def _free_memory() -> int | None:
    told = dict(line.split(":", 1) for line in _read(Path("/proc/meminfo")).splitlines() if ":" in line)
    if "MemAvailable" not in told:
        return None
    free = 1024 * int(told["MemAvailable"].split()[0])
    most, used = _read(CGROUP / "memory.max").strip(), _read(CGROUP / "memory.current").strip()
    return min(free, max(0, int(most) - int(used))) if most.isdigit() and used.isdigit() else free


def shared_memory() -> Finding:
    """Where Ray and the workers of a DataLoader hand over what they made."""
    try:
        size = shutil.disk_usage(SHM).total
    except OSError:
        return Finding("warn", str(SHM), "is not there", "Ray takes a slower folder; a DataLoader with workers won't run")
    advice = "Ray and loaders with workers need more; start the container with `--shm-size=2g`"
    return bounded(str(SHM), size, gigabytes(size), warn=1e9, fail=0, advice=advice)


def open_files() -> Finding:
    """The limit that a process may raise its own to, as builds and streams do."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        return Finding("ok", "open files", "no limit")
    advice = "a stream keeps a file open for each shard, a build for each spill; raise it with `ulimit -Hn`, or in limits.conf"
    return bounded("open files", hard, f"{hard:,} at most", warn=4096, fail=256, advice=advice)


def _read(path: Path) -> str:
    """A file of the kernel's; empty where there is none."""
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
