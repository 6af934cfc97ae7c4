"""Plain JPEGs stay; everything else becomes one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sslpipe.codecs.image import ImageCodec
from sslpipe.codecs.image_header import image_header, is_plain_jpeg
from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.maps.encode_jpeg import EncodeJpeg
from sslpipe.maps.resize_image import ResizeImage
from tests.badinputs.images import GIF, JPEG, PNG, PROGRESSIVE, WEBP
from tests.support_images import exif, jpeg, photo, saved, with_segment
from tests.support_maps import DRAW, FIELDS, mapped, rows_of_files

ROOT = Path(__file__).parents[2]


def test_plain_jpegs_keep_their_bytes_and_others_become_one() -> None:
    files = [JPEG, PROGRESSIVE, PNG, GIF, WEBP, with_segment(JPEG, 0xE1, exif(6)), JPEG + b"more"]
    column = mapped(EncodeJpeg(), rows_of_files(*files))
    stored = column.stored().to_bytes()
    assert stored[:2] == files[:2] and all(map(is_plain_jpeg, stored))
    assert [image_header(data).width for data in stored] == [60, 60, 60, 60, 60, 40, 60]
    for data, before in zip(stored, files, strict=True):
        assert np.abs(ImageCodec().decode(data)[0].astype(int) - ImageCodec().decode(before)[0]).mean() < 6


def test_what_a_map_changed_is_encoded_and_seen_as_stored() -> None:
    rows = rows_of_files(jpeg(photo(300, 400)), JPEG)
    resized = rows.with_columns(image=mapped(ResizeImage(short_side=50), rows))
    column = mapped(EncodeJpeg(), resized)
    data = column.data(0)
    assert data is not None and column.data(1) == JPEG and not column.changed.any()
    np.testing.assert_array_equal(column.value(0), ImageCodec().decode(data)[0])
    assert mapped(EncodeJpeg(), resized.with_columns(image=column)).stored().to_bytes() == column.stored().to_bytes()


def test_quality_and_subsampling() -> None:
    rows = rows_of_files(saved(photo(200, 200), "PNG"))
    wanted = {"4:4:4": b"\x11", "4:2:2": b"\x21", "4:2:0": b"\x22"}
    for subsampling, factors in wanted.items():
        data = mapped(EncodeJpeg(subsampling=subsampling), rows).data(0)  # type: ignore[arg-type]
        assert data is not None and bytes(data)[bytes(data).index(b"\xff\xc0") + 11 :][:1] == factors
    sizes = [len(mapped(EncodeJpeg(quality=quality), rows).data(0) or b"") for quality in (50, 90, 95)]
    assert sizes == sorted(sizes) and len(set(sizes)) == 3


def test_bytes_are_the_same_without_simd() -> None:
    files = [saved(photo(123, 77), "PNG"), saved(photo(40, 64, 3), "PNG")]
    code = (
        "import hashlib\nfrom tests.support_maps import mapped, rows_of_files\n"
        "from sslpipe.maps.encode_jpeg import EncodeJpeg\n"
        f"rows = rows_of_files(*{files!r})\n"
        "for sampling in ('4:4:4', '4:2:2', '4:2:0'):\n column = mapped(EncodeJpeg(subsampling=sampling), rows)\n"
        " print(hashlib.sha256(b''.join(column.stored().to_bytes())).hexdigest())"
    )
    outcomes = [
        subprocess.run([sys.executable, "-"], input=code, env={**os.environ, **more}, cwd=ROOT, capture_output=True, text=True,
                       check=True).stdout
        for more in ({}, {"JSIMD_FORCENONE": "1"})
    ]  # fmt: skip
    assert outcomes[0] == outcomes[1] and len(set(outcomes[0].split())) == 3


def test_fields() -> None:
    assert EncodeJpeg().outputs(FIELDS) == {**FIELDS, "image": Field(kind="image", format="jpeg")}
    with pytest.raises(RecipeError, match=r"maps.encode_jpeg needs a field of image; there is none"):
        EncodeJpeg().outputs({"text": Field(kind="text")})
    with pytest.raises(SslpipeError, match="must be opened"):
        EncodeJpeg().map(rows_of_files(PNG), DRAW)
