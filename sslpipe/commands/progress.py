"""How a running build shows itself: bars on a terminal, a line every ten seconds anywhere else."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from sslpipe.shards.commits import Commit

EVERY_S = 10.0

_WORDS = {
    "read": "reading and filtering",
    "spill": "filtering",
    "resolve": "finding duplicates",
    "sample": "sampling",
    "fit": "learning",
    "weigh": "weighing",
    "shards": "writing shards",
}


class Lines:
    """A line when a stage begins and when it ends, and one every ten seconds while it lasts, whatever the tasks do."""

    def __init__(self, stream: TextIO | None, every_s: float = EVERY_S) -> None:
        self._stream, self._every_s = stream, every_s
        self.input_bytes = 0
        self._name, self._total, self._done = "", 0, 0
        self._began = self._said = time.monotonic()
        self._over = threading.Event()
        if stream is not None:
            threading.Thread(target=self._remind, name="sslpipe-progress", daemon=True).start()

    def stage(self, name: str, total: int, done: int) -> None:
        """See `Progress.stage`."""
        self._name, self._total, self._done = words(name), total, done
        self._say()

    def tick(self, commit: Commit) -> None:
        """See `Progress.tick`."""
        self._done += 1
        self.input_bytes += commit.facts.get("input_bytes", 0)
        if self._done == self._total or time.monotonic() - self._said >= self._every_s:
            self._say()

    def close(self) -> None:
        """See `Progress.close`."""
        self._over.set()

    def _remind(self) -> None:
        while not self._over.wait(self._every_s):
            if time.monotonic() - self._said >= self._every_s:
                self._say()

    def _say(self) -> None:
        if self._stream is not None and self._name:
            self._said = time.monotonic()
            seconds = self._said - self._began
            self._stream.write(f"[{seconds:6.1f} s] {self._name}: {self._done} of {self._total} tasks\n")
            self._stream.flush()


class Bars:
    """One bar a stage."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.input_bytes = 0
        self._task: TaskID | None = None
        self._bars: RichProgress = Progress(
            TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=Console(file=stream),
        )  # fmt: skip
        self._bars.start()

    def stage(self, name: str, total: int, done: int) -> None:
        """See `Progress.stage`."""
        self._task = self._bars.add_task(words(name), total=total, completed=done)

    def tick(self, commit: Commit) -> None:
        """See `Progress.tick`."""
        self.input_bytes += commit.facts.get("input_bytes", 0)
        if self._task is not None:
            self._bars.advance(self._task)

    def close(self) -> None:
        """See `Progress.close`."""
        self._bars.stop()


def words(stage: str) -> str:
    """A stage's name for people: `0-read` is `reading and filtering`."""
    return _WORDS.get(stage.split("-")[1], stage)


def progress_for(stream: TextIO, *, quiet: bool) -> Lines | Bars:
    """Bars where the stream is a terminal, lines where it is not, nothing where quiet."""
    return Lines(None) if quiet else Bars(stream) if stream.isatty() else Lines(stream)
