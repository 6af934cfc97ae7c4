"""A foreign fit."""

from __future__ import annotations

from pathlib import Path

from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Fit, SampleSpec


class Counts(Fit):
    """Counts."""

    artefact = "counts.json"

    def sample(self, fields: Fields) -> SampleSpec:
        """Anything."""
        return SampleSpec("text", 1)

    def fit(self, rows: Rows, target: Path) -> None:
        """Nothing."""
