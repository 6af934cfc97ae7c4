"""Two views: the shares and ranges of SimCLR, one decoding, and the bugs that others had."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import xxhash

from sslpipe.codecs.encoded import pictures
from sslpipe.codecs.image import ImageCodec
from sslpipe.core.damage import Damage
from sslpipe.core.draw import Draw
from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context
from sslpipe.kernels.draw_crop import crop_law
from sslpipe.kernels.two_views import PARAMETERS, UNITS, draw_views, make_views, view_law, views_room
from sslpipe.tasks.two_views import TwoViews
from sslpipe.testing import check_task
from tests.support_draws import happens, uniform
from tests.support_images import jpeg, noise, photo, saved
from tests.support_torchvision import from_lines

FIELDS: Fields = {"image": Field(kind="image"), "meta": Field(kind="meta")}
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
AT = {name: place for place, name in enumerate(PARAMETERS)}


def named(count: int) -> Names:
    high, low = np.random.default_rng(count).integers(0, 2**63, (2, count)).astype(np.uint64)
    return Names.from_keys(high, low)


def rows_of(stored: list[bytes]) -> Rows:
    meta = Ragged.from_texts(["{}"] * len(stored))
    return Rows(named(len(stored)), {"image": Ragged.from_bytes(stored), "meta": meta})


def some_rows(count: int) -> Rows:
    rng = np.random.default_rng(0)
    sizes = rng.integers(10, 70, (count, 2)).tolist()
    return rows_of([(jpeg if seed % 2 else saved)(photo(*size, seed % 5), *([] if seed % 2 else ["PNG"]))
                    for seed, size in enumerate(sizes)])  # fmt: skip


def label(rows: Rows, *, seed: int = 0, epoch: int = 0, fields: Fields = FIELDS, **changes: Any) -> Rows:
    step = TwoViews(**changes)
    return step.open(Context(fields)).label(rows, Draw(seed, step.path(), step.salt, epochs=epoch))


def test_views_are_those_of_the_kernels() -> None:
    """Each view by the key of its own draw, from the picture decoded whole."""
    rows = some_rows(6)
    made = label(rows, size=24, output="uint8", view_params=True, views=3, seed=5, epoch=2)
    draw = Draw(5, "tasks.two_views", epochs=2)
    crop, law = crop_law((0.08, 1.0), (3 / 4, 4 / 3)), view_law((0.5, 0.8, 0.2, 0.5), (0.8, 0.8, 0.8, 0.2), (0.1, 2.0))
    assert set(made.columns) == {"meta", "views", "view_params"}
    for row, pixels in enumerate(pictures(rows, "image").values()):
        keys = np.array([draw.for_view(view).keys(6)[row] for view in range(3)])
        drawn, lines = np.empty((3, 12), np.int64), np.empty((3, 3 * 24 * 24), np.uint8)
        draw_views(rows.names.words()[row], keys, *pixels.shape[:2], crop, law, drawn)
        make_views(pixels, drawn, False, 24, 1, np.empty(views_room(*pixels.shape[:2], 24), np.uint8), lines)
        wanted = np.stack([from_lines(view).transpose(2, 0, 1) for view in lines])
        assert (made.array("views")[row] == wanted).all()
        assert (made.array("view_params")[row] == (drawn / UNITS).astype(np.float32)).all()


def test_floats_are_the_bytes_normalised_last() -> None:
    rows = some_rows(8)
    as_bytes, floats = (label(rows, size=20, output=output).array("views") for output in ("uint8", "float32"))
    wanted = (as_bytes / 255 - MEAN[:, None, None]) / STD[:, None, None]
    assert floats.dtype == np.float32 and np.abs(floats - wanted).max() < 1e-6
    plain = label(rows, size=20, mean=(0, 0, 0), std=(1, 1, 1)).array("views")
    assert np.abs(plain - as_bytes / 255).max() < 1e-6


@lru_cache(maxsize=1)
def many() -> tuple[np.ndarray, np.ndarray]:
    made = label(rows_of([jpeg(photo(40, 44))] * 2000), size=8, output="uint8", view_params=True)
    return made.array("views"), made.array("view_params").astype(np.float64)


def test_shares_and_ranges_are_those_of_simclr() -> None:
    """TensorFlow's SimCLR drew one sigma for a whole batch; here each view has its own."""
    views, drawn = many()
    happens(drawn[..., AT["flip"]], 0.5)
    happens(drawn[..., AT["gray"]], 0.2)
    jittered = drawn[..., AT["brightness"]] != 1
    happens(jittered, 0.8)
    blurred = drawn[..., AT["sigma"]] > 0
    happens(blurred, 0.5)
    uniform(drawn[..., AT["sigma"]][blurred], 0.0999, 2.0001)
    uniform(drawn[..., AT["hue"]][jittered], -0.2001, 0.2001)
    for name in ("brightness", "contrast", "saturation"):
        uniform(drawn[..., AT[name]][jittered], 0.1999, 1.8001)
    grey = (views == views[:, :, :1]).all(axis=(2, 3, 4))
    assert grey[drawn[..., AT["gray"]] == 1].all()
    assert not grey[drawn[..., AT["gray"]] == 0].all()


