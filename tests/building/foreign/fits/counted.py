"""A foreign fit."""

from __future__ import annotations

from pathlib import Path

from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Fit, SampleSpec


class Counted(Fit):
    """Learns how many bytes it was shown."""

    artefact = "counted.txt"

    def sample(self, fields: Fields) -> SampleSpec:
        """A little text."""
        return SampleSpec("text", 500)

    def fit(self, rows: Rows, target: Path) -> None:
        """Write the number down."""
        target.write_text(str(int(rows.nbytes().sum())))
