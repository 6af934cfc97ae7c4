"""The base of readers of pictures: which they let in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field as Limit
from pydantic import PositiveInt

from sslpipe.codecs.image_header import MAX_PIXELS
from sslpipe.core.steps import Reader
from sslpipe.readers._picture import check_picture


class PictureReader(Reader):
    """Base of readers whose fields may be pictures, refused by their header before anything is decoded."""

    max_pixels: Annotated[int, Limit(ge=1, le=MAX_PIXELS)] = 100_000_000
    """Most pixels of a picture. A value takes three bytes for each, twice that while it is changed; no camera in use makes
    more."""
    min_side: PositiveInt = 1
    """Shortest side of a picture, in pixels, that is let in at all. To drop small pictures with their numbers kept, use
    `filters.image_quality`."""
    max_aspect: Annotated[float, Limit(ge=1, allow_inf_nan=False)] = 100
    """Longest side of a picture per shortest. Beyond it are rulers, borders and broken headers."""

    def _check_picture(self, data: bytes) -> None:
        """Raises Damage, see `check_picture`."""
        check_picture(data, self.max_pixels, self.min_side, self.max_aspect)
