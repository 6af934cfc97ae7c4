"""A foreign reader."""

from __future__ import annotations

from collections.abc import Iterator

from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import BadSink, Part, Reader


class Lines(Reader):
    """Reads nothing."""

    keep: tuple[str, ...] = ()

    def parts(self, part_bytes: int) -> list[Part]:
        """None."""
        return []

    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """Nothing."""
        return iter(())

    def outputs(self, fields: Fields) -> Fields:
        """None."""
        return {}
