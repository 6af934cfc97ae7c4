"""Pictures that are too small, too narrow, or show nothing."""

from __future__ import annotations

from typing import Final

import numpy as np
from pydantic import Field, PositiveInt

from sslpipe.core.fields import Fields
from sslpipe.core.steps import Context, Filter, Limit, Measure, Measures, Numbers, Verdicts, pick_field
from sslpipe.filters._judging import above, below, compared, first_reason, limit, limits_of
from sslpipe.measures import image_quality

_BIT: Final = 1000
"""What `measures.image_quality` counts a bit of entropy as."""

_DECIDING: Final = {
    "image.too_small": ("short_side", "", "min_side"),
    "image.too_narrow": ("long_side", "short_side", "max_aspect"),
    "image.flat": ("flat_pixels", "pixels", "max_flat"),
    "image.low_entropy": ("entropy", "bit", "min_entropy"),
}
"""What each reason compares: a number, the number that it is a share of, and the threshold."""


class ImageQuality(Filter):
    """Drops pictures by their size and by how little there is in them.

    Size and shape are the image part of the basic filter of DataComp (Gadre et al. 2023, arXiv 2304.14108): icons, banners and
    rulers go. The other two are ours and meant for what can't be learnt from: blank pages, placeholders, single colours. A
    drawing on white passes unless it is almost nothing but white. A value on a limit is kept.

    Reasons, of which the first that holds is given: `image.too_small`, `image.too_narrow`, `image.flat`, `image.low_entropy`.
    """

    field: str | None = None
    """The field of images; by default the only one."""
    min_side: PositiveInt = 200
    """Shortest side in pixels, as in DataComp. Pictures smaller than what a model is trained on would have to be enlarged."""
    max_aspect: float = Field(default=3, ge=1, allow_inf_nan=False)
    """Longest side per shortest, as in DataComp. A square crop of a narrower picture shows less than a third of it."""
    max_flat: float = Field(default=0.95, ge=0, le=1)
    """Largest share of pixels with one luma. Photographs have less than 0.1, drawings on white often 0.5 to 0.9."""
    min_entropy: float = Field(default=1, ge=0, le=8)
    """Least entropy of the luma's histogram, in bits. One bit is two greys in equal parts; most photographs have 6 to 8."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused unless the field is one of images."""
        pick_field(self, fields, "image", self.field)
        return fields

    def open(self, context: Context) -> ImageQuality:
        """The filter with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "image", self.field)})

    def needs(self) -> tuple[Measure, ...]:
        """The numbers of the same field."""
        return (image_quality.ImageQuality(field=self.field),)

    def judge(self, measures: Measures) -> Verdicts:
        """Per row: kept, or the first rule that it breaks."""
        entropy = measures["entropy"]
        return first_reason(
            {
                "image.too_small": measures["short_side"] < self.min_side,
                "image.too_narrow": above(measures["long_side"], measures["short_side"], self.max_aspect),
                "image.flat": above(measures["flat_pixels"], measures["pixels"], self.max_flat),
                "image.low_entropy": below(entropy, np.full_like(entropy, _BIT), self.min_entropy),
            }
        )

    def explain(self, reason: str, numbers: Numbers) -> str:
        """The number that decided, beside its threshold."""
        part, whole, threshold = _DECIDING[reason]
        return compared({**numbers, "bit": _BIT}, part, whole, threshold, getattr(self, threshold))

    def limits(self) -> tuple[Limit, ...]:
        """All four."""
        plain = {reason: compares for reason, compares in _DECIDING.items() if compares[1] != "bit"}
        return (*limits_of(self, plain), limit(self, "image.low_entropy", "entropy", (), "min_entropy", _BIT))
