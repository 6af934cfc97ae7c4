"""A foreign filter that anybody can follow by hand."""

from __future__ import annotations

from sslpipe.core.steps import Filter, Measure, Measures, Numbers, Verdicts
from tests.building.foreign.measures.size import Size


class LongEnough(Filter):
    """Keeps rows of at least so many elements."""

    least: int = 1
    field: str = "text"

    def needs(self) -> tuple[Measure, ...]:
        """The size."""
        return (Size(field=self.field),)

    def judge(self, measures: Measures) -> Verdicts:
        """Kept, or `short`."""
        return Verdicts((measures["elements"] < self.least).astype("uint8"), ("short",))

    def explain(self, reason: str, numbers: Numbers) -> str:
        """The size beside the least."""
        return f"{numbers['elements']} elements, least is {self.least}"
