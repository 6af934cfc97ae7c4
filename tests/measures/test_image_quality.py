"""Numbers about pictures: sizes from headers, the rest from pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.codecs.encoded import pictures
from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.core.ragged import Ragged
from sslpipe.core.steps import Context
from sslpipe.measures.image_quality import ImageQuality
from tests.badinputs.images import JPEG, PNG
from tests.support_images import exif, jpeg, noise, photo, saved, with_segment
from tests.support_text import rows_of

IMAGE = {"image": Field(kind="image")}


def measured(*files: bytes) -> dict[str, list[int]]:
    rows = rows_of(image=Ragged.from_bytes(files))
    measures = ImageQuality(field="image").measure(rows)
    assert tuple(measures) == ImageQuality().names()
    assert all(column.dtype == np.int64 and column.shape == (len(files),) for column in measures.values())
    return {name: column.tolist() for name, column in measures.items()}


def test_sizes_are_those_of_the_upright_picture() -> None:
    numbers = measured(PNG, with_segment(JPEG, 0xE1, exif(6)))
    assert (numbers["width"], numbers["height"]) == ([60, 40], [40, 60])
    assert numbers["short_side"] == [40, 40] and numbers["long_side"] == [60, 60] and numbers["pixels"] == [2400, 2400]


def test_what_is_flat_has_no_entropy() -> None:
    flat = np.full((10, 12, 3), 77, np.uint8)
    half = flat.copy()
    half[:, 6:] = 200
    numbers = measured(*(saved(pixels, "PNG") for pixels in (flat, half, noise(300, 300))))
    assert numbers["flat_pixels"][:2] == [120, 60] and numbers["entropy"][:2] == [0, 1000]
    assert numbers["flat_pixels"][2] < 2000 and 7500 < numbers["entropy"][2] <= 8000


def test_large_jpegs_are_looked_at_in_small() -> None:
    pixels = photo(1030, 2060)
    numbers = measured(jpeg(pixels), saved(pixels, "PNG"), jpeg(photo(510, 600)))
    assert numbers["short_side"] == [1030, 1030, 510] and numbers["width"] == [2060, 2060, 600]
    assert numbers["pixels"] == [258 * 515, 1030 * 2060, 510 * 600]
    assert abs(numbers["entropy"][0] - numbers["entropy"][1]) < 300


@given(st.permutations(range(4)), st.integers(1, 4))
def test_a_row_is_measured_alone(order: list[int], cut: int) -> None:
    files = [PNG, JPEG, saved(noise(7, 5), "PNG"), saved(noise(5, 7), "GIF")]
    whole = measured(*files)
    parts = [measured(*(files[place] for place in part)) for part in (order[:cut], order[cut:])]
    for name, column in whole.items():
        assert parts[0][name] + parts[1][name] == [column[place] for place in order]


def test_what_steps_made_is_measured_and_what_is_damaged_is_noted() -> None:
    rows = rows_of(image=Ragged.from_bytes([PNG, JPEG[:300], PNG]))
    column = pictures(rows, "image")
    forgiving = Encoded.of(Ragged.from_bytes([PNG, JPEG[:300], PNG]), column._codec, forgiving=True)
    changed = forgiving.with_values({2: np.zeros((3, 4, 3), np.uint8)})
    measures = ImageQuality(field="image").measure(rows.with_columns(image=changed))
    assert measures["width"].tolist() == [60, 1, 4] and list(changed.damages) == [1]


def test_the_field() -> None:
    assert ImageQuality().open(Context(fields=IMAGE)) == ImageQuality(field="image")
    assert ImageQuality().outputs(IMAGE) is IMAGE
    with pytest.raises(RecipeError, match=r"measures.image_quality needs a field of image; there is none"):
        ImageQuality().outputs({"text": Field(kind="text")})
    with pytest.raises(SslpipeError, match="must be opened"):
        ImageQuality().measure(rows_of(image=Ragged.from_bytes([PNG])))
