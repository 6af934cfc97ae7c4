"""Pictures, sound and cuts in the segments of a build: decoded once, quarantined late, counted piece by piece."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import simplejpeg
import soundfile
from PIL import Image

from sslpipe.building import fused
from sslpipe.building.driver import Builder
from sslpipe.building.explain import explain
from sslpipe.codecs.image import ImageCodec
from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import Step
from sslpipe.cuts.channels import Channels
from sslpipe.dedups.exact import Exact
from sslpipe.engines.inline import Inline
from sslpipe.filters.audio_levels import AudioLevels
from sslpipe.filters.image_quality import ImageQuality
from sslpipe.maps.encode_flac import EncodeFlac
from sslpipe.maps.encode_jpeg import EncodeJpeg
from sslpipe.maps.resample_audio import ResampleAudio
from sslpipe.maps.resize_image import ResizeImage
from sslpipe.readers.audio import Audio
from sslpipe.readers.images import Images
from sslpipe.recipe.recipe import Limits, Recipe, Shards
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.dataset import Dataset
from tests.laws.conftest import shard_hashes

LOOSE = Limits(max_bad=1, max_duplicate=1)
LEVELS = AudioLevels(min_s=0.1, max_silence=0.9)


def built(reader: object, steps: tuple[Step, ...], out: Path, **fields: object) -> Manifest:
    recipe = Recipe(name="x", sources={"main": reader}, build=steps, limits=LOOSE, **fields)  # type: ignore[dict-item, arg-type]
    return Builder(recipe, out, Inline()).run()


def lay_recordings(folder: Path) -> None:
    """Recordings of two channels, of which every fourth has a silent second one; two of one; one there twice."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(12):
        samples = rng.integers(-9000, 9000, (2400, 2 if number < 10 else 1), dtype=np.int16)
        samples -= samples.mean(0).astype(np.int16)
        if number < 10 and number % 4 == 0:
            samples[:, 1] = 0
        file = io.BytesIO()
        soundfile.write(file, samples, 8000, format="FLAC", subtype="PCM_16")
        (folder / f"{number:02d}.flac").write_bytes(file.getvalue())
    (folder / "again.flac").write_bytes((folder / "01.flac").read_bytes())


CUTS: dict[str, tuple[Step, ...]] = {
    "before the dedup": (Channels(), ResampleAudio(rate=8000), LEVELS, Exact(), EncodeFlac()),
    "behind the dedup": (Exact(), Channels(), ResampleAudio(rate=8000), LEVELS, EncodeFlac()),
}


@pytest.mark.parametrize("place", CUTS)
def test_a_row_that_is_cut_counts_as_its_pieces(place: str, tmp_path: Path) -> None:
    lay_recordings(tmp_path / "raw")
    manifest = built(Audio(paths=(str(tmp_path / "raw"),)), CUTS[place], tmp_path / "out")
    before = place.startswith("before")
    # 11 files of two channels and 2 of one; three second channels are silent. The copy is lost as two pieces, or as one row.
    assert manifest.by_source["main"] == {
        "read": 24 if before else 23, "filtered:audio.silent": 3, "duplicate": 2 if before else 1, "kept": 19,
    }  # fmt: skip
    dataset = Dataset(tmp_path / "out")
    assert len(set(dataset.keys)) == len(dataset) == 19
    assert all(row["audio"].shape == (1, 2400) for row in dataset)
    raw = {
        channel.tobytes()
        for file in sorted((tmp_path / "raw").glob("*.flac"))
        for channel in soundfile.read(file, dtype="int16", always_2d=True)[0].T
        if channel.any()
    }
    assert {np.round(row["audio"][0] * 32768).astype(np.int16).tobytes() for row in dataset} == raw
    stories = explain(LocalStorage(tmp_path / "out"), "00.flac")
    assert any("audio.silent" in line for story in stories for line in story), stories


def test_two_cuts_are_refused(tmp_path: Path) -> None:
    lay_recordings(tmp_path / "raw")
    steps = (Channels(), ResampleAudio(), Channels(), EncodeFlac())
    with pytest.raises(RecipeError, match="a recipe divides its rows once"):
        built(Audio(paths=(str(tmp_path / "raw"),)), steps, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def lay_pictures(folder: Path) -> None:
    """Twenty pictures, a quarter of them damaged inside: their headers are sound, what they promise isn't there."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(20):
        pixels = rng.integers(0, 256, (48 + number, 64, 3), dtype=np.uint8)
        if number % 4:
            (folder / f"{number:02d}.jpg").write_bytes(simplejpeg.encode_jpeg(pixels, 90, "RGB"))
            continue
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        data = bytearray(file.getvalue())
        data[len(data) // 2] ^= 0xFF
        (folder / f"{number:02d}.png").write_bytes(bytes(data))


BUILDS: dict[str, tuple[Step, ...]] = {
    "by a map": (ResizeImage(short_side=40), ImageQuality(min_side=8), EncodeJpeg()),
    "by a measure": (ImageQuality(min_side=8), ResizeImage(short_side=40), EncodeJpeg()),
    "by the dedup": (Exact(), EncodeJpeg()),
    "by nobody": (EncodeJpeg(),),
}


@pytest.mark.parametrize("found", BUILDS)
def test_damage_is_quarantined_wherever_it_shows(found: str, tmp_path: Path) -> None:
    lay_pictures(tmp_path / "raw")
    manifest = built(Images(paths=(str(tmp_path / "raw"),)), BUILDS[found], tmp_path / "out")
    assert manifest.by_source["main"] == {"read": 20, "quarantined:image.decode": 5, "kept": 15}
    rows = [row for path in (tmp_path / "out/.sslpipe/quarantine").iterdir() for row in pq.read_table(path).to_pylist()]
    assert sorted(Path(row["file"]).name for row in rows) == [f"{number:02d}.png" for number in range(0, 20, 4)]
    assert all(Path(row["file"]).read_bytes() == row["raw"] for row in rows)


def test_how_much_is_decoded_at_a_time_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_pictures(tmp_path / "raw")
    for name, limit in (("whole", 1 << 30), ("in parts", 20_000), ("one by one", 1)):
        monkeypatch.setattr(fused, "DECODED_BYTES", limit)
        built(Images(paths=(str(tmp_path / "raw"),)), BUILDS["by a map"], tmp_path / name, shards=Shards(count=2))
    assert shard_hashes(tmp_path / "whole") == shard_hashes(tmp_path / "in parts") == shard_hashes(tmp_path / "one by one")


def test_a_picture_is_decoded_once_for_all_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By measure, map, dedup and encoding together, where none of them asks for less than the whole."""
    (tmp_path / "raw").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    (tmp_path / "raw/a.png").write_bytes(ImageCodec().encode(pixels))
    decoded = []
    decode = ImageCodec.decode
    monkeypatch.setattr(ImageCodec, "decode", lambda self, *given: decoded.append(1) or decode(self, *given))
    built(Images(paths=(str(tmp_path / "raw"),)), (ImageQuality(min_side=8), ResizeImage(), EncodeJpeg()), tmp_path / "out")
    assert len(decoded) == 1


def test_pictures_without_one_format_are_refused_with_a_way_out(tmp_path: Path) -> None:
    lay_pictures(tmp_path / "raw")
    with pytest.raises(RecipeError, match=r"field `image` .* put maps.encode_jpeg"):
        built(Images(paths=(str(tmp_path / "raw"),)), (ResizeImage(),), tmp_path / "out")
    assert not (tmp_path / "out").exists()
