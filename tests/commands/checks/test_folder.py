"""Whether a folder can be built into; looking leaves nothing behind."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from sslpipe.building.lock import BuildLock
from sslpipe.commands.checks import folder
from sslpipe.commands.checks.finding import Finding
from sslpipe.dedups.exact import Exact
from tests.building.corpora import lay, recipe, records, run

Usage = namedtuple("Usage", ["total", "used", "free"])


def found(out: Path) -> Finding:
    (finding,) = folder.state(out)
    return finding


def test_looking_makes_nothing(tmp_path: Path) -> None:
    findings = folder.folder(tmp_path / "a" / "b")
    assert [finding.what for finding in findings] == ["disk", "file system", "umask", "output"]
    assert findings[1].level == findings[3].level == "ok"
    assert list(tmp_path.iterdir()) == []
    assert [finding.what for finding in folder.folder(None)] == ["disk", "file system", "umask"]


def test_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert folder.nearest(tmp_path) == folder.nearest(tmp_path / "a" / "b") == folder.nearest(tmp_path / "file") == tmp_path


@pytest.mark.parametrize(("free", "level"), [(10**7, "fail"), (10**9, "warn"), (10**11, "ok")])
def test_disk(free: int, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free))
    assert folder.disk(tmp_path).level == level


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    assert folder.file_system(tmp_path).level == "ok"
    monkeypatch.setattr(os, "link", refuses)
    finding = folder.file_system(tmp_path)
    assert finding.level == "fail" and "hard links" in finding.advice and "Operation not permitted" in finding.found
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    assert folder.file_system(tmp_path / "gone").level == "fail"


@pytest.mark.parametrize(
    ("mask", "level", "advice"),
    [
        ("0022", "ok", ""),
        ("0002", "ok", ""),
        ("0000", "warn", "anybody on this machine can change"),
        ("0077", "warn", "can't read"),
        ("0027", "warn", "can't read"),
    ],
)
def test_umask(mask: str, level: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_status", lambda: f"Name:\tpython\nUmask:\t{mask}\nState:\tR\n")
    finding = folder.umask()
    assert (finding.level, finding.found) == (level, mask) and advice in finding.advice


def test_the_umask_of_this_process() -> None:
    before = os.umask(0o077)
    try:
        assert folder.umask().found == "0077"
    finally:
        os.umask(before)


def test_an_output_by_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    assert found(out) == Finding("ok", "output", f"{out} isn't there yet; a build makes it")
    out.mkdir()
    assert found(out) == Finding("ok", "output", f"{out} holds nothing of a build")
    run(recipe(lay(tmp_path / "in", {"a": records(5)}), Exact()), out)
    assert found(out) == Finding("ok", "output", f"{out} holds a finished dataset")
    with BuildLock(out):
        busy = found(out)
        assert busy.level == "warn" and busy.found.startswith(f"{out} is being built into: process {os.getpid()} on ")
    (out / "manifest.json").unlink()
    assert found(out) == Finding("ok", "output", f"{out} holds a build that isn't finished")
    monkeypatch.setattr(os, "access", lambda path, mode: path != out / "shards")
    assert found(out).found == f"{out}/shards can't be changed by you"


def test_an_output_that_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert found(tmp_path).level == "fail" and "no build of sslpipe made them" in found(tmp_path).found
    assert found(tmp_path / "README.md") == Finding("fail", "output", f"{tmp_path}/README.md is a file", "choose another -o")
