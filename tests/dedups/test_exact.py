"""Digests: equal bytes, pixels or samples, equal digests; nothing else enters."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field, Kind
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column
from sslpipe.core.steps import Context
from sslpipe.dedups.exact import Exact
from tests.badinputs.images import GIF, JPEG, PNG
from tests.support_images import exif, jpeg, noise, png, saved, with_segment
from tests.support_text import rows_of


def signed(column: Column, kind: Kind = "text") -> list[int]:
    high, low = Exact().open(Context(fields={"x": Field(kind=kind)})).sign(rows_of(x=column))
    assert high.dtype == low.dtype == np.uint64 and len(high) == len(low) == len(column)
    return [(int(a) << 64) | int(b) for a, b in zip(high, low, strict=True)]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=9), max_size=6), st.randoms())
def test_a_digest_is_that_of_the_rows_bytes(rows: list[bytes], random: object) -> None:
    digests = signed(Ragged.from_bytes(rows))
    assert digests == [xxhash.xxh3_128_intdigest(row) for row in rows]
    assert len(set(digests)) == len(set(rows))
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    assert signed(Ragged.from_bytes([rows[place] for place in order])) == [digests[place] for place in order]


def test_a_digest_that_starts_at_the_batch_is_caught() -> None:
    rows = [b"same", b"other", b"same"]
    mutant = [xxhash.xxh3_128_intdigest(b"".join(rows[: place + 1])) for place in range(3)]
    assert mutant[0] != mutant[2] and signed(Ragged.from_bytes(rows))[0] == signed(Ragged.from_bytes(rows))[2]


def test_ids_arrays_and_views() -> None:
    ids = Ragged.from_lengths(np.array([1, 2, 1, 2, 3], np.uint16), np.array([2, 2, 1, 0]))
    digests = signed(ids)
    assert digests[0] == digests[1] == xxhash.xxh3_128_intdigest(np.array([1, 2], "<u2").tobytes())
    assert signed(ids.view(1, 3)) == digests[1:3]
    array = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    assert signed(array) == [xxhash.xxh3_128_intdigest(row.tobytes()) for row in array]
    assert signed(array[:, ::-1]) == [xxhash.xxh3_128_intdigest(row.tobytes()) for row in array[:, ::-1]]
    assert signed(Ragged.from_bytes([])) == [] and signed(np.zeros((0, 3))) == []
    assert signed(np.zeros((2, 0))) == [xxhash.xxh3_128_intdigest(b"")] * 2


def test_pictures_are_the_same_by_their_pixels() -> None:
    pixels = noise(8, 9)
    same = [saved(pixels, "PNG"), png(pixels, 8, 2, interlace=1), saved(pixels, "WEBP", lossless=True)]
    turned = [with_segment(JPEG, 0xE1, exif(1)), JPEG, with_segment(JPEG, 0xFE, b"a comment")]
    other = [with_segment(JPEG, 0xE1, exif(3)), saved(pixels.reshape(9, 8, 3), "PNG"), GIF, PNG, jpeg(pixels)]
    digests = signed(Ragged.from_bytes(same + turned + other), "image")
    assert len(set(digests[:3])) == len(set(digests[3:6])) == 1
    assert len(set(digests)) == 2 + len(other)
    assert len(set(signed(Ragged.from_bytes(same), "text"))) == 3


def test_a_digest_of_pixels_without_their_shape_is_caught() -> None:
    """The mutant: two pictures of one colour, as many pixels, another shape."""
    tall, wide = np.full((2, 8, 3), 9, np.uint8), np.full((8, 2, 3), 9, np.uint8)
    assert xxhash.xxh3_128_digest(tall.data) == xxhash.xxh3_128_digest(wide.data)
    assert len(set(signed(Ragged.from_bytes([saved(tall, "PNG"), saved(wide, "PNG")]), "image"))) == 2


def sound(samples: np.ndarray, rate: int, kind: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind, subtype="PCM_16")
    return out.getvalue()


def test_sounds_are_the_same_by_rate_and_samples() -> None:
    samples = np.random.default_rng(0).integers(-9999, 9999, (500, 2)).astype(np.int16)
    same = [sound(samples, 16_000, "WAV"), sound(samples, 16_000, "FLAC"), sound(samples, 16_000, "AIFF")]
    other = [sound(samples, 16_001, "WAV"), sound(samples[::-1], 16_000, "WAV"), sound(samples.reshape(-1), 16_000, "WAV")]
    digests = signed(Ragged.from_bytes(same + other), "audio")
    assert len(set(digests[:3])) == 1 and len(set(digests)) == 4


def test_the_only_field_that_is_not_meta_is_compared() -> None:
    fields = {"image": Field(kind="image"), "meta": Field(kind="meta")}
    assert Exact().open(Context(fields=fields)).field == "image"
    assert Exact().outputs(fields) is fields
    assert Exact(field="meta").open(Context(fields=fields)).field == "meta"


def test_errors_say_what_there_is() -> None:
    two = {"image": Field(kind="image"), "text": Field(kind="text")}
    with pytest.raises(
        RecipeError, match=r"there are several; say which with `field:` \(fields here: image: image, text: text\)"
    ):
        Exact().outputs(two)
    with pytest.raises(RecipeError, match=r"dedups.exact needs a field to compare; there is none"):
        Exact().outputs({"meta": Field(kind="meta")})
    with pytest.raises(RecipeError, match=r"dedups.exact: there is no field `body`"):
        Exact(field="body").outputs(two)
    with pytest.raises(SslpipeError, match=r"must be opened before it signs"):
        Exact(field="text").sign(rows_of(text=Ragged.from_texts(["a"])))
