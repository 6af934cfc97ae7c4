"""A foreign filter with a field of each kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sslpipe.core.steps import Filter, Measure, Measures, Verdicts
from sslpipe.core.units import Bytes


class Long(Filter):
    """Keeps long rows. It is here to be configured, not to be run.

    Another paragraph.
    """

    min_words: Annotated[int, Field(ge=0)] = 50
    """The fewest words."""
    max_words: int = 100_000
    threshold: float = Field(0.5, ge=0, le=1)
    """A share
    over two lines."""
    lang: str = "en"
    strict: bool = True
    mode: Literal["words", "bytes"] = "words"
    size: Bytes = 10
    scores: tuple[float, ...] = ()
    limit: int | None = None
    table: Path | None = None
    either: int | tuple[int, ...] = 1

    @model_validator(mode="after")
    def _apart(self) -> Long:
        if self.min_words > self.max_words:
            raise ValueError(f"got min_words {self.min_words} above max_words {self.max_words}, wanted it below")
        return self

    def needs(self) -> tuple[Measure, ...]:
        """Nothing."""
        return ()

    def judge(self, measures: Measures) -> Verdicts:
        """Never called."""
        raise NotImplementedError
