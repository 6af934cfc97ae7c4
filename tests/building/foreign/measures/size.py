"""A foreign measure."""

from __future__ import annotations

from sslpipe.core.rows import Rows
from sslpipe.core.steps import Measure, Measures


class Size(Measure):
    """How many elements a row has."""

    field: str = "text"

    def names(self) -> tuple[str, ...]:
        """One number."""
        return ("elements",)

    def measure(self, rows: Rows) -> Measures:
        """The length of the field."""
        return {"elements": rows.ragged(self.field).lengths}
