"""What is published is whole, and published once, whatever happens on the way."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import EnvironmentFault
from sslpipe.shards.storage import TEMPORARY, LocalStorage, UniqueFile

NAME = "folder/deep/name"


def _race(storage: LocalStorage, name: str, threads: int = 8) -> tuple[list[bytes], bytes]:
    """What was published by those who were told that they won, and what lies there in the end."""
    barrier, winners = threading.Barrier(threads), []

    def attempt(number: int) -> None:
        data = b"%d" % number * 1000
        barrier.wait()
        if storage.put_new(name, data):
            winners.append(data)

    workers = [threading.Thread(target=attempt, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return winners, storage.get(name)


class _LooksFirst(LocalStorage):
    """The mutant that looks whether the name is free and then moves; the barrier makes the race certain."""

    between = threading.Barrier(8)

    def put_new(self, name: str, data: bytes) -> bool:
        free = self.size(name) is None
        self.between.wait()
        if free:
            self.replace(name, data)
        return free


def test_exactly_one_of_eight_wins(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    for number in range(25):
        winners, found = _race(storage, f"commits/{number}")
        assert winners == [found]
    assert not list(storage.temporaries())


def test_looking_first_is_caught(tmp_path: Path) -> None:
    winners, _ = _race(_LooksFirst(tmp_path), "commits/0")
    assert len(winners) == 8


KILLER = '''
import os, sys
from pathlib import Path
import sslpipe.shards.storage as module
from sslpipe.shards.storage import LocalStorage


class Direct(LocalStorage):
    """The mutant that writes under the final name."""

    def put_new(self, name, data):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as file:
            file.write(data[:1000])
            file.write(data[1000:])
        return True

    replace = put_new


def attempt(root, act, steps):
    """Run `act` in a child that ends without notice before its step number `steps`; whether it got that far."""
    child = os.fork()
    if not child:
        left = steps

        def trace(frame, event, argument):
            nonlocal left
            if frame.f_code.co_filename not in (module.__file__, __file__):
                return None
            if event in ("line", "return"):
                left -= 1
                if left < 0:
                    os._exit(9)
            return trace

        sys.settrace(trace)
        act(root)
        sys.settrace(None)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


kind = {"LocalStorage": LocalStorage, "Direct": Direct}[sys.argv[2]]
verb, new = sys.argv[3], b"new" * 1_000_000


def act(root):
    getattr(kind(root), verb)("folder/name", new)


steps = 0
while True:
    root = Path(sys.argv[1]) / f"{steps:04d}"
    root.mkdir()
    if verb == "replace":
        LocalStorage(root).put_new("folder/name", b"old")
    if not attempt(root, act, steps):
        break
    steps += 1
print(steps)
'''


def _kill_everywhere(folder: Path, kind: str, verb: str) -> list[LocalStorage]:
    """Storages in which one write was ended after 0, 1, 2... of its steps; the last one was left in peace."""
    script, out = folder / "killer.py", folder / f"{kind}-{verb}"
    script.write_text(KILLER)
    out.mkdir()
    done = subprocess.run([sys.executable, str(script), str(out), kind, verb], capture_output=True, text=True, check=True)
    roots = sorted(out.iterdir())
    assert len(roots) == int(done.stdout) + 1
    return [LocalStorage(root) for root in roots]


def _states(storages: list[LocalStorage]) -> set[bytes | None]:
    return {storage.get("folder/name") if storage.size("folder/name") is not None else None for storage in storages}


@pytest.mark.parametrize(("verb", "before"), [("put_new", None), ("replace", b"old")])
def test_a_file_is_whole_or_not_there(tmp_path: Path, verb: str, before: bytes | None) -> None:
    new = b"new" * 1_000_000
    storages = _kill_everywhere(tmp_path, "LocalStorage", verb)
    assert len(storages) > 30, "there should be many places to die at"
    assert _states(storages) == {before, new}
    assert storages[-1].get("folder/name") == new
    for storage in storages:
        files = {str(path.relative_to(storage.root)) for path in storage.root.rglob("*") if path.is_file()}
        temporaries = set(storage.temporaries())
        assert files - temporaries <= {"folder/name"}
        assert set(storage.list("folder")) == files - temporaries
        there = storage.size("folder/name") is not None
        assert storage.put_new("folder/name", b"again") is not there
        assert storage.get("folder/name") in (b"again", before, new)
    assert any(list(storage.temporaries()) for storage in storages), "some attempts should leave something behind"


def test_writing_in_place_is_caught(tmp_path: Path) -> None:
    states = _states(_kill_everywhere(tmp_path, "Direct", "put_new"))
    assert b"" in states and b"new" * 333 + b"n" in states


def test_put_new_leaves_what_is_there(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    assert storage.put_new(NAME, b"first") and not storage.put_new(NAME, b"second")
    assert storage.get(NAME) == b"first"
    storage.replace(NAME, b"third")
    assert storage.get(NAME) == b"third" and not list(storage.temporaries())


@settings(max_examples=30)
@given(st.binary(max_size=40), st.integers(0, 50), st.none() | st.integers(0, 50))
def test_get_is_slicing(tmp_path_factory: pytest.TempPathFactory, data: bytes, start: int, size: int | None) -> None:
    storage = LocalStorage(tmp_path_factory.mktemp("get"))
    storage.put_new("x", data)
    assert storage.size("x") == len(data)
    assert storage.get("x", start, size) == data[start : None if size is None else start + size]


def test_what_is_not_there(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "none")
    assert storage.size("x") is None and storage.list("y") == [] and list(storage.temporaries()) == []
    storage.delete("x")
    with pytest.raises(FileNotFoundError):
        storage.get("x")


def test_list_shows_files_alone(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    for name in ("a/2", "a/1", "a/b/3"):
        storage.put_new(name, b"")
    pending = storage.put_unique("a/p", ".x")
    assert storage.list("a") == ["a/1", "a/2"]
    assert list(storage.temporaries()) == [str(pending.temporary.relative_to(tmp_path))]
    pending.discard()
    assert not list(storage.temporaries())


def test_unique_files_are_hashed_as_written(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    first, second = storage.put_unique("a/stem", ".x"), storage.put_unique("a/stem", ".x")
    for file in (first, second):
        file.write(b"ab")
        file.write(memoryview(b"c"))
        assert not storage.list("a") or file is second
        assert file.publish()
    assert first.name != second.name and len(storage.list("a")) == 2
    assert first.bytes == 3 and first.digest() == xxhash.xxh3_128_hexdigest(b"abc")
    assert first.name.startswith("a/stem-") and first.name.endswith(".x") and TEMPORARY not in first.name


def test_files_of_libraries_are_adopted(tmp_path: Path) -> None:
    file = LocalStorage(tmp_path).put_unique("a", ".x")
    file.temporary.write_bytes(b"abc" * 1_000_000)
    file.adopt()
    assert file.publish()
    assert (file.bytes, file.digest()) == (3_000_000, xxhash.xxh3_128_hexdigest(b"abc" * 1_000_000))
    assert LocalStorage(tmp_path).size(file.name) == 3_000_000


ADVICE = {
    errno.ENOSPC: "No space left on device; the disk is full; free some space and run the same command again",
    errno.EDQUOT: "Disk quota exceeded; the quota is used up; free some space and run the same command again",
    errno.EACCES: "Permission denied; check who owns it",
    errno.EROFS: "Read-only file system; the file system is read-only; choose another output",
    errno.EMFILE: "Too many open files; too many open files; raise `ulimit -n`",
    errno.EIO: "Input/output error; the disk can't be read or written; look after it, then run the same command again",
    errno.ENOLCK: "No locks available; run the same command again once the cause is gone",
}


def _failing(code: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(("code", "advice"), ADVICE.items())
def test_faults_while_publishing_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, advice: str
) -> None:
    file = UniqueFile(LocalStorage(tmp_path), "a/b")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _failing(code))
        with pytest.raises(EnvironmentFault) as caught:
            file.publish()
    assert str(caught.value) == f"could not write {tmp_path}/a/b: {advice}"
    assert caught.value.exit_code == 4 and isinstance(caught.value.__cause__, OSError)
    assert not (tmp_path / "a/b").exists()
    file.discard()
    assert not list(LocalStorage(tmp_path).temporaries())


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_faults_while_opening_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    storage = LocalStorage(tmp_path)
    storage.put_new("a/b", b"x")
    with monkeypatch.context() as patch:
        patch.setattr(Path, call, _failing(errno.EACCES))
        with pytest.raises(EnvironmentFault, match=rf"^could not write {tmp_path}/a/c: {ADVICE[errno.EACCES]}$"):
            storage.put_new("a/c", b"x")
        if call == "open":
            with pytest.raises(EnvironmentFault, match=rf"^could not read {tmp_path}/a/b: {ADVICE[errno.EACCES]}$"):
                storage.get("a/b")


@pytest.mark.parametrize(
    ("call", "act", "message"),
    [
        ("stat", lambda storage: storage.size("a"), "could not look at {}/a: "),
        ("scandir", lambda storage: storage.list("a"), "could not list {}/a: "),
        ("unlink", lambda storage: storage.delete("a"), "could not delete {}/a: "),
    ],
)
def test_faults_while_looking_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, act: Callable[[LocalStorage], object], message: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os if call == "scandir" else Path, call, _failing(errno.EACCES))
        with pytest.raises(EnvironmentFault) as caught:
            act(LocalStorage(tmp_path))
    assert str(caught.value) == message.format(tmp_path) + ADVICE[errno.EACCES]


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(
            EnvironmentFault,
            match=r"^could not write .*/x: (File exists|Not a directory); a file stands where a folder should be; ",
        ):
            LocalStorage(root).put_new("x", b"")
