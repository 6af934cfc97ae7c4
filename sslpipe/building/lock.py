"""One build at a time on one output."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from sslpipe.core.errors import EnvironmentFault, OutputLocked


class BuildLock:
    """Holds the output folder for one build.

    The lock is the kernel's (`flock`), so it is free the moment its process ends, however it ends; there is nothing to expire
    and nothing to remove by hand. The file says who holds it, for the message that another build prints.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / ".sslpipe" / "lock"
        self._file: IO[str] | None = None

    def __enter__(self) -> BuildLock:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            assert self._file is not None
            self._file.close()
            who = holder(self._path.parent.parent)
            raise OutputLocked(
                f"another build works on {self._path.parent.parent}: {who}. Wait for it, or stop it and run this again"
            ) from None
        except OSError as error:
            raise EnvironmentFault(
                f"could not lock {self._path}: {error.strerror}; choose an output that can be written"
            ) from error
        self._file.truncate(0)
        since = time.strftime("%Y-%m-%d %H:%M:%S %Z")
        self._file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}))
        self._file.flush()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()


def holder(root: Path) -> str | None:
    """Who builds into a folder right now, in words; None where nobody does."""
    try:
        file = (root / ".sslpipe" / "lock").open()
    except OSError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                told = json.loads(file.read())
            except ValueError:  # The holder is writing it, or its disk was full.
                told = {}
            return f"process {told.get('pid', '?')} on {told.get('host', '?')}, since {told.get('since', '?')}"
    return None
