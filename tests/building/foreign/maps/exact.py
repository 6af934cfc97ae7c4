"""A foreign map that lets any picture and sound be stored: without loss, and without changing it."""

from __future__ import annotations

from sslpipe.codecs.encoded import pictures, sounds
from sslpipe.core.draw import Draw
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Map

FORMATS = {"image": "png", "audio": "flac"}


class Exact(Map):
    """Encodes the fields `image` and `audio` anew."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields, in one format each."""
        return {name: field.model_copy(update={"format": FORMATS.get(name)}) for name, field in fields.items()}

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """The same values without the bytes that they came in."""
        columns = {"image": pictures(rows, "image"), "audio": sounds(rows, "audio")}
        return rows.with_columns(
            **{name: column.with_values(dict(enumerate(column.values()))) for name, column in columns.items()}
        )
