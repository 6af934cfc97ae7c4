"""Pictures as JPEG."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Limit

from sslpipe.codecs.encoded import pictures
from sslpipe.codecs.image_header import is_plain_jpeg
from sslpipe.core.draw import Draw
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map, pick_field


class EncodeJpeg(Map):
    """Encodes as JPEG what isn't a plain JPEG: what a map changed, and files of other formats.

    A JPEG of 8-bit YCbCr that is upright and has nothing behind its end keeps its bytes, so that nothing is compressed twice
    without need. The others lose a little: photographs of 512 x 819 pixels keep 36 dB at quality 90, or 38 to 39 with 4:4:4. In
    return they take a seventh of the space of PNG and are decoded six times as fast. What the decoder makes of the new bytes is
    what later steps see, on both sides of the fence.
    """

    field: str | None = None
    """The field of images; by default the only one."""
    quality: int = Limit(default=90, ge=1, le=100)
    """Scales the tables that coefficients are divided by. 90 is what FFCV writes (Leclerc et al. 2023, arXiv 2306.12517); 95
    takes half as much space again."""
    subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"
    """How colour is stored: as finely as brightness, or at a half in one or both directions, as cameras do. `4:4:4` takes 40 %
    more space and time."""

    def outputs(self, fields: Fields) -> Fields:
        """The image field, every row of it JPEG."""
        name = pick_field(self, fields, "image", self.field)
        return {**fields, name: fields[name].model_copy(update={"format": "jpeg"})}

    def open(self, context: Context) -> EncodeJpeg:
        """The map with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "image", self.field)})

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """The rows, each a plain JPEG."""
        import simplejpeg

        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it maps")
        column = pictures(rows, self.field)
        sampling = self.subsampling.replace(":", "")
        encoded: dict[int, bytes] = {}
        for row in range(len(rows)):
            data = column.data(row)
            if data is None or not is_plain_jpeg(data):
                encoded[row] = simplejpeg.encode_jpeg(column.value(row), self.quality, "RGB", sampling)
        return rows.with_columns(**{self.field: column.with_data(encoded)})
