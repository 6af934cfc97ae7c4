"""Steps as windows on the endless sequence of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tail = Literal["carry", "drop"]


@dataclass(frozen=True)
class Windows:
    """The arithmetic of steps: a step is the window `[n, n + size)` on `rows` rows an epoch, a pass the windows of one epoch.

    With `tail="carry"` a window may run through the end of an epoch, and the next pass starts where it ends. With `"drop"` the
    windows of an epoch lie wholly in it, and rows behind the last are left out, other ones each epoch where rows are shuffled.
    """

    rows: int
    size: int
    tail: Tail

    def settle(self, n: int) -> int:
        """The start of the first window at or after `n`, for an `n` where a window may start."""
        return n if self.tail == "carry" or n % self.rows + self.size <= self.rows else self.epoch_start(n // self.rows + 1)

    def epoch_start(self, epoch: int) -> int:
        """The first row of an epoch."""
        return epoch * self.rows

    def epoch(self, n: int) -> int:
        """The epoch that a row belongs to."""
        return n // self.rows

    def left(self, n: int) -> int:
        """How many windows start from `n` to the end of its epoch."""
        rest = self.rows - n % self.rows
        return rest // self.size if self.tail == "drop" else -(-rest // self.size)

    def steps(self, n: int) -> int:
        """How many windows the epoch of `n` has, those before `n` counted."""
        return n % self.rows // self.size + self.left(n)

    def after(self, n: int) -> int:
        """Where the window behind that at `n` starts."""
        return self.settle(n + self.size)

    def end(self, n: int) -> int:
        """Where the pass that starts, or goes on, at `n` ends, and the next one starts."""
        return self.settle(n + self.left(n) * self.size)
