"""`sslpipe doctor`: its lines, and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sslpipe.commands.checks import folder, machine, software
from sslpipe.commands.checks.finding import Finding
from sslpipe.commands.doctor import lines
from tests.commands.conftest import Sslpipe


def test_lines_stand_in_columns() -> None:
    findings = [
        Finding("ok", "cores", "2"),
        Finding("warn", "kernel cache", "/tmp", "do this"),
        Finding("fail", "Ray", "no", "x"),
    ]
    assert lines(findings) == [
        "ok    cores         2",
        "warn  kernel cache  /tmp",
        "                    -> do this",
        "fail  Ray           no",
        "                    -> x",
    ]


def test_a_machine_that_is_ready(tmp_path: Path, sslpipe: Sslpipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory", lambda: Finding("ok", "memory", "9 GB free"))
    monkeypatch.setattr(folder, "disk", lambda _: Finding("ok", "disk", "99 GB free"))
    ended = sslpipe("doctor", "-o", tmp_path / "out")
    assert (ended.code, ended.err) == (0, "")
    told = [line for line in ended.out.splitlines() if not line.startswith(" ")]
    assert {line[:4].strip() for line in told} <= {"ok", "warn"}
    for what in ("Python", "cores", "open files", "libraries", "kernels", "kernel cache", "torch", "file system", "output"):
        assert any(re.match(rf"\w+ +{what} ", line) for line in told), what
    assert not any("Ray" in line for line in told), "only if asked for"
    assert list(tmp_path.iterdir()) == []


def test_a_failure_ends_in_4_behind_all_lines(tmp_path: Path, sslpipe: Sslpipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "torch", lambda: Finding("fail", "torch", "can't be imported: no", "install it"))
    (tmp_path / "README.md").write_text("mine")
    ended = sslpipe("doctor", "-o", tmp_path)
    assert ended.code == 4
    assert re.fullmatch(r"sslpipe: 2 of \d+ checks failed: torch, output\n", ended.err)
    assert "fail  torch " in ended.out and "-> install it" in ended.out and "fail  output " in ended.out


def test_json_and_ray(tmp_path: Path, sslpipe: Sslpipe, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, str | None]] = []

    def ray(place: Path, address: str | None) -> Finding:
        asked.append((place, address))
        return Finding("ok", "Ray", "started")

    monkeypatch.setattr(software, "ray", ray)
    told = json.loads(sslpipe("doctor", "--ray", "--json", "-o", tmp_path / "out").out)
    assert told[-1] == {"level": "ok", "what": "Ray", "found": "started", "advice": ""}
    sslpipe("doctor", "--address", "10.0.0.1:6379")
    assert asked == [(tmp_path, None), (Path.cwd(), "10.0.0.1:6379")]
