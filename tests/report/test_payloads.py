"""What is shown of a row: little, whatever it is."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslpipe.codecs.audio import AudioCodec, Sound
from sslpipe.core.damage import Damage
from sslpipe.report import payloads
from sslpipe.report.payloads import Note, Picture, Text, Wave, envelope, payload, picture, wave
from sslpipe.report.quarantine import first_bytes
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage
from tests.building.corpora import lay, limits, recipe, run
from tests.support_audio import noise
from tests.support_images import exif, jpeg, photo, saved, with_segment


def shard_of(folder: Path, *texts: str) -> tuple[Shard, Manifest]:
    lay(folder / "in", {"a": [{"text": text, "url": text[:3]} for text in texts]})
    manifest = run(recipe(folder / "in", limits=limits(max_bad=1)), folder / "out")
    return Shard(LocalStorage(folder / "out"), manifest.shards[0], manifest.fields), manifest


def test_texts_are_cut_at_whole_letters(tmp_path: Path) -> None:
    shard, manifest = shard_of(tmp_path, "🙂" * 5000)
    shown = payload(shard, "text", manifest.fields["text"], 0, None)
    assert shown == Text("🙂" * payloads.CHARACTERS, "20,000 bytes", cut=True)
    shard, manifest = shard_of(tmp_path / "short", "a \ufffd b")
    assert payload(shard, "text", manifest.fields["text"], 0, None) == Text("a \ufffd b", "7 bytes", cut=False)
    meta = payload(shard, "meta", manifest.fields["meta"], 0, None)
    assert isinstance(meta, Text) and meta.text == '{"url":"a \ufffd"}'


def test_no_more_of_a_large_row_is_copied_than_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard, manifest = shard_of(tmp_path, "x" * 1_000_000)
    monkeypatch.setattr(Shard, "row", None)  # It copies all of a row.
    shown = payload(shard, "text", manifest.fields["text"], 0, None)
    assert isinstance(shown, Text) and len(shown.text) == payloads.CHARACTERS


def test_pictures_are_small_and_upright() -> None:
    pixels = photo(900, 600)
    shown = picture(with_segment(jpeg(pixels), 0xE1, exif(6)))
    assert isinstance(shown, Picture) and shown.size == (192, 128)
    assert shown.said.startswith("900 × 600, ")
    with Image.open(io.BytesIO(shown.jpeg)) as small:
        assert small.format == "JPEG" and small.size == (192, 128)
        shown_pixels = np.asarray(small, np.int64)

        def off(turns: int) -> float:
            turned = Image.fromarray(np.rot90(pixels, turns)).resize((192, 128), Image.Resampling.BOX)
            return float(np.abs(shown_pixels - np.asarray(turned, np.int64)).mean())

        assert off(-1) < 15 < 40 < off(1)
    tiny = picture(saved(photo(3, 5), "PNG"))
    assert isinstance(tiny, Picture) and tiny.size == (5, 3)


def test_what_is_too_large_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "DECODED_BYTES", 1000)
    assert picture(jpeg(photo(40, 30))) == Note(f"30 × 40, {len(jpeg(photo(40, 30))):,} bytes: too large for a look")
    assert wave(AudioCodec().encode(Sound(noise(4000), 8000))) == Note("0.50 s, 8,000 Hz: too long for a look")


def test_damage_is_said() -> None:
    with pytest.raises(Damage):
        picture(jpeg(photo(40, 30))[:-40])
    with pytest.raises(Damage):
        wave(b"no sound")


def test_waves_have_the_extremes_of_each_stretch() -> None:
    samples = noise(1000, 2)
    shown = wave(AudioCodec().encode(Sound(samples, 8000)))
    assert isinstance(shown, Wave) and shown.said == "0.12 s, 8,000 Hz, 2 channels"
    low, high = envelope(samples[0], payloads.COLUMNS)
    assert np.array_equal(shown.low, low) and np.array_equal(shown.high, high) and len(low) == payloads.COLUMNS
    edges = [*np.linspace(0, 1000, payloads.COLUMNS, endpoint=False).astype(int).tolist(), 1000]
    assert low.tolist() == [samples[0, a:b].min() for a, b in itertools.pairwise(edges)]
    few, _ = envelope(np.array([0.5, np.nan, 3.0], np.float32), 100)
    assert few.tolist() == [0.5, 0.0, 1.0]


def test_first_bytes() -> None:
    assert first_bytes(b'{"text": 5}') == '{"text": 5}'
    assert first_bytes("schön\n".encode() * 40).startswith("schön\nschön") and first_bytes(b"a" * 97).endswith("a…")
    assert first_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF") == "ff d8 ff e0 00 10 4a 46 49 46"
    assert first_bytes(b"") == ""
