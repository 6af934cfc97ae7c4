"""Rows with nothing left in them."""

from __future__ import annotations

from sslpipe.core.fields import Fields
from sslpipe.core.steps import Filter, Measure, Measures, Numbers, Verdicts
from sslpipe.filters._judging import first_reason
from sslpipe.measures.blank import Blank


class Empty(Filter):
    """Drops a row when any of its fields is empty: text with nothing but white space, or a ragged field of length 0.

    It follows each map by itself, since a map may empty a row but never remove it. One empty field is enough: a caption without
    its words leaves a pair that no task can use. Reason: `empty`.
    """

    fields: tuple[str, ...] = ()
    """The fields to look at; by default every one of text or ids, so that a recipe without any keeps all rows."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused where a named field is missing or can't be empty."""
        return Blank(fields=self.fields).outputs(fields)

    def needs(self) -> tuple[Measure, ...]:
        """The count of empty fields."""
        return (Blank(fields=self.fields),)

    def judge(self, measures: Measures) -> Verdicts:
        """Per row: kept, or `empty`."""
        return first_reason({"empty": measures["blank_fields"] > 0})

    def explain(self, reason: str, numbers: Numbers) -> str:
        """How many of the fields are empty."""
        count = numbers["blank_fields"]
        return f"{count} field{'s hold' if count > 1 else ' holds'} nothing"
