"""A foreign filter with a bug."""

from __future__ import annotations

from sslpipe.core.steps import Filter, Measure, Measures, Verdicts
from tests.building.foreign.measures.size import Size


class Poison(Filter):
    """Raises what is no error of sslpipe's."""

    def needs(self) -> tuple[Measure, ...]:
        """The size."""
        return (Size(),)

    def judge(self, measures: Measures) -> Verdicts:
        """Never answers."""
        raise ValueError("a bug in somebody's step")