def test_equal_pictures_have_other_views_and_all_views_differ() -> None:
    views, _ = many()
    assert len({view.tobytes() for view in views.reshape(-1, 3, 8, 8)}) > 3900, "a few crops are the same by chance"


def test_moco_and_cifar_are_fields() -> None:
    rows = rows_of([jpeg(photo(40, 44))] * 300)
    moco = TwoViews(scale=(0.2, 1), brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, size=8, view_params=True)
    drawn = moco.open(Context(FIELDS)).label(rows, Draw(0, moco.path())).array("view_params").astype(np.float64)
    assert 0.6 <= drawn[..., AT["brightness"]].min() < 0.65 and 1.35 < drawn[..., AT["saturation"]].max() <= 1.4 + 1e-6
    assert np.abs(drawn[..., AT["hue"]]).max() <= 0.1 + 1e-6
    areas = drawn[..., AT["height"]] * drawn[..., AT["width"]] / (40 * 44)
    assert areas.min() > 0.18
    assert not label(rows, size=32, blur=0, view_params=True).array("view_params")[..., AT["sigma"]].any()


def test_the_kernel_of_the_blur_is_a_tenth_made_odd() -> None:
    assert [TwoViews(size=size).radius * 2 + 1 for size in (224, 96, 32, 8, 100)] == [23, 9, 3, 1, 11]
    assert TwoViews(size=96, blur_kernel=23).radius == 11
    rows = rows_of([saved(noise(64, 64), "PNG")])
    sharp, soft = (label(rows, size=32, blur=1, sigma=(2, 2), blur_kernel=kernel).array("views") for kernel in (1, 23))
    assert np.abs(np.diff(sharp, axis=-1)).mean() > 2 * np.abs(np.diff(soft, axis=-1)).mean()


def test_nothing_switched_on_is_a_crop() -> None:
    off = {"flip": 0, "jitter": 0, "gray": 0, "blur": 0, "scale": (1, 1), "ratio": (1, 1)}
    pixels = noise(16, 16)
    (views,) = label(rows_of([saved(pixels, "PNG")]), size=16, output="uint8", **off).array("views")
    assert (views == pixels.transpose(2, 0, 1)).all()
    (mirrored,) = label(rows_of([saved(pixels, "PNG")]), size=16, output="uint8", **{**off, "flip": 1}).array("views")
    assert (mirrored == pixels[:, ::-1].transpose(2, 0, 1)).all()


def test_filters_differ() -> None:
    rows = rows_of([saved(noise(80, 80), "PNG")])
    made = [label(rows, size=16, interpolation=name, output="uint8").array("views") for name in ("bilinear", "bicubic")]
    assert (made[0] != made[1]).mean() > 0.5


def test_golden_views() -> None:
    """Changes to draws or pixels change every training run: raise the step's version with them."""
    names = Names.from_keys(np.array([0x0123456789ABCDEF], np.uint64), np.array([0xFEDCBA9876543210], np.uint64))
    rows = Rows(names, {"image": Ragged.from_bytes([saved(noise(60, 80), "PNG")])})
    made = label(rows, seed=1, epoch=2, size=64, view_params=True, fields={"image": FIELDS["image"]})
    assert TwoViews.version == 1
    assert xxhash.xxh3_64_hexdigest(made.array("views").tobytes()) == "07c935f45b2dab36"
    assert xxhash.xxh3_64_hexdigest(made.array("view_params").tobytes()) == "42418e0955ff62c3"


