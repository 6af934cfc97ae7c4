"""A picture has one value, whatever it was stored as."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from sslpipe.codecs.encoded import codec_of
from sslpipe.codecs.image import ImageCodec, upright
from sslpipe.codecs.image_header import is_plain_png
from sslpipe.core.damage import Damage
from tests.badinputs.images import GIF, JPEG, PICTURE, PROGRESSIVE, animated
from tests.support_images import (
    CHANNELS,
    Pixels,
    by_pillow,
    chunk,
    composed,
    exif,
    jpeg,
    noise,
    photo,
    png,
    saved,
    webp_chunks,
    with_segment,
)

ROOT = Path(__file__).parents[2]
KINDS = [(colour, depth) for colour, depths in
         {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items() for depth in depths]  # fmt: skip


def decoded(data: bytes, at_least: int | None = None) -> Pixels:
    pixels, _ = ImageCodec().decode(data, at_least)
    assert pixels.dtype == np.uint8 and pixels.flags.c_contiguous and pixels.flags.writeable
    return pixels


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 9))
def test_what_is_encoded_comes_back(height: int, width: int, seed: int) -> None:
    codec = codec_of("image")
    for pixels in (noise(height, width, seed), photo(height, width, seed), np.full((height, width, 3), seed, np.uint8)):
        data = codec.encode(pixels)
        np.testing.assert_array_equal(decoded(data), pixels)
        np.testing.assert_array_equal(by_pillow(data), pixels)
        assert is_plain_png(data) and data == codec.encode(pixels.copy(order="F"))


@given(
    st.sampled_from(KINDS), st.integers(1, 19), st.integers(1, 19), st.sampled_from([0, 1]), st.integers(0, 9),
    st.lists(st.integers(0, 4), min_size=1, max_size=5),
)  # fmt: skip
def test_every_kind_of_png(
    kind: tuple[int, int], height: int, width: int, interlace: int, seed: int, filters: list[int]
) -> None:
    colour, depth = kind
    largest = 2**depth - 1
    random = np.random.default_rng(seed)
    samples = random.integers(0, largest + 1, (height, width, CHANNELS[colour])).astype(np.uint16)
    palette = random.integers(0, 256, (2**depth if colour == 3 else 1, 3), np.uint8)
    extra = chunk(b"PLTE", palette.tobytes()) if colour == 3 else b""
    data = png(samples, depth, colour, interlace=interlace, filters=tuple(filters), extra=extra)
    wanted = palette[samples[..., 0]] if colour == 3 else composed(samples, largest)
    np.testing.assert_array_equal(decoded(data), wanted)


@given(st.sampled_from([(0, 1), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16)]), st.integers(0, 99))
def test_one_transparent_colour(kind: tuple[int, int], seed: int) -> None:
    colour, depth = kind
    samples = np.random.default_rng(seed).integers(0, 2, (6, 7, CHANNELS[colour])).astype(np.uint16)
    clear = samples[3, 3]
    data = png(samples, depth, colour, extra=chunk(b"tRNS", clear.astype(">u2").tobytes()))
    wanted = composed(samples, 2**depth - 1)
    wanted[(samples == clear).all(axis=2)] = 255
    np.testing.assert_array_equal(decoded(data), wanted)


def test_a_palette_with_alpha_lies_over_white() -> None:
    palette = np.array([[0, 0, 0], [200, 100, 50], [9, 9, 9]], np.uint8)
    extra = chunk(b"PLTE", palette.tobytes()) + chunk(b"tRNS", bytes([0, 128]))
    data = png(np.array([[[0], [1], [2]]]), 8, 3, extra=extra)
    assert decoded(data)[0].tolist() == [[255, 255, 255], [227, 177, 152], [9, 9, 9]]


def test_sixteen_bits_are_rounded_not_cut() -> None:
    samples = np.array([[[0, 128, 129], [65535, 65407, 65406], [257, 385, 386]]], np.uint16)
    assert decoded(png(samples, 16, 2))[0].tolist() == [[0, 0, 1], [255, 255, 254], [1, 1, 2]]
    cut = (samples >> 8).astype(np.uint8)
    assert cut.tolist() != decoded(png(samples, 16, 2)).tolist()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(orientation: int) -> None:
    tagged = with_segment(JPEG, 0xE1, exif(orientation))
    with Image.open(io.BytesIO(tagged)) as picture:
        wanted = np.asarray(ImageOps.exif_transpose(picture))
    once = decoded(tagged)
    np.testing.assert_array_equal(once, wanted)
    np.testing.assert_array_equal(once, upright(decoded(JPEG), orientation))
    np.testing.assert_array_equal(decoded(ImageCodec().encode(once)), once)
    if orientation > 1:
        assert not np.array_equal(once, upright(once, orientation))


@pytest.mark.parametrize("colours", ["CMYK", "YCCK"])
def test_inks_are_inverted_and_multiplied(colours: str) -> None:
    inks = np.zeros((16, 48, 4), np.uint8)
    inks[:, 16:32] = (255, 255, 0, 0)
    inks[:, 32:] = (0, 128, 255, 64)
    data = saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=100, subsampling=0)
    if colours == "YCCK":
        # Luma, both chromas neutral, and black, all 255 being no ink: a grey wedge.
        stored = np.full((16, 48, 4), 128, np.uint8)
        stored[..., 0], stored[..., 3] = 200, 255
        data = saved(Image.fromarray(255 - stored, "CMYK"), "JPEG", quality=100, subsampling=0)
        at = data.index(b"Adobe")
        data = data[: at + 11] + b"\2" + data[at + 12 :]
        assert np.abs(decoded(data).astype(int) - 55).max() <= 2
    else:
        wanted = [(255, 255, 255), (0, 0, 255), (191, 95, 0)]
        for band, colour in enumerate(wanted):
            assert np.abs(decoded(data)[8, 16 * band + 8].astype(int) - colour).max() <= 2
    assert np.abs(decoded(data).astype(int) - by_pillow(data)).max() <= 1


def test_grey_and_unusual_sampling() -> None:
    grey = saved(Image.fromarray(PICTURE).convert("L"), "JPEG")
    np.testing.assert_array_equal(decoded(grey), by_pillow(grey))
    for sampling in ("444", "422", "420", "440", "411"):
        data = jpeg(PICTURE, colorsubsampling=sampling)
        np.testing.assert_array_equal(decoded(data), by_pillow(data))


def test_a_sampling_that_the_first_decoder_refuses() -> None:
    flat = jpeg(np.full((16, 32, 3), 128, np.uint8))
    odd = bytearray(flat[: flat.index(b"\xff\xda") + 14])
    odd[flat.index(b"\xff\xc0") + 14] = 0x21  # of the first chroma there are two blocks where there is one of luma
    bits = ("001010" + "0000" * 2 + "0000") * 4  # every block as the standard tables say `as before, and nothing else`
    data = bytes(odd) + int(bits + "1" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big") + b"\xff\xd9"
    with pytest.raises(ValueError, match="subsampling"):
        simplejpeg.decode_jpeg(data)
    assert (decoded(data) == 128).all() and decoded(data).shape == (16, 32, 3)
    assert ImageCodec().decode(data, at_least=2)[1]


def test_bytes_between_segments_harm_nothing() -> None:
    for data in (JPEG, PROGRESSIVE):
        for at in (data.index(b"\xff\xdb"), data.index(b"\xff\xda"), len(data) - 2):
            astray = data[:at] + b"eight by" + data[at:]
            with pytest.raises(ValueError, match="extraneous bytes before marker"):
                simplejpeg.decode_jpeg(astray)
            np.testing.assert_array_equal(decoded(astray), decoded(data))
    at = PROGRESSIVE.rindex(b"\xff\xda")
    with pytest.raises(Damage, match=r"image\.decode .* extraneous bytes before marker 0xda"):
        decoded(PROGRESSIVE[:at] + b"data of pixels" + PROGRESSIVE[at:])


@pytest.mark.parametrize(
    "data", [jpeg(photo(400, 600), colorsubsampling="420"), saved(photo(600, 400), "JPEG", progressive=True)]
)
def test_at_least_decodes_a_smaller_picture(data: bytes) -> None:
    full = decoded(data)
    for at_least, scale in ((1, 8), (50, 8), (51, 4), (100, 4), (101, 2), (200, 2), (201, 1), (400, 1), (500, 1)):
        pixels, whole = ImageCodec().decode(data, at_least)
        assert pixels.shape[:2] == tuple(-(-side // scale) for side in full.shape[:2])
        assert whole == (scale == 1) and (min(pixels.shape[:2]) >= at_least or whole)
        by_boxes = full.reshape(full.shape[0] // scale, scale, full.shape[1] // scale, scale, 3).mean(axis=(1, 3))
        assert np.abs(by_boxes - pixels).mean() < 6
    for other in (saved(photo(80, 60), "PNG"), saved(photo(80, 60), "WEBP"), saved(photo(80, 60), "GIF")):
        pixels, whole = ImageCodec().decode(other, 4)
        assert whole and pixels.shape == (80, 60, 3)


def test_smaller_pictures_are_turned_too() -> None:
    data = jpeg(photo(400, 600))
    for orientation in (3, 6):
        small = decoded(with_segment(data, 0xE1, exif(orientation)), 100)
        np.testing.assert_array_equal(small, upright(decoded(data, 100), orientation))


def test_gifs() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (128, 3), np.uint8)
    codes = np.random.default_rng(1).integers(0, 128, (37, 41)).astype(np.uint8)
    picture = Image.fromarray(codes, "P")
    picture.putpalette(colours.tobytes())
    for interlace in (0, 1):
        np.testing.assert_array_equal(decoded(saved(picture, "GIF", interlace=interlace)), colours[codes])
    clear = saved(picture, "GIF", transparency=5)
    wanted = colours[codes]
    wanted[codes == 5] = 255
    np.testing.assert_array_equal(decoded(clear), wanted)
    # A frame smaller than its screen: white around it.
    at = GIF.index(b"\x2c", 781)
    small = GIF[:6] + (70).to_bytes(2, "little") + (50).to_bytes(2, "little") + GIF[10 : at + 1] + b"\5\0\3\0" + GIF[at + 5 :]
    out = decoded(small)
    assert out.shape == (50, 70, 3) and (out[:3] == 255).all() and (out[43:] == 255).all() and (out[:, 65:] == 255).all()
    np.testing.assert_array_equal(out[3:43, 5:65], decoded(GIF))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_several_frames_the_first_is_taken(kind: str) -> None:
    data = animated(kind)
    np.testing.assert_array_equal(decoded(data), by_pillow(data))
    assert np.abs(decoded(data).astype(int) - photo(20, 30, 0)).mean() < 25


def test_webp() -> None:
    np.testing.assert_array_equal(decoded(saved(PICTURE, "WEBP", lossless=True)), PICTURE)
    rgba = np.dstack([noise(9, 8), np.arange(72, dtype=np.uint8).reshape(9, 8) * 3])
    rgba[rgba[..., 3] == 0] = 0
    lossless = saved(Image.fromarray(rgba), "WEBP", lossless=True, exact=True)
    np.testing.assert_array_equal(decoded(lossless), composed(rgba, 255))
    lossy = saved(Image.fromarray(rgba), "WEBP", quality=50)
    with Image.open(io.BytesIO(lossy)) as picture:
        np.testing.assert_array_equal(decoded(lossy), composed(np.asarray(picture), 255))
    # A frame smaller than its canvas: white around it.
    frame = saved(PICTURE, "WEBP", lossless=True)[12:]
    body = bytes([1, 0, 0, 2, 0, 0]) + bytes([59, 0, 0, 39, 0, 0]) + bytes(4) + frame
    data = webp_chunks((b"VP8X", b"\2\0\0\0" + bytes([79, 0, 0, 59, 0, 0])), (b"ANIM", bytes(6)), (b"ANMF", body))
    out = decoded(data)
    assert out.shape == (60, 80, 3) and (out[:4] == 255).all() and (out[:, :2] == 255).all() and (out[44:] == 255).all()
    np.testing.assert_array_equal(out[4:44, 2:62], PICTURE)


def test_blank() -> None:
    assert ImageCodec().blank().tolist() == [[[0, 0, 0]]]


def test_pixels_are_the_same_without_simd() -> None:
    files = [JPEG, PROGRESSIVE, jpeg(photo(200, 300), colorsubsampling="420"), saved(photo(99, 77), "PNG")]
    digests = [hashlib.sha256(decoded(data, size).tobytes()).hexdigest() for data in files for size in (None, 25, 50)]
    code = (
        "import sys, hashlib\nfrom sslpipe.codecs.image import ImageCodec\n"
        f"for data in {files!r}:\n for size in (None, 25, 50):\n"
        "  print(hashlib.sha256(ImageCodec().decode(data, size)[0].tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-"], input=code, env={**os.environ, "JSIMD_FORCENONE": "1"}, cwd=ROOT,
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.split() == digests
