"""Where an output lives, and the few verbs by which it may change."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

import xxhash

from sslpipe.core.errors import DataError, EnvironmentFault, advice

TEMPORARY = ".tmp"


class LocalStorage:
    """A folder on a file system that knows hard links.

    Nothing is ever written under its final name: bytes go to a unique temporary name, are fsynced, and are linked to where
    they belong, which either happens whole or not at all, and fails where the name is taken. So a reader sees all of a file
    or none of it, and of two attempts at one name exactly one wins.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def path(self, name: str) -> Path:
        """Where a name lies."""
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise DataError(f"{name!r} does not lie in {self.root}; a record of this dataset names files outside of it")
        return self.root / name

    def put_new(self, name: str, data: bytes) -> bool:
        """Publish bytes under a name that is free; False where it is taken, and nothing is changed then."""
        writer = UniqueFile(self, name)
        writer.write(data)
        return writer.publish(name)

    def put_unique(self, stem: str, suffix: str) -> UniqueFile:
        """A writer whose file will be called `<stem>-<unique><suffix>` once it is published."""
        return UniqueFile(self, f"{stem}-{uuid.uuid4().hex[:12]}{suffix}")

    def replace(self, name: str, data: bytes) -> None:
        """Publish bytes under a name, taken or not: for pointers to immutable files only."""
        writer = UniqueFile(self, name)
        writer.write(data)
        writer.overwrite(name)

    def get(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """Bytes of a file, whole or a range."""
        with self._explained("read", name), self.path(name).open("rb") as file:
            file.seek(start)
            return file.read() if size is None else file.read(size)

    def size(self, name: str) -> int | None:
        """Bytes of a file, None where there is none."""
        try:
            with self._explained("look at", name):
                return self.path(name).stat().st_size
        except FileNotFoundError:
            return None

    def list(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted, temporary ones left out; empty where there is no folder."""
        try:
            with self._explained("list", folder), os.scandir(self.path(folder)) as entries:
                return sorted(
                    f"{folder}/{entry.name}" for entry in entries if entry.is_file() and not entry.name.endswith(TEMPORARY)
                )
        except FileNotFoundError:
            return []

    def folders(self, folder: str) -> Sequence[str]:
        """Names of the folders in a folder, sorted; none where there is no such folder."""
        try:
            with self._explained("list", folder), os.scandir(self.path(folder)) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []

    def temporaries(self) -> Iterator[str]:
        """Files that an attempt left behind when it was killed, told by our own form of name: others use `.tmp` too."""
        for path in sorted(self.root.rglob(f".*.{'[0-9a-f]' * 12}{TEMPORARY}")):
            yield str(path.relative_to(self.root))

    def delete(self, name: str) -> None:
        """Remove a file that no retained commit names."""
        with self._explained("delete", name):
            self.path(name).unlink(missing_ok=True)

    def _explained(self, verb: str, name: str) -> _Explained:
        return _Explained(f"{verb} {self.path(name)}")


class UniqueFile:
    """A file being written under a temporary name, hashed on the way."""

    def __init__(self, storage: LocalStorage, name: str) -> None:
        self._storage = storage
        self.name = name
        target = storage.path(name)
        self._temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}{TEMPORARY}")
        self._hash = xxhash.xxh3_128()
        self.bytes = 0
        with storage._explained("write", name):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._temporary.open("wb", buffering=1 << 20)

    @property
    def temporary(self) -> Path:
        """Where the bytes are until they are published, for libraries that write by path; see `adopt`."""
        return self._temporary

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        with self._storage._explained("write", self.name):
            self._file.write(data)
        self._hash.update(data)
        self.bytes += len(data)

    def adopt(self) -> None:
        """Take in bytes that a library wrote to `temporary` by path."""
        with self._temporary.open("rb") as file:
            while chunk := file.read(1 << 20):
                self._hash.update(chunk)
                self.bytes += len(chunk)

    def digest(self) -> str:
        """The 128-bit xxh3 of all bytes so far, in hex."""
        return self._hash.hexdigest()

    def publish(self, name: str | None = None) -> bool:
        """Sync, and link to the final name; False where it is taken."""
        return self._finish(name, self._link)

    def overwrite(self, name: str | None = None) -> None:
        """Sync, and move over the final name."""
        self._finish(name, self._move)

    def discard(self) -> None:
        """Drop what was written."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _finish(self, name: str | None, place: Callable[[Path], bool]) -> bool:
        target = self._storage.path(name or self.name)
        with self._storage._explained("write", name or self.name):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            placed = place(target)
            _sync_folder(target.parent)
        return placed

    def _link(self, target: Path) -> bool:
        try:
            os.link(self._temporary, target)
        except FileExistsError:
            return False
        finally:
            self._temporary.unlink()
        return True

    def _move(self, target: Path) -> bool:
        self._temporary.replace(target)
        return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Explained:
    """Turns the operating system's errors into a message that says what to do."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            todo = advice(error) or "run the same command again once the cause is gone"
            raise EnvironmentFault(f"could not {self._what}: {error.strerror or error}; {todo}") from error
