"""Every rule on its limit and one beyond it."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.fields import Field
from sslpipe.core.ragged import Ragged
from sslpipe.core.steps import Context, Measures
from sslpipe.filters import image_quality
from sslpipe.filters.image_quality import ImageQuality
from sslpipe.measures.image_quality import ImageQuality as Measured
from tests.support_images import noise, photo, saved
from tests.support_text import rows_of

IMAGE = {"image": Field(kind="image"), "text": Field(kind="text")}
GOOD = {"width": 400, "height": 300, "short_side": 300, "long_side": 400, "pixels": 1000, "flat_pixels": 10, "entropy": 7000}

LIMITS: list[tuple[str, dict[str, int], dict[str, int], str]] = [
    ("image.too_small", {"short_side": 200}, {"short_side": 199}, "199 short side, min_side is 200"),
    ("image.too_narrow", {"long_side": 900}, {"long_side": 901}, "901 long side / 300 short side = 3.003, max_aspect is 3"),
    ("image.flat", {"flat_pixels": 950}, {"flat_pixels": 951}, "951 flat pixels / 1,000 pixels = 0.951, max_flat is 0.95"),
    ("image.low_entropy", {"entropy": 1000}, {"entropy": 999}, "999 entropy / 1,000 bit = 0.999, min_entropy is 1"),
]


def measured(**changes: int) -> Measures:
    return {name: np.array([count], np.int64) for name, count in {**GOOD, **changes}.items()}


def reason(step: ImageQuality, measures: Measures) -> str | None:
    verdicts = step.judge(measures)
    return verdicts.reasons[verdicts.codes[0] - 1] if verdicts.codes[0] else None


def limits_hold() -> bool:
    return all(
        reason(ImageQuality(), measured(**on)) is None and reason(ImageQuality(), measured(**beyond)) == name
        for name, on, beyond, _ in LIMITS
    )


def test_a_value_on_the_limit_is_kept() -> None:
    assert reason(ImageQuality(), measured()) is None
    assert limits_hold()
    assert [name for name, *_ in LIMITS] == list(ImageQuality().judge(measured()).reasons)


def test_comparisons_that_drop_the_limit_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_quality, "above", lambda part, whole, limit: part >= whole * limit)
    assert not limits_hold()


@pytest.mark.parametrize(("name", "on", "beyond", "told"), LIMITS)
def test_explanations_name_number_and_threshold(name: str, on: dict[str, int], beyond: dict[str, int], told: str) -> None:
    assert ImageQuality().explain(name, {**GOOD, **beyond}) == told


def test_the_first_reason_counts() -> None:
    assert reason(ImageQuality(), measured(short_side=1, entropy=0, flat_pixels=1000)) == "image.too_small"
    assert reason(ImageQuality(max_flat=1), measured(flat_pixels=1000, entropy=0)) == "image.low_entropy"


def test_real_pictures() -> None:
    blank, black = np.full((300, 300, 3), 255, np.uint8), np.zeros((300, 300, 3), np.uint8)
    black[:9] = 1
    files = [
        saved(pixels, "PNG") for pixels in (photo(300, 400), noise(200, 200), blank, black, noise(199, 300), noise(200, 601))
    ]
    measures = Measured(field="image").measure(rows_of(image=Ragged.from_bytes(files)))
    verdicts = ImageQuality().judge(measures)
    wanted = [0, 0, "image.flat", "image.flat", "image.too_small", "image.too_narrow"]
    assert [code and verdicts.reasons[code - 1] for code in verdicts.codes.tolist()] == wanted


def test_the_field() -> None:
    assert ImageQuality().open(Context(fields=IMAGE)) == ImageQuality(field="image")
    assert ImageQuality(field="image").needs() == (Measured(field="image"),)
    assert ImageQuality().outputs(IMAGE) is IMAGE
    with pytest.raises(RecipeError, match=r"filters.image_quality: field `text` should be image; it is text"):
        ImageQuality(field="text").outputs(IMAGE)
    with pytest.raises(FieldError, match="wanted a number of at least 1"):
        ImageQuality(max_aspect=0.5)
