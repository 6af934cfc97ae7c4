"""How many fields of a row hold nothing."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Measure, Measures


class Blank(Measure):
    """Counts, per row, the fields that are empty: text with nothing but white space, or any other ragged field of length 0.

    One number, `blank_fields`, int64 `[n]`. Cheap, since it stops at the first visible character.
    """

    fields: tuple[str, ...] = ()
    """The fields to look at; by default every one of text or ids, if there are any."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused where a named field is missing or can't be empty."""
        self._kinds(fields)
        return fields

    def open(self, context: Context) -> Measure:
        """The measure at work, which knows which of its fields are text."""
        kinds = self._kinds(context.fields)
        return _OpenedBlank(fields=tuple(kinds), kinds=tuple(kinds.values()))

    def names(self) -> tuple[str, ...]:
        """One name."""
        return ("blank_fields",)

    def measure(self, rows: Rows) -> Measures:
        """Only of the object that `open` returns, since text and ids differ in what empty means."""
        raise SslpipeError(f"{self.path()} must be opened before it measures")

    def _kinds(self, fields: Fields) -> dict[str, Literal["text", "ragged"]]:
        """What each field that is looked at holds, in the order of the names."""
        have = ", ".join(f"{name}: {field.kind}" for name, field in fields.items()) or "none"
        chosen = set(self.fields) or {name for name, field in fields.items() if field.kind in ("text", "ids")}
        kinds: dict[str, Literal["text", "ragged"]] = {}
        for name in sorted(chosen):
            if name not in fields:
                raise RecipeError(f"{self.path()}: there is no field `{name}` (fields here: {have})")
            if not fields[name].ragged:
                raise RecipeError(f"{self.path()}: rows of field `{name}` have one shape and are never empty; leave it out")
            kinds[name] = "text" if fields[name].kind == "text" else "ragged"
        return kinds


class _OpenedBlank(Blank):
    kinds: tuple[Literal["text", "ragged"], ...]

    def open(self, context: Context) -> Measure:
        return self

    def measure(self, rows: Rows) -> Measures:
        blank = np.zeros(len(rows), np.int64)
        for field, kind in zip(self.fields, self.kinds, strict=True):
            blank += _blank_text(rows, field) if kind == "text" else rows.ragged(field).lengths == 0
        return {"blank_fields": blank}


def _blank_text(rows: Rows, field: str) -> NDArray[np.bool_]:
    from sslpipe.kernels.visible import visible

    column = rows.ragged(field)
    return ~visible(column.values, column.offsets)
