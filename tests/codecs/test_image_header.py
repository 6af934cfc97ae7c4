"""What a file says of itself is read strictly, cheaply, and before anything is decoded."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sslpipe.codecs.image import ImageCodec
from sslpipe.codecs.image_header import MAX_PIXELS, image_header, is_plain_jpeg, is_plain_png
from sslpipe.core.damage import Damage
from tests.badinputs.images import GIF, GOOD, JPEG, PICTURE, PNG, PROGRESSIVE, WEBP, Bad, animated, images
from tests.support_images import chunk, exif, jpeg, png, saved, webp_chunks, with_segment

SMALL = [case for case in images() if len(case.data) < 20_000]


@pytest.mark.parametrize("case", images(), ids=lambda case: case.name)
def test_each_file_has_its_reason_in_bounded_memory(case: Bad) -> None:
    tracemalloc.start()
    try:
        if case.reason is None:
            pixels, whole = ImageCodec().decode(case.data)
            header = image_header(memoryview(case.data))
            assert whole and pixels.shape == (header.height, header.width, 3)
        else:
            with pytest.raises(Damage) as caught:
                ImageCodec().decode(case.data)
            assert caught.value.reason == case.reason
            assert 0 <= caught.value.offset <= len(case.data) and 0 < len(caught.value.detail) < 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    allowed = 13_000 * 13_000 if case.name == "hollow.gif" else 0  # zeros that no page of memory is behind
    assert peak - allowed < (50 << 20)


def test_a_header_that_is_believed_would_take_too_much() -> None:
    """The mutant: setting aside what `hollow.png` promises."""
    tracemalloc.start()
    np.empty((13_000, 13_000, 3), np.uint8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak > (50 << 20)


@settings(max_examples=400)
@given(st.sampled_from(SMALL), st.randoms(use_true_random=False), st.integers(1, 4), st.sampled_from(["flip", "cut", "swap"]))
def test_mutated_files_are_pictures_or_damage(case: Bad, chance: random.Random, times: int, how: str) -> None:
    data = bytearray(case.data or b"\0")
    for _ in range(times):
        place = chance.randrange(len(data))
        if how == "flip":
            data[place] ^= 1 << chance.randrange(8)
        elif how == "swap":
            data[place : place + 4] = chance.randbytes(4)
        elif place:
            del data[place:]
    codec = ImageCodec()
    weight = codec.weight(bytes(data))
    try:
        pixels, whole = codec.decode(bytes(data))
    except Damage as damage:
        assert damage.reason.startswith("image.")
    else:
        assert whole and pixels.nbytes == weight > 0
        assert pixels.dtype == np.uint8 and pixels.shape[2:] == (3,) and pixels.flags.c_contiguous


@pytest.mark.parametrize(("name", "data"), GOOD.items())
def test_every_shorter_file_is_truncated_or_unknown(name: str, data: bytes) -> None:
    for size in range(len(data)):
        with pytest.raises(Damage) as caught:
            image_header(data[:size])
        assert caught.value.reason == ("image.truncated" if size > 11 else caught.value.reason), name
        assert caught.value.reason in ("image.truncated", "image.unknown_format")


@pytest.mark.parametrize(("name", "data"), GOOD.items())
def test_sizes_are_those_of_the_pixels(name: str, data: bytes) -> None:
    header = image_header(data)
    assert (header.width, header.height) == (60, 40) and header.orientation == 1 and header.bits == 8
    assert header.format == {"jpg": "jpeg"}.get(name.rpartition(".")[2], name.rpartition(".")[2])
    assert ImageCodec().weight(data) == 60 * 40 * 3 == ImageCodec().weight(memoryview(data))


def test_upright_sizes() -> None:
    for orientation in range(1, 9):
        turned = with_segment(JPEG, 0xE1, exif(orientation))
        header = image_header(turned)
        assert (header.width, header.height) == ((60, 40) if orientation < 5 else (40, 60))
        assert ImageCodec().weight(turned) == 60 * 40 * 3
        assert (header.stored_width, header.stored_height, header.orientation) == (60, 40, orientation)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
def test_orientation_in_every_format(order: str, kind: int) -> None:
    tag = exif(6, order, kind)
    bare = tag.removeprefix(b"Exif\0\0")
    extended = webp_chunks(
        (b"VP8X", b"\x08" + bytes(3) + bytes([59, 0, 0, 39, 0, 0])), (WEBP[12:16], WEBP[20:]), (b"EXIF", bare)
    )
    files = [
        with_segment(JPEG, 0xE1, tag),
        PNG[:33] + chunk(b"eXIf", bare) + PNG[33:],
        PNG[:-12] + chunk(b"eXIf", bare) + PNG[-12:],
        extended,
        webp_chunks((WEBP[12:16], WEBP[20:]), (b"EXIF", tag)),
    ]
    assert [image_header(data).orientation for data in files] == [6] * 5


@pytest.mark.parametrize(
    "body",
    [b"Exif\0\0", exif(6)[:10], exif(0), exif(9), exif(65535), exif(6).replace(b"\x12\x01\x03\0", b"\x12\x01\x02\0"),
     b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0" + bytes(40), b"Exif\0\0JJ*\0\x08\0\0\0"],
)  # fmt: skip
def test_broken_exif_is_no_orientation(body: bytes) -> None:
    assert image_header(with_segment(JPEG, 0xE1, body)).orientation == 1


def test_the_first_exif_counts() -> None:
    assert image_header(with_segment(with_segment(JPEG, 0xE1, exif(3)), 0xE1, exif(6))).orientation == 6


def test_plain_jpegs() -> None:
    plain = [JPEG, PROGRESSIVE, jpeg(PICTURE, colorsubsampling="420"), with_segment(JPEG, 0xE1, exif(1)),
             with_segment(JPEG, 0xFE, b"hello")]  # fmt: skip
    other = [
        PNG,
        b"",
        JPEG[:-1],
        JPEG + b"\0",
        with_segment(JPEG, 0xE1, exif(6)),
        jpeg(PICTURE[..., :1], colorspace="GRAY", colorsubsampling="Gray"),
        saved(Image.fromarray(PICTURE).convert("CMYK"), "JPEG"),
        saved(PICTURE, "JPEG", keep_rgb=True),
    ]
    assert [is_plain_jpeg(data) for data in plain] == [True] * len(plain)
    assert [is_plain_jpeg(data) for data in other] == [False] * len(other)


def test_plain_pngs() -> None:
    plain = [PNG, png(PICTURE, 8, 2, filters=(0, 1, 2, 3, 4)), PNG[:33] + chunk(b"tEXt", b"a\0b") + PNG[33:]]
    other = [
        JPEG,
        GIF,
        PNG + b"x",
        animated("PNG"),
        png(PICTURE, 8, 2, interlace=1),
        png(PICTURE[..., :1], 8, 0),
        png(PICTURE.astype(np.uint16), 16, 2),
        png(PICTURE, 8, 2, extra=chunk(b"tRNS", bytes(6))),
        PNG[:33] + chunk(b"eXIf", exif(6, prefix=b"")) + PNG[33:],
    ]
    assert [is_plain_png(data) for data in plain] == [True] * len(plain)
    assert [is_plain_png(data) for data in other] == [False] * len(other)


def test_damage_names_what_it_saw_and_what_is_read() -> None:
    with pytest.raises(Damage, match=r"this is HEIC; JPEG, PNG, WebP and GIF are read"):
        image_header(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(Damage, match=r"this is an HTML page, no picture"):
        image_header(b"<!-- a --> <html>")
    with pytest.raises(Damage, match=r"this is an empty file, no picture"):
        image_header(b"")
    with pytest.raises(Damage, match=r"this is text, no picture"):
        image_header("Götterfunken".encode()[:11])
    with pytest.raises(Damage, match=r"this is something that begins with 01 02 03, no picture"):
        image_header(b"\1\2\3")
    with pytest.raises(Damage, match=r"65,535 x 65,535 pixels; at most 178,956,970 are decoded, 65,500 a side"):
        image_header(next(case.data for case in images() if case.name == "large.png"))
    assert MAX_PIXELS == 2 * Image.MAX_IMAGE_PIXELS  # type: ignore[operator]
