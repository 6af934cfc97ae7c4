"""Files opened by paths that come out of data, and that may lead nowhere but into one folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Final, Self

from sslpipe.core.damage import Damage
from sslpipe.readers._open import READ_FLAGS, tried

_LINKS: Final = 40
"""Links followed on the way to one file, as Linux counts."""
_DEPTH: Final = 64
"""Folders below one another; each is held open, so that `..` leads back to where the path came from."""
_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY
_LONGEST_NAME: Final = 255
_LONGEST_PATH: Final = 4096


def checked_path(path: str) -> str:
    """A path as it may stand in data; raises Damage.

    `path.url` for what begins like an address, `path.outside` for an absolute path, `path.name` for none at all, and for one
    that no file system has: a NUL, more than 4096 bytes, or a name of more than 255.
    """
    head, colon, rest = path.partition(":")
    if colon and (rest.startswith("//") or head in ("pipe", "data", "file")):
        raise Damage("path.url", 0, f"{_shown(path)} is an address; only files on this machine are read, download it first")
    if path.startswith("/"):
        raise Damage("path.outside", 0, f"{_shown(path)} is absolute, wanted a path below the folder of the listing")
    if not path or "\0" in path:
        raise Damage("path.name", 0, f"{_shown(path)} is no path of a file")
    if len(path.encode()) > _LONGEST_PATH or max(len(name.encode()) for name in path.split("/")) > _LONGEST_NAME:
        raise Damage("path.name", 0, f"a path of {len(path):,} characters is longer than a file's can be")
    return path


class Beneath:
    """A folder whose files are opened one name after another, so that no path and no link leads out of it.

    Every step is relative to the folder that is held open from the step before, and follows no link by itself. Links are read
    and walked the same way; those that are absolute, or climb out, are refused before anything behind them is opened. Whoever
    swaps a folder for a link meanwhile gains nothing. The result is that of Linux's `openat2` with RESOLVE_BENEATH, for which
    Python has no call. Asking afterwards where a file lies (`/proc/self/fd`) would have opened it by then.
    """

    def __init__(self, folder: str) -> None:
        self._root = tried(lambda: os.open(folder or "/", _FOLDER_FLAGS), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._root)

    def status(self, path: str) -> os.stat_result | None:
        """What `open` opens; None where it raises Damage."""
        try:
            descriptor = self.open(path)
        except Damage:
            return None
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def open(self, path: str) -> int:
        """A descriptor of the regular file at a path that `checked_path` has seen; raises Damage.

        `path.outside` for `..` that leads out, `path.link` for a link that does or leads round in circles, `path.name` for more
        than 64 folders, `path.not_file` for folders, devices and the like, and `io.*`.
        """
        held = [self._root]
        try:
            return self._walk(path, held)
        finally:
            for descriptor in held[1:]:
                os.close(descriptor)

    def _walk(self, path: str, held: list[int]) -> int:
        names, links = path.split("/")[::-1], 0
        while names:
            name = names.pop()
            if name in ("", "."):
                continue
            if name == "..":
                if len(held) == 1:
                    raise Damage("path.link" if links else "path.outside", 0, f"{_shown(path)} leads out of its folder")
                os.close(held.pop())
                continue
            is_last = not names
            flags = READ_FLAGS if is_last else _FOLDER_FLAGS
            descriptor = tried(_unless_link(name, flags, held[-1]), 0)
            if descriptor is None:
                target = tried(_target(name, held[-1]), 0)
                links += 1
                if target.startswith("/"):
                    raise Damage("path.link", 0, f"{_shown(path)} goes over a link to {_shown(target)}, out of its folder")
                if links > _LINKS:
                    raise Damage("path.link", 0, f"{_shown(path)} goes over more than {_LINKS} links")
                names += target.split("/")[::-1]
            elif is_last:
                return _regular(descriptor, path)
            elif len(held) > _DEPTH:
                os.close(descriptor)
                raise Damage("path.name", 0, f"{_shown(path)} lies below more than {_DEPTH} folders")
            else:
                held.append(descriptor)
        raise Damage("path.not_file", 0, f"{_shown(path)} is a folder")


def _unless_link(name: str, flags: int, folder: int) -> Callable[[], int | None]:
    """Opens a name in a folder; none where it is a link, or no folder where one is wanted, which look alike from here."""

    def attempt() -> int | None:
        try:
            return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                return None
            raise

    return attempt


def _target(name: str, folder: int) -> Callable[[], str]:
    """Where a link leads; raises OSError with ENOTDIR for what is none."""

    def attempt() -> str:
        try:
            return os.readlink(name, dir_fd=folder)
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
            raise

    return attempt


def _regular(descriptor: int, path: str) -> int:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise Damage("path.not_file", 0, f"{_shown(path)} is a folder, a device or the like")


def _shown(path: str) -> str:
    return ascii(path if len(path) <= 100 else path[:100] + "...")
