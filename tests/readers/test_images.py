"""One file, one row, its bytes untouched; what is no picture has its reason."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from sslpipe.codecs.encoded import pictures
from sslpipe.codecs.image_header import MAX_PIXELS
from sslpipe.core.errors import FieldError
from sslpipe.readers.images import Images
from tests.badinputs.images import GIF, JPEG, PICTURE, PNG, WEBP, Bad, images
from tests.readers.support import everything, write
from tests.support_images import chunk, exif, png_of, saved, with_segment

DAMAGED_PIXELS = ("half.jpg", "half_progressive.jpg", "zeros.jpg", "short.png", "filter.png", "noise.png", "index.png",
                  "hollow.png", "hollow.gif", "colours.gif", "noise.webp")  # fmt: skip
"""What only decoding shows."""


@pytest.mark.parametrize("case", images(), ids=lambda case: case.name)
def test_bad_inputs_have_their_reasons(case: Bad, tmp_path: Path) -> None:
    write(tmp_path, [("a.png", PNG), ("z.jpg", JPEG), (f"m/{case.name}", case.data)])
    rows, bad = everything(Images(paths=(str(tmp_path),), max_pixels=MAX_PIXELS), 1 << 30)
    is_row = case.reason is None or case.name in DAMAGED_PIXELS
    assert [record.reason for record in bad] == ([] if is_row else [case.reason])
    assert len(rows) == 2 + is_row
    assert all(Path(record.file).name == case.name and record.place.startswith("byte ") for record in bad)
    assert all(record.raw == (case.data if len(case.data) <= 1 << 16 else b"") for record in bad)
    assert (b"0", case.data) in [row[1:] for row in rows] or not is_row


def test_damaged_pixels_are_told_when_they_are_decoded() -> None:
    assert all(case.reason for case in images() if case.name in DAMAGED_PIXELS)
    assert {case.name for case in images()} > set(DAMAGED_PIXELS)


def test_what_is_claimed(tmp_path: Path) -> None:
    names = ["a.jpg", "b.JPG", "c.jpeg", "d.Jpe", "e.png", "f.PNG", "g.webp", "h.gif"]
    write(tmp_path, [(name, JPEG) for name in names])
    write(tmp_path, [(name, b"x") for name in ("a.mp4", "a.txt", "README", "b.png.gz", "c.heic", ".hidden.png", "d.MP4")])
    reader = Images(paths=(str(tmp_path),))
    rows, bad = everything(reader)
    assert sorted(Path(os.fsdecode(row[0])).name for row in rows) == sorted(names) and not bad
    assert reader.unclaimed() == {".heic": 1, ".mp4": 2, ".png.gz": 1, ".txt": 1, "hidden": 1, "no suffix": 1}


def test_content_decides_what_a_file_is(tmp_path: Path) -> None:
    write(tmp_path, [("a.jpg", PNG), ("b.png", GIF), ("c.gif", WEBP), ("d.data", JPEG)])
    rows, bad = everything(Images(paths=(str(tmp_path), str(tmp_path / "d.data"))))
    assert [row[2] for row in rows] == [PNG, GIF, WEBP, JPEG] and not bad


def test_limits(tmp_path: Path) -> None:
    files = {
        "large": saved(np.zeros((100, 101, 3), np.uint8), "PNG"),
        "fits": saved(np.zeros((100, 100, 3), np.uint8), "PNG"),
        "small": saved(np.zeros((9, 20, 3), np.uint8), "PNG"),
        "least": saved(np.zeros((20, 10, 3), np.uint8), "PNG"),
        "narrow": saved(np.zeros((100, 39, 3), np.uint8), "PNG"),
        "wide": saved(np.zeros((40, 100, 3), np.uint8), "PNG"),
    }
    write(tmp_path, [(f"{name}.png", data) for name, data in files.items()])
    rows, bad = everything(Images(paths=(str(tmp_path),), max_pixels=10_000, min_side=10, max_aspect=2.5))
    assert {Path(os.fsdecode(row[0])).stem for row in rows} == {"fits", "least", "wide"}
    assert {Path(record.file).stem: (record.reason, record.detail) for record in bad} == {
        "large": ("image.too_large", "101 x 100 pixels, more than `max_pixels`, which is 10,000"),
        "narrow": ("image.dimension", "39 x 100 pixels, narrower than `max_aspect`, which is 2.5"),
        "small": ("image.dimension", "20 x 9 pixels, a side below `min_side`, which is 10"),
    }


def test_defaults_refuse_lines_and_posters(tmp_path: Path) -> None:
    line = saved(np.zeros((1, 101, 3), np.uint8), "PNG")
    write(tmp_path, [("line.png", line), ("pixel.png", saved(np.zeros((1, 1, 3), np.uint8), "PNG"))])
    write(tmp_path, [("poster.png", png_of(10_001, 10_000, 8, 2, b"x"))])
    rows, bad = everything(Images(paths=(str(tmp_path),)))
    assert len(rows) == 1 and [record.reason for record in bad] == ["image.dimension", "image.too_large"]
    with pytest.raises(FieldError, match="wanted a whole number from 1 to 178956970"):
        Images(max_pixels=MAX_PIXELS + 1)


def test_too_large_is_found_without_reading(tmp_path: Path) -> None:
    write(tmp_path, [("a.png", PNG[:33] + chunk(b"prIv", bytes(40 << 20)) + PNG[33:]), ("b.png", PNG)])
    tracemalloc.start()
    rows, bad = everything(Images(paths=(str(tmp_path),), max_record_bytes=1 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(record.reason, record.raw) for record in bad] == [("record_too_large", b"")]
    assert len(rows) == 1 and peak < 8 << 20


def test_a_file_that_grows_is_changed(tmp_path: Path) -> None:
    write(tmp_path, [("a.png", PNG), ("b.png", PNG)])
    reader = Images(paths=(str(tmp_path),))
    (part,) = reader.parts(1 << 20)
    (tmp_path / "a.png").write_bytes(PNG + b"more")
    (tmp_path / "b.png").unlink()
    bad: list[str] = []
    assert list(reader.read(part, lambda record: bad.append(record.reason))) == []
    assert bad == ["io.changed", "io.vanished"]


def test_kept_paths_and_decoded_rows(tmp_path: Path) -> None:
    turned = with_segment(JPEG, 0xE1, exif(6))
    write(tmp_path, [("a/x.jpg", turned), ("b/x.png", PNG)])
    reader = Images(paths=(str(tmp_path),), keep=("path",))
    assert {name: field.kind for name, field in reader.outputs({}).items()} == {"image": "image", "meta": "meta"}
    (part,) = reader.parts(1 << 20)
    (batch,) = reader.read(part, pytest.fail)
    metas = [json.loads(meta) for meta in batch.ragged("meta").to_bytes()]
    assert metas == [{"path": str(tmp_path / "a/x.jpg")}, {"path": str(tmp_path / "b/x.png")}]
    column = pictures(batch, "image")
    assert [value.shape for value in column.values()] == [(60, 40, 3), (40, 60, 3)]
    np.testing.assert_array_equal(column.value(1), PICTURE)
    assert column.weights().tolist() == [7200, 7200]


def test_one_path_stands_for_a_list_of_it() -> None:
    assert Images(paths="a").paths == Images(paths=Path("a")).paths == Images(paths=["a"]).paths == ("a",)  # type: ignore[arg-type]
    assert Images(paths=(Path("a"), "b")).paths == ("a", "b")  # type: ignore[arg-type]
    for wrong in (7, [7], None):
        with pytest.raises(FieldError, match="`paths`"):
            Images(paths=wrong)  # type: ignore[arg-type]
