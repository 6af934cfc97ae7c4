"""Large pictures made smaller."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Limit

from sslpipe.codecs.encoded import pictures
from sslpipe.codecs.image_header import image_header
from sslpipe.core.damage import Damage
from sslpipe.core.draw import Draw
from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map, pick_field


class ResizeImage(Map):
    """Makes pictures smaller until their short side has so many pixels; the shape stays, and nothing is enlarged.

    Pictures that are not larger keep their bytes, and are not even decoded here. Large JPEGs are decoded at a half, a quarter
    or an eighth, which is most of the way: 15 megapixels come to 512 in a quarter to a third of the time that decoding all of
    them takes. The rest is the mean over areas, exact in whole numbers (`kernels/area.py`), since stored pixels must not depend
    on the processor. Behind this map rows are encoded in different ways; `maps.encode_jpeg` or `maps.encode_png` make them
    alike.
    """

    field: str | None = None
    """The field of images; by default the only one."""
    short_side: int = Limit(default=512, ge=1, le=65_500)
    """Pixels of the short side. A crop that becomes 224 x 224 (SimCLR, arXiv 2002.05709, takes 8 to 100 % of the area) has so
    many of its own from a fifth of the area on."""

    def outputs(self, fields: Fields) -> Fields:
        """The image field, no longer of one encoding."""
        name = pick_field(self, fields, "image", self.field)
        return {**fields, name: fields[name].model_copy(update={"format": None})}

    def open(self, context: Context) -> ResizeImage:
        """The map with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "image", self.field)})

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """The rows, those that were larger with new pixels."""
        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it maps")
        column = pictures(rows, self.field)
        smaller = {row: self._smaller(column, row) for row in range(len(rows))}
        changed = {row: pixels for row, pixels in smaller.items() if pixels is not None}
        return rows.with_columns(**{self.field: column.with_values(changed)})

    def _smaller(self, column: Encoded[NDArray[np.uint8]], row: int) -> NDArray[np.uint8] | None:
        """The new pixels of a row, if it needs any."""
        from sslpipe.kernels.area import area_mean

        height, width = _size(column, row)
        short, long = sorted((height, width))
        if short <= self.short_side:
            return None
        pixels = column.value(row, self.short_side)
        if row in column.damages:
            return None
        length = (2 * long * self.short_side + short) // (2 * short)
        wanted = (length, self.short_side) if height > width else (self.short_side, length)
        # A picture decoded at an eighth may lack the fraction of a pixel that rounding the long side adds.
        new_height, new_width = (min(sides) for sides in zip(wanted, pixels.shape[:2], strict=True))
        return area_mean(pixels, new_height, new_width)


def _size(column: Encoded[NDArray[np.uint8]], row: int) -> tuple[int, int]:
    """Height and width; for a row without a readable header, those of what stands in for it."""
    data = column.data(row)
    if data is not None:
        try:
            header = image_header(data)
        except Damage:
            pass
        else:
            return header.height, header.width
    height, width, _ = column.value(row).shape
    return height, width
