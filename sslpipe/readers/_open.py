"""One file of a part, open for reading, with every way it can fail told by name."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from sslpipe.core.damage import Damage
from sslpipe.core.errors import EnvironmentFault
from sslpipe.core.steps import Bad, Part

_TRIES: Final = 4
"""The first try and three more: an EIO from a network disk is often gone at once."""
RAW_BYTES: Final = 1 << 16
"""Bytes of a bad record that are kept at the most."""
_DETAIL: Final = 300
READ_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""Without O_NONBLOCK a FIFO that took the file's place since would be waited for."""
_SHORTAGES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_REASONS: Final = {
    errno.ENOENT: "io.vanished",
    errno.ENOTDIR: "io.vanished",
    errno.ESTALE: "io.vanished",
    errno.EACCES: "io.permission",
    errno.EPERM: "io.permission",
}

_T = TypeVar("_T")


class OpenFile:
    """Reads a file from its start; raises Damage `io.error`, `io.changed` and the like with the offset."""

    def __init__(self, descriptor: int, size: int, stamp: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._stamp = stamp
        self._at = 0

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        data = tried(lambda: os.pread(self._descriptor, size, self._at), self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, /) -> int:
        """Goes to a byte."""
        self._at = offset
        return offset

    def whole(self, limit: int) -> bytes:
        """All of the file from its start; raises Damage `record_too_large` above `limit` bytes."""
        self._at = 0
        if self._size > limit:
            raise Damage("record_too_large", limit, f"more than `max_record_bytes`, which is {limit:,}")
        pieces = []
        while self._at <= self._size and (piece := self.read(self._size + 1 - self._at)):
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def check(self) -> None:
        """Raises Damage `io.changed` unless the file is the one that was planned for."""
        status = tried(lambda: os.fstat(self._descriptor), self._at)
        found = (status.st_size, status.st_mtime_ns)
        if not stat.S_ISREG(status.st_mode) or found != (self._size, self._stamp):
            size, stamp = found
            raise Damage(
                "io.changed",
                self._at,
                f"the file has changed since the build was planned: {size} bytes, modified {stamp} ns; "
                f"planned {self._size} bytes, modified {self._stamp} ns",
            )


@contextmanager
def opened(part: Part, number: int) -> Iterator[OpenFile]:
    """The file at a position of a part.

    Raises Damage: `io.vanished`, `io.permission`, `io.changed` (another size or time than planned, looked at before the first
    byte and after the last), `io.error` (an EIO after three more tries, or anything else); and EnvironmentFault where it is the
    machine that has no memory or file handles left.
    """
    descriptor = tried(lambda: os.open(part.files[number], READ_FLAGS), 0)
    with held(descriptor, part.sizes[number], part.stamps[number]) as file:
        yield file


@contextmanager
def held(descriptor: int, size: int, stamp: int) -> Iterator[OpenFile]:
    """The file behind a descriptor, which is closed afterwards; raises Damage as `opened` does."""
    try:
        file = OpenFile(descriptor, size, stamp)
        file.check()
        try:
            yield file
        except Damage:
            file.check()
            raise
        file.check()
    finally:
        os.close(descriptor)


def tried(action: Callable[[], _T], offset: int) -> _T:
    """What a system call gives, tried again after an EIO; raises Damage, or EnvironmentFault, for its OSError."""
    for left in reversed(range(_TRIES)):
        try:
            return action()
        except OSError as error:
            if error.errno in _SHORTAGES:
                raise EnvironmentFault(f"can't read on: {error.strerror}; free some, or run fewer workers") from error
            if error.errno != errno.EIO or not left:
                reason = _REASONS.get(error.errno or 0, "io.error")
                raise Damage(reason, offset, os.strerror(error.errno or 0)) from error
    raise AssertionError("the last try returns or raises")


def bad_record(file: str, damage: Damage, place: str | None = None, raw: bytes = b"") -> Bad:
    """The quarantine's entry for a damage; raw bytes are kept up to 64 KiB, else none."""
    detail = damage.detail if len(damage.detail) <= _DETAIL else damage.detail[: _DETAIL - 3] + "..."
    return Bad(file, place or f"byte {damage.offset}", damage.reason, detail, raw if len(raw) <= RAW_BYTES else b"")
