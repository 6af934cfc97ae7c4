"""Crops are resized byte for byte as by Pillow, pass by pass, and nearly as by torchvision."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sslpipe.kernels.resize import crop_resize, resize_room
from tests.support_images import noise
from tests.support_torchvision import Pixels, apart, by_torchvision, from_lines, functional, modes, photographs

FILTERS = {False: Image.Resampling.BILINEAR, True: Image.Resampling.BICUBIC}
SIDE = st.one_of(st.integers(1, 12), st.integers(1, 200))


def resized(picture: Pixels, box: tuple[int, int, int, int], size: int, *, flip: bool = False, bicubic: bool = False) -> Pixels:
    """The kernel on working memory full of rubbish, with a guard behind it."""
    room = np.full(resize_room(*picture.shape[:2], size) + 8, 0xA5, np.uint8)
    lines = np.full(3 * size * size + 8, 7, np.uint8)
    crop_resize(picture, *box, flip, bicubic, size, room[:-8], lines[:-8])
    assert (room[-8:] == 0xA5).all() and (lines[-8:] == 7).all()
    return from_lines(lines[:-8])


def by_pillow(
    picture: Pixels, box: tuple[int, int, int, int], size: int, *, flip: bool = False, bicubic: bool = False
) -> Pixels:
    """Rows, then columns: in one call Pillow takes columns first where that is less work, which rounds otherwise."""
    top, left, height, width = box
    piece = Image.fromarray(picture[top : top + height, left : left + width])
    made = np.asarray(piece.resize((size, height), FILTERS[bicubic]).resize((size, size), FILTERS[bicubic]))
    return made[:, ::-1] if flip else made


@st.composite
def crops(draw: st.DrawFn) -> tuple[Pixels, tuple[int, int, int, int], int]:
    height, width = draw(SIDE), draw(SIDE)
    rows, columns = draw(st.integers(1, height)), draw(st.integers(1, width))
    box = draw(st.integers(0, height - rows)), draw(st.integers(0, width - columns)), rows, columns
    return noise(height, width, draw(st.integers(0, 9))), box, draw(st.integers(1, 70))


@given(crops(), st.booleans(), st.booleans())
def test_the_bytes_are_pillows(crop: tuple[Pixels, tuple[int, int, int, int], int], flip: bool, bicubic: bool) -> None:
    picture, box, size = crop
    options = {"flip": flip, "bicubic": bicubic}
    np.testing.assert_array_equal(resized(*crop, **options), by_pillow(picture, box, size, **options))


@pytest.mark.parametrize("bicubic", [False, True])
@pytest.mark.parametrize("box", [(0, 0, 427, 640), (100, 90, 300, 280), (400, 600, 27, 40), (13, 7, 224, 224)])
def test_photographs_too(box: tuple[int, int, int, int], bicubic: bool) -> None:
    for picture in photographs():
        made = resized(picture, box, 224, bicubic=bicubic)
        np.testing.assert_array_equal(made, by_pillow(picture, box, 224, bicubic=bicubic))
        theirs = by_torchvision(
            functional.resized_crop, picture, *box, [224, 224], interpolation=modes.BICUBIC if bicubic else modes.BILINEAR
        )
        largest, mean = apart(made, theirs)
        assert largest <= 2 and mean < 0.05, "torchvision's weights are shorter: 16 bits with the sign"


def test_a_resize_without_antialiasing_is_caught() -> None:
    """The mutant: what OpenCV does by default, and what torchvision did to tensors before 0.17."""
    picture = photographs()[0]
    other = np.asarray(cv2.resize(picture, (96, 96), interpolation=cv2.INTER_LINEAR), np.uint8)
    assert apart(resized(picture, (0, 0, 427, 640), 96), other)[1] > 2


def test_both_passes_in_the_other_order_are_not_the_same() -> None:
    """Why the oracle goes pass by pass: rounding between them shows."""
    picture = noise(150, 6)
    piece = Image.fromarray(picture)
    other = np.asarray(piece.resize((6, 19), FILTERS[True]).resize((19, 19), FILTERS[True]))
    assert (resized(picture, (0, 0, 150, 6), 19, bicubic=True) != other).any()


@given(st.integers(0, 255), crops(), st.booleans())
def test_a_flat_picture_stays_flat(value: int, crop: tuple[Pixels, tuple[int, int, int, int], int], bicubic: bool) -> None:
    picture, box, size = crop
    assert (resized(np.full_like(picture, value), box, size, bicubic=bicubic) == value).all()


def test_a_picture_of_its_own_size_is_copied() -> None:
    picture = noise(50, 50)
    assert (resized(picture, (0, 0, 50, 50), 50) == picture).all()
    assert (resized(picture, (0, 0, 50, 50), 50, flip=True) == picture[:, ::-1]).all()


@given(crops(), st.booleans())
def test_nothing_beside_the_crop_is_seen(crop: tuple[Pixels, tuple[int, int, int, int], int], bicubic: bool) -> None:
    picture, (top, left, height, width), size = crop
    other = noise(*picture.shape[:2], seed=77)
    piece = (slice(top, top + height), slice(left, left + width))
    other[piece] = picture[piece]
    box = (top, left, height, width)
    assert (resized(picture, box, size, bicubic=bicubic) == resized(other, box, size, bicubic=bicubic)).all()
