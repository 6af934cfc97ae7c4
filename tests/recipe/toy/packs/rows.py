"""A foreign pack."""

from __future__ import annotations

from typing import Any

from sslpipe.core.steps import Pack


class Rows(Pack):
    """Packs nothing."""

    length: int = 8

    def count(self, lengths: Any) -> int:
        """None."""
        return 0

    def period(self) -> int:
        """No shift."""
        return 1
