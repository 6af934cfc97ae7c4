"""Plain PNGs stay; everything else becomes one without loss."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.codecs.image import ImageCodec
from sslpipe.codecs.image_header import is_plain_png
from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.maps.encode_png import EncodePng
from sslpipe.maps.resize_image import ResizeImage
from tests.badinputs.images import GIF, JPEG, PNG, WEBP, animated
from tests.support_images import exif, noise, photo, png, saved, with_segment
from tests.support_maps import DRAW, FIELDS, mapped, rows_of_files


def test_plain_pngs_keep_their_bytes_and_others_become_one() -> None:
    files = [PNG, JPEG, GIF, WEBP, with_segment(JPEG, 0xE1, exif(6)), PNG + b"more", animated("PNG"),
             png(noise(5, 6)[..., :1], 8, 0)]  # fmt: skip
    column = mapped(EncodePng(), rows_of_files(*files))
    stored = column.stored().to_bytes()
    assert stored[0] == PNG and all(map(is_plain_png, stored))
    assert column.changed.tolist() == [False] + [True] * 7
    for data, before in zip(stored, files, strict=True):
        np.testing.assert_array_equal(ImageCodec().decode(data)[0], ImageCodec().decode(before)[0])


def test_what_a_map_changed_is_stored_as_it_is() -> None:
    rows = rows_of_files(saved(photo(90, 70), "PNG"))
    resized = mapped(ResizeImage(short_side=30), rows)
    column = mapped(EncodePng(), rows.with_columns(image=resized))
    assert column.value(0) is resized.value(0)
    np.testing.assert_array_equal(ImageCodec().decode(column.stored().to_bytes()[0])[0], resized.value(0))


def test_damage_is_left_for_whoever_runs_the_steps() -> None:
    rows = rows_of_files(PNG, JPEG[:300], forgiving=True)
    mapped(EncodePng(), rows)
    assert list(rows.columns["image"].damages) == [1]  # type: ignore[union-attr]


def test_fields() -> None:
    assert EncodePng().outputs(FIELDS) == {**FIELDS, "image": Field(kind="image", format="png")}
    with pytest.raises(RecipeError, match=r"maps.encode_png needs a field of image; there is none"):
        EncodePng().outputs({"text": Field(kind="text")})
    with pytest.raises(SslpipeError, match="must be opened"):
        EncodePng().map(rows_of_files(PNG), DRAW)
