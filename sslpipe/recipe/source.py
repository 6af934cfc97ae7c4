"""A text that recipe errors can point into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What YAML takes for the end of a line; anything else would shift the line numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A recipe file, or an argument of the command line: its name, its lines, and the folder that its paths start from.

    Without lines it is a recipe that was never text; `file` then names the place in it, and `folder` is None.
    """

    file: str
    """How messages call it."""
    lines: tuple[str, ...] = ()
    """Its text, without line ends."""
    folder: Path | None = None
    """Where relative paths start."""

    @classmethod
    def of_text(cls, file: str, text: str, folder: Path) -> Source:
        """The source with this text."""
        return cls(file, tuple(LINE_END.split(text)), folder)
