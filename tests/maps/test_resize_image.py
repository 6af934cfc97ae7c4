"""Large pictures become smaller; small ones keep their bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.codecs.image import ImageCodec
from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.kernels.area import area_mean
from sslpipe.maps.resize_image import ResizeImage
from tests.badinputs.images import JPEG, PNG
from tests.support_images import exif, jpeg, noise, photo, saved, scene, with_segment
from tests.support_maps import DRAW, FIELDS, mapped, rows_of_files


def test_what_is_not_larger_keeps_its_bytes() -> None:
    files = [PNG, JPEG, saved(noise(40, 300), "PNG"), with_segment(JPEG, 0xE1, exif(6))]
    rows = rows_of_files(*files)
    column = mapped(ResizeImage(short_side=40), rows)
    assert column.stored().to_bytes() == files and not column.changed.any()
    assert mapped(ResizeImage(short_side=39), rows).changed.all()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_the_short_side_is_as_wanted_and_the_shape_stays(height: int, width: int, side: int) -> None:
    pixels = noise(height, width)
    column = mapped(ResizeImage(short_side=side), rows_of_files(saved(pixels, "PNG")))
    value = column.value(0)
    if min(height, width) <= side:
        np.testing.assert_array_equal(value, pixels)
        return
    assert min(value.shape[:2]) == side
    long = side * max(height, width) / min(height, width)
    assert abs(max(value.shape[:2]) - long) <= 0.5 and (value.shape[0] > value.shape[1]) <= (height >= width)
    np.testing.assert_array_equal(value, area_mean(pixels, *value.shape[:2]))


@pytest.mark.parametrize("shape", [(400, 600), (1023, 2046), (601, 401), (97, 4003), (64, 65), (128, 128)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_large_jpegs_are_decoded_in_small(shape: tuple[int, int], orientation: int) -> None:
    data = with_segment(jpeg(scene(*shape)), 0xE1, exif(orientation))
    value = mapped(ResizeImage(short_side=64), rows_of_files(data)).value(0)
    codec = ImageCodec()
    whole = codec.decode(data)[0]
    small = codec.decode(data, 64)[0]
    np.testing.assert_array_equal(value, area_mean(small, *value.shape[:2]))
    assert min(value.shape[:2]) == 64 and abs(max(value.shape[:2]) - 64 * max(shape) / min(shape)) <= 1
    assert np.abs(value.astype(int) - area_mean(whole, *value.shape[:2])).mean() < 3
    assert (whole.shape != small.shape) == (min(shape) >= 127)


def test_pixels_do_not_depend_on_earlier_steps() -> None:
    data = jpeg(photo(400, 600))
    fresh, seen = rows_of_files(data), rows_of_files(data)
    seen.columns["image"].values()  # type: ignore[union-attr]
    np.testing.assert_array_equal(mapped(ResizeImage(short_side=64), fresh).value(0),
                                  mapped(ResizeImage(short_side=64), seen).value(0))  # fmt: skip


def test_twice_is_once_and_a_changed_row_is_changed_again() -> None:
    rows = rows_of_files(saved(photo(300, 200), "PNG"), JPEG)
    once = mapped(ResizeImage(short_side=90), rows)
    again = rows.with_columns(image=once)
    assert mapped(ResizeImage(short_side=90), again).value(0) is once.value(0)
    smaller = mapped(ResizeImage(short_side=30), again)
    np.testing.assert_array_equal(smaller.value(0), area_mean(once.value(0), 45, 30))


def test_damage_is_left_for_whoever_runs_the_steps() -> None:
    rows = rows_of_files(PNG, b"nothing", JPEG[: len(JPEG) * 4 // 5] + b"\xff\xd9", forgiving=True)
    column = mapped(ResizeImage(short_side=20), rows)
    assert column.changed.tolist() == [True, False, False]
    assert {row: damage.reason for row, damage in rows.columns["image"].damages.items()} == {  # type: ignore[union-attr]
        1: "image.unknown_format",
        2: "image.decode",
    }


def test_fields() -> None:
    jpegs = {**FIELDS, "image": Field(kind="image", format="jpeg")}
    assert ResizeImage().outputs(jpegs) == FIELDS and ResizeImage().short_side == 512
    with pytest.raises(RecipeError, match=r"maps.resize_image needs a field of image; there is none"):
        ResizeImage().outputs({"text": Field(kind="text")})
    with pytest.raises(SslpipeError, match="must be opened"):
        ResizeImage().map(rows_of_files(PNG), DRAW)
