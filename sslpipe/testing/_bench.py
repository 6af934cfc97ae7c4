"""What the checks share: a task at its bench, and how a failure is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.draw import Draw
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Task

IGNORED: Final = -100
SIGMAS: Final = 4


@dataclass(frozen=True)
class Bench:
    """A task, opened, and rows to try it on."""

    task: Task
    context: Context
    rows: Rows
    seed: int
    opened: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "opened", self.task.open(self.context))

    def label(self, rows: Rows, epoch: int = 0) -> Rows:
        """What the task makes of rows."""
        draw = Draw(self.seed, self.task.path(), self.task.salt, epochs=np.full(len(rows), epoch, np.int64))
        made: Rows = self.opened.label(rows, draw)
        return made

    def replaced(self, kind: str) -> str | None:
        """The first field of a kind that the task replaces."""
        fields = self.context.fields
        gone = [name for name in fields if name not in self.task.outputs(fields)]
        return next((name for name in gone if fields[name].kind == kind), None)


def expect(number: int, holds: Any, problem: str) -> None:
    """Raise AssertionError, with the number of the assertion, unless it holds."""
    if not holds:
        raise AssertionError(f"assertion {number}: {problem}")


def frozen(rows: Rows) -> Mapping[str, list[bytes]]:
    """All bytes of a batch, names too, to compare with later."""
    return {name: [part.tobytes() for part in _parts(rows, name)] for name in rows.columns} | {
        "names": [part.tobytes() for part in (rows.names.words(), rows.names.offset)]
    }


def _parts(rows: Rows, name: str) -> tuple[NDArray[Any], ...]:
    column = rows[name]
    if isinstance(column, Ragged):
        return column.values[column.offsets[0] : column.offsets[-1]], column.lengths
    return (column,)
