"""Rows with two fields go through every step as one: pictures with captions, and sound with transcripts."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import simplejpeg
import soundfile

from sslpipe.building.driver import Builder
from sslpipe.engines.inline import Inline
from sslpipe.recipe.load import load_recipe
from sslpipe.recipe.recipe import Recipe
from sslpipe.recipe.registry import resolve
from sslpipe.stream.dataset import Dataset

PAIRS = 60


def lay_pictures(folder: Path) -> None:
    """Pictures whose captions say their colour; every tenth is there twice with another caption, some lack a half."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(PAIRS):
        pixels = rng.integers(0, 256, (28, 32, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        data = simplejpeg.encode_jpeg(pixels, 90, "RGB")
        caption = f"picture {number:02d}\nand more that is no caption"
        (folder / f"p{number:02d}.jpg").write_bytes(data)
        (folder / f"p{number:02d}.txt").write_text(caption)
        if number % 10 == 0:
            (folder / f"again{number:02d}.jpg").write_bytes(data)
            (folder / f"again{number:02d}.txt").write_text(f"the same as {number:02d}")
    (folder / "alone.jpg").write_bytes(data)
    (folder / "lonely.txt").write_text("nothing to see")
    (folder / "blank.jpg").write_bytes(data)
    (folder / "blank.txt").write_text(" \n")


def test_a_caption_stays_with_its_picture(tmp_path: Path) -> None:
    lay_pictures(tmp_path / "pairs")
    recipe = load_recipe("captioned_images", input=tmp_path / "pairs", overrides=["limits.max_bad=0.5"])
    manifest = Builder(recipe, tmp_path / "out", Inline()).run()
    assert manifest.by_source["main"] == {
        "read": PAIRS + 9, "kept": PAIRS, "duplicate": 6, "filtered:empty": 1,
        "quarantined:pair.missing_text": 1, "quarantined:pair.missing_image": 1,
    }  # fmt: skip
    dataset = Dataset(tmp_path / "out")
    for row in dataset:
        assert set(row) == {"__key__", "image", "text"}
        number = int(row["text"][-2:])
        original = simplejpeg.decode_jpeg((tmp_path / "pairs" / f"p{number:02d}.jpg").read_bytes(), "RGB")
        assert np.array_equal(row["image"], original)
    batch = next(iter(dataset.stream(batch_size=8)))
    assert list(batch["views"].shape) == [8, 1, 3, 224, 224]
    assert all(caption.startswith(("picture", "the same")) and "\n" not in caption for caption in batch["text"])
    members = sorted(name for name in _members(tmp_path / "out") if name.endswith((".jpg", ".txt")))
    assert len(members) == 2 * PAIRS


def _members(out: Path) -> list[str]:
    names = []
    for shard in (out / "shards").glob("*.tar"):
        with tarfile.open(shard) as archive:
            names += archive.getnames()
    return names


def test_a_transcript_stays_with_its_recording(tmp_path: Path) -> None:
    """Words are the number of steps in the sound, so a pair that came apart would be seen."""
    folder = tmp_path / "spoken"
    folder.mkdir()
    for number in range(20):
        samples = np.repeat(np.arange(number + 2, dtype=np.int16) * 300, 1600)
        file = io.BytesIO()
        soundfile.write(file, samples, 8000, format="WAV", subtype="PCM_16")
        (folder / f"{number}.wav").write_bytes(file.getvalue())
        (folder / f"{number}.txt").write_text(" ".join(["step"] * (number + 2)))
    stems = resolve("readers.stems")(paths=(str(folder),), fields={"audio": (".wav",), "text": (".txt",)})
    steps = (
        resolve("maps.normalize_text")(),
        resolve("filters.audio_levels")(min_s=0.3, max_silence=1, max_dc=1, max_clipped=1),
        resolve("dedups.exact")(field="text"),
        resolve("maps.encode_flac")(),
    )
    recipe = Recipe(name="spoken", sources={"main": stems}, build=steps)  # type: ignore[dict-item, arg-type]
    manifest = Builder(recipe, tmp_path / "out", Inline()).run()
    assert manifest.totals["kept"] == 20
    assert manifest.fields["audio"].format == "flac"
    for row in Dataset(tmp_path / "out"):
        assert len(np.unique(row["audio"])) == len(row["text"].split()) == row["audio"].shape[1] // 1600
