"""Pictures as PNG."""

from __future__ import annotations

from sslpipe.codecs.encoded import pictures
from sslpipe.codecs.image_header import is_plain_png
from sslpipe.core.draw import Draw
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map, pick_field


class EncodePng(Map):
    """Encodes as PNG what isn't a plain PNG, without loss.

    Every row is then 8-bit RGB, upright, its first frame. A PNG that is so already keeps its bytes. Photographs take seven
    times the space of a JPEG that looks the same, so that this is for drawings, and for pixels that must stay what they are.
    """

    field: str | None = None
    """The field of images; by default the only one."""

    def outputs(self, fields: Fields) -> Fields:
        """The image field, every row of it PNG."""
        name = pick_field(self, fields, "image", self.field)
        return {**fields, name: fields[name].model_copy(update={"format": "png"})}

    def open(self, context: Context) -> EncodePng:
        """The map with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "image", self.field)})

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """The rows, each a plain PNG when it is stored; pixels stay at hand for later steps."""
        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it maps")
        column = pictures(rows, self.field)
        others = [row for row in range(len(rows)) if (data := column.data(row)) is not None and not is_plain_png(data)]
        return rows.with_columns(**{self.field: column.with_values({row: column.value(row) for row in others})})
