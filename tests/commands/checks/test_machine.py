"""What the machine allows, read from files and calls that say what a test wants."""

from __future__ import annotations

import os
import resource
import shutil
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from sslpipe.commands.checks import machine
from sslpipe.commands.checks.finding import Finding, bounded, gigabytes

Usage = namedtuple("Usage", ["total", "used", "free"])


def test_a_number_between_its_bounds() -> None:
    found = {value: bounded("x", value, "y", warn=10, fail=5, advice="z").level for value in (4, 5, 9, 10)}
    assert found == {4: "fail", 5: "warn", 9: "warn", 10: "ok"}
    assert bounded("x", 10, "y", warn=10, fail=5, advice="z") == Finding("ok", "x", "y"), "nothing to do"


def test_sizes() -> None:
    assert [gigabytes(size) for size in (64e6, 999e6, 1e9, 1234.56e9)] == ["64 MB", "999 MB", "1.0 GB", "1,234.6 GB"]


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a container's control group."""
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    return tmp_path


@pytest.mark.parametrize(
    ("quota", "usable"), [("max 100000", 8), ("150000 100000\n", 1.5), ("1600000 100000", 8), ("", 8), ("50000 100000", 0.5)]
)
def test_cores_are_those_that_the_container_has(quota: str, usable: float, group: Path) -> None:
    (group / "cpu.max").write_text(quota)
    assert machine.usable_cores() == usable
    found = machine.cores()
    if usable == 8:
        assert found == Finding("ok", "cores", "8")
    else:
        assert (found.level, found.found) == ("warn", f"{usable:g} of 8 may be used") and found.advice.endswith("--workers 1`")


def test_cores_that_affinity_takes_away(group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5})
    assert machine.cores().found == "3 of 8 may be used"


def _meminfo(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    read = machine._read
    monkeypatch.setattr(machine, "_read", lambda path: text if path == Path("/proc/meminfo") else read(path))


@pytest.mark.parametrize(
    ("kilobytes", "level", "advice"),
    [
        (16 << 20, "ok", ""),
        (4 << 20, "warn", "8 workers need about 8.6 GB; give `--workers 4`"),
        (1 << 19, "warn", "one worker needs about 1 GB; close something, or set `limits: {memory_bytes: 100MB}`"),
        (1 << 17, "fail", "one worker needs about 1 GB; close something, or set `limits: {memory_bytes: 100MB}`"),
    ],
)
def test_memory(kilobytes: int, level: str, advice: str, group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _meminfo(monkeypatch, f"MemTotal:  99999999 kB\nMemAvailable:   {kilobytes} kB\n")
    found = machine.memory()
    assert (found.level, found.advice) == (level, advice)
    assert found.found == f"{gigabytes(1024 * kilobytes)} free"


def test_memory_of_a_container(group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _meminfo(monkeypatch, "MemAvailable: 99999999 kB\n")
    (group / "memory.max").write_text("3000000000\n")
    (group / "memory.current").write_text("1000000000\n")
    assert machine.memory().found == "2.0 GB free"
    (group / "memory.max").write_text("max\n")
    assert machine.memory().found == "102.4 GB free"
    _meminfo(monkeypatch, "nothing of the kind")
    assert machine.memory().level == "warn"


@pytest.mark.parametrize(("total", "level"), [(64 << 20, "warn"), (2 << 30, "ok")])
def test_shared_memory(total: int, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(total, 0, total))
    found = machine.shared_memory()
    assert found.level == level and ("--shm-size=2g" in found.advice) == (level == "warn")


def test_no_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SHM", tmp_path / "gone")
    assert machine.shared_memory().level == "warn"


@pytest.mark.parametrize(("hard", "level"), [(128, "fail"), (1024, "warn"), (4096, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_open_files(hard: int, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, hard))
    assert machine.open_files().level == level


@pytest.mark.parametrize(
    ("platform", "version", "level"),
    [("linux", (3, 12, 1), "ok"), ("linux", (3, 14, 0), "warn"), ("darwin", (3, 12, 1), "warn")],
)
def test_python(platform: str, version: Any, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "version_info", version)
    assert machine.python().level == level


def test_this_machine_can_be_looked_at() -> None:
    assert [finding.what for finding in machine.machine()] == ["Python", "cores", "memory", "/dev/shm", "open files"]
