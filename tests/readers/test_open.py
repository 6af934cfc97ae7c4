"""Every way in which a file can fail under a reader has its name."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sslpipe.core.errors import EnvironmentFault
from sslpipe.core.steps import Bad, Part, Reader
from sslpipe.readers.jsonl import Jsonl
from sslpipe.readers.text import Text
from tests.readers.support import everything, write

READERS = [Text, Jsonl]


def outcome(reader: Reader, parts: list[Part]) -> tuple[int, list[Bad]]:
    bad: list[Bad] = []
    return sum(len(batch) for part in parts for batch in reader.read(part, bad.append)), bad


def planned(kind: type[Reader], folder: Path) -> tuple[Reader, list[Part]]:
    name = "b.txt" if kind is Text else "b.jsonl"
    write(folder, [(name, b'{"text":"first"}\n')])
    reader = kind(paths=(str(folder),))
    return reader, reader.parts(1 << 20)


@pytest.mark.parametrize("kind", READERS)
def test_vanished(kind: type[Reader], tmp_path: Path) -> None:
    reader, parts = planned(kind, tmp_path)
    Path(parts[0].files[0]).unlink()
    rows, bad = outcome(reader, parts)
    assert (rows, [record.reason for record in bad]) == (0, ["io.vanished"])
    assert bad[0].file == parts[0].files[0] and bad[0].detail == "No such file or directory"


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("change", ["longer", "touched", "fifo"])
def test_changed_since_the_plan(kind: type[Reader], change: str, tmp_path: Path) -> None:
    reader, parts = planned(kind, tmp_path)
    path = Path(parts[0].files[0])
    if change == "longer":
        path.write_bytes(path.read_bytes() * 2)
    elif change == "touched":
        os.utime(path, ns=(0, 17))
    else:
        path.unlink()
        os.mkfifo(path)
    rows, bad = outcome(reader, parts)
    assert (rows, [record.reason for record in bad]) == (0, ["io.changed"])
    assert bad[0].detail.startswith("the file has changed since the build was planned: ")


@pytest.mark.parametrize("kind", READERS)
def test_changed_while_it_is_read(kind: type[Reader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, parts = planned(kind, tmp_path)
    pread = os.pread

    def touching(descriptor: int, size: int, at: int) -> bytes:
        os.utime(parts[0].files[0], ns=(0, 17))
        return pread(descriptor, size, at)

    monkeypatch.setattr("sslpipe.readers._open.os.pread", touching)
    rows, bad = outcome(reader, parts)
    assert rows == (0 if kind is Text else 1)
    assert [record.reason for record in bad] == ["io.changed"]


def failing(times: int, code: int, real: Callable[..., Any]) -> Callable[..., Any]:
    left = [times]

    def action(*arguments: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise OSError(code, os.strerror(code))
        return real(*arguments)

    return action


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("call", ["open", "pread"])
@pytest.mark.parametrize(
    ("code", "times", "reason"),
    [
        (errno.EIO, 3, None),
        (errno.EIO, 4, "io.error"),
        (errno.EACCES, 1, "io.permission"),
        (errno.EPERM, 1, "io.permission"),
        (errno.ESTALE, 1, "io.vanished"),
        (errno.ELOOP, 1, "io.error"),
    ],
)
def test_errors_of_the_system(
    kind: type[Reader], call: str, code: int, times: int, reason: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, parts = planned(kind, tmp_path)
    monkeypatch.setattr(f"sslpipe.readers._open.os.{call}", failing(times, code, getattr(os, call)))
    rows, bad = outcome(reader, parts)
    assert (rows, [record.reason for record in bad]) == ((0, [reason]) if reason else (1, []))


def test_a_shortage_is_nobodys_bad_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, parts = planned(Text, tmp_path)
    monkeypatch.setattr("sslpipe.readers._open.os.open", failing(1, errno.EMFILE, os.open))
    with pytest.raises(EnvironmentFault, match=r"^can't read on: Too many open files; free some, or run fewer workers$"):
        outcome(reader, parts)


def test_the_files_around_a_bad_one_are_read(tmp_path: Path) -> None:
    reader, _ = planned(Text, tmp_path)
    write(tmp_path, [("a.txt", b"one"), ("c.txt", b"three")])
    parts = reader.parts(1 << 20)
    (tmp_path / "b.txt").unlink()
    bad: list[Bad] = []
    (batch,) = [batch for part in parts for batch in reader.read(part, bad.append)]
    assert batch.ragged("text").to_bytes() == [b"one", b"three"]
    assert batch.array("_file").tolist() == [0, 2]
    assert len(bad) == 1
    assert everything(reader)[1] == []


def test_no_file_stays_open_when_reading_stops_early(tmp_path: Path) -> None:
    write(tmp_path, [("a.jsonl", b'{"text":"' + b"x" * 3000 + b'"}\n'), ("b.jsonl", b'{"text":"y"}\n' * 9000)])
    reader = Jsonl(paths=(str(tmp_path),))
    (part,) = reader.parts(1 << 30)
    before = len(list(Path("/proc/self/fd").iterdir()))
    rows = reader.read(part, lambda _: None)
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