def test_pictures_of_any_kind_and_size() -> None:
    grey = saved(noise(30, 20)[..., 0], "PNG")
    for stored in (grey, saved(noise(1, 1), "PNG"), saved(noise(1, 300), "PNG"), saved(noise(300, 2), "PNG")):
        views = label(rows_of([stored]), size=16).array("views")
        assert views.shape == (1, 2, 3, 16, 16) and np.isfinite(views).all()


def test_a_broken_picture_is_noted_where_the_column_forgives() -> None:
    good, bad = saved(noise(20, 20), "PNG"), b"\xff\xd8\xff no picture"
    with pytest.raises(Damage):
        label(rows_of([good, bad]), size=16)
    rows = rows_of([good, bad])
    column: Encoded[Any] = Encoded.of(rows.ragged("image"), ImageCodec(), forgiving=True)
    made = label(rows.with_columns(image=column), size=16)
    assert list(column.damages) == [1]
    assert (made.array("views")[0] == label(rows_of([good, good]), size=16).array("views")[0]).all()


def test_decoded_rows_are_not_decoded_again() -> None:
    pixels = noise(20, 20)
    column = pictures(rows_of([saved(pixels, "PNG")]), "image").with_values({0: pixels})
    rows = rows_of([b""])
    assert (
        label(rows.with_columns(image=column), size=16).array("views")
        == label(rows_of([saved(pixels, "PNG")]), size=16).array("views")
    ).all()
    strided = column.with_values({0: np.asfortranarray(pixels)})
    assert (label(rows.with_columns(image=strided), size=16).array("views")
            == label(rows.with_columns(image=column), size=16).array("views")).all()  # fmt: skip


def test_no_rows() -> None:
    made = label(some_rows(2).take(np.array([], np.intp)), size=16)
    assert made.array("views").shape == (0, 2, 3, 16, 16)


@pytest.mark.parametrize("output", ["float32", "uint8"])
def test_the_twenty_assertions(output: str) -> None:
    check_task(TwoViews(size=16, view_params=True, output=output), FIELDS, some_rows(120))


def test_one_draw_for_both_views_is_caught() -> None:
    class OneDraw(TwoViews):
        def open(self, context: Context) -> Any:
            opened = super().open(context)

            class Both:
                def label(self, rows: Rows, draw: Draw) -> Rows:
                    made = opened.label(rows, draw)
                    return made.with_columns(views=np.repeat(made.array("views")[:, :1], 2, axis=1))

            return Both()

    with pytest.raises(AssertionError, match="assertion 15:"):
        check_task(OneDraw(size=16), FIELDS, some_rows(40))


def test_what_does_not_fit_is_refused() -> None:
    step = TwoViews()
    with pytest.raises(RecipeError, match="needs a field of image; there is none"):
        step.outputs({"text": Field(kind="text")})
    with pytest.raises(RecipeError, match="there is a field `views` already"):
        step.outputs({**FIELDS, "views": Field(kind="array")})
    with pytest.raises(RecipeError, match="there are several"):
        step.outputs({**FIELDS, "other": Field(kind="image")})
    assert list(TwoViews(field="other").outputs({**FIELDS, "other": Field(kind="image")})) == ["image", "meta", "views"]
    assert step.minimum() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 7}, {"views": 0}, {"scale": (0.5, 0.2)}, {"scale": (0, 1)}, {"scale": (0.1, 1.1)}, {"ratio": (2, 1)},
        {"ratio": (0.01, 1)}, {"flip": 1.1}, {"brightness": 1.5}, {"hue": 0.6}, {"sigma": (0.01, 1)}, {"sigma": (2, 1)},
        {"blur_kernel": 22}, {"blur_kernel": 449}, {"std": (0.1, 0, 0.1)}, {"mean": (float("nan"), 0, 0)},
        {"output": "float16"},
    ],
)  # fmt: skip
def test_fields_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    """OpenCV refuses even kernels only when the first view is made (bolts #227)."""
    with pytest.raises(FieldError):
        TwoViews(**changes)
