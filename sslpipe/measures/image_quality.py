"""Size of pictures, and how much there is to see in them."""

from __future__ import annotations

from typing import Final

import numpy as np

from sslpipe.codecs.encoded import pictures
from sslpipe.codecs.image_header import image_header
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Measure, Measures, pick_field

NAMES: Final = ("width", "height", "short_side", "long_side", "pixels", "flat_pixels", "entropy")
LOOKED_AT: Final = 256


class ImageQuality(Measure):
    """What the cheap filters of pictures compare.

    Each is an int64 array `[n]`:

    | name | what it is |
    |---|---|
    | `width`, `height` | of the upright picture |
    | `short_side`, `long_side` | the smaller and the larger of the two |
    | `pixels` | how many were looked at |
    | `flat_pixels` | how many of these have the most frequent luma |
    | `entropy` | of the luma's histogram, in thousandths of a bit: 0 for one grey, 8000 for all 256 in equal parts |

    Luma has 8 bits and is that of JPEG. A JPEG is decoded at a half, a quarter or an eighth as long as its short side keeps 256
    pixels, which makes photographs several times as fast; so the same photograph has somewhat less entropy, having less noise,
    than as a PNG. All of it is counted in whole numbers, the same on every processor.
    """

    field: str | None = None
    """The field of images; by default the only one."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused unless the field is one of images."""
        pick_field(self, fields, "image", self.field)
        return fields

    def open(self, context: Context) -> ImageQuality:
        """The measure with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "image", self.field)})

    def names(self) -> tuple[str, ...]:
        """The names in the table above, in order."""
        return NAMES

    def measure(self, rows: Rows) -> Measures:
        """The numbers of every row, int64 `[n]` each."""
        from sslpipe.kernels.luma import entropy, luma_histogram

        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it measures")
        column = pictures(rows, self.field)
        numbers = np.zeros((len(rows), len(NAMES)), np.int64)
        for row in range(len(rows)):
            value = column.value(row, LOOKED_AT)
            height, width = value.shape[:2]
            data = column.data(row)
            if data is not None and row not in column.damages:
                header = image_header(data)
                height, width = header.height, header.width
            counts = luma_histogram(value)
            numbers[row] = (width, height, *sorted((width, height)), counts.sum(), counts.max(), entropy(counts))
        return {name: np.ascontiguousarray(numbers[:, place]) for place, name in enumerate(NAMES)}
