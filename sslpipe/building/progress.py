"""What a running build tells the person who waits for it."""

from __future__ import annotations

from typing import Protocol

from sslpipe.shards.commits import Commit


class Progress(Protocol):
    """Hears of stages and commits; says what it likes, and never slows the build."""

    def stage(self, name: str, total: int, done: int) -> None:
        """A stage begins; `done` of its tasks were committed by an earlier run."""

    def tick(self, commit: Commit) -> None:
        """A task was committed."""

    def close(self) -> None:
        """The build is over, one way or another."""


class Silent:
    """Says nothing."""

    def stage(self, name: str, total: int, done: int) -> None:
        """See `Progress.stage`."""

    def tick(self, commit: Commit) -> None:
        """See `Progress.tick`."""

    def close(self) -> None:
        """See `Progress.close`."""
