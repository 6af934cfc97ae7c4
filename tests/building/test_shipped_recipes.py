"""Every shipped recipe runs as it is: a small corpus with one of everything in, a sound dataset and a batch out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from sslpipe.recipe.load import load_recipe, shipped_names
from tests.building.corpora import run, sound
from tests.support_images import jpeg, photo, saved

GOOD = 12
"""Rows of each corpus that are kept."""


def sentences(number: int, words: int) -> str:
    """English enough for the rules of Gopher, and another text for each number."""
    rng = np.random.default_rng(number)
    some = (
        "the river runs to",
        "and that bird of the valley",
        "have seen with them",
        "mountain paths",
        "be quiet",
        "evening light",
    )
    text = " ".join(some[place] for place in rng.integers(0, len(some), words).tolist())
    return ". ".join([f"Story {number}", *(text[at : at + 90].strip() for at in range(0, len(text), 90))]) + "."


def lay_text(folder: Path) -> None:
    """Documents in files."""
    for number in range(GOOD):
        (folder / f"{number}.txt").write_text(sentences(number, 300))
    (folder / "again.md").write_text(sentences(3, 300) + "\r\n")
    (folder / "short.txt").write_text("Too short to learn from.")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 8)
    (folder / "film.mp4").write_bytes(b"moving pictures")


def lay_demo(folder: Path) -> None:
    """Docstrings as lines of JSON."""
    lines = [{"text": sentences(number, 60), "path": f"{number}.py"} for number in range(GOOD)]
    lines += [{"text": sentences(3, 60), "path": "again.py"}, {"text": "Short.", "path": "short.py"}]
    (folder / "docstrings.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + "{broken\n")


def lay_images(folder: Path) -> None:
    """Pictures, one of them large; the first is a PNG that is called otherwise, and lies there once more in another format."""
    for number in range(GOOD):
        height, width = (640, 720) if number == 3 else (230, 260)
        (folder / f"{number}.jpg").write_bytes(jpeg(photo(height, width, number)))
    png = saved(photo(240, 240, 99), "PNG")
    (folder / "0.jpg").write_bytes(png)
    (folder / "again.webp").write_bytes(saved(photo(240, 240, 99), "WEBP", lossless=True))
    (folder / "icon.png").write_bytes(saved(photo(64, 64), "PNG"))
    (folder / "cut.jpg").write_bytes(jpeg(photo(300, 300))[:2000])


def lay_captioned_images(folder: Path) -> None:
    """The same with a caption beside each; one caption has no picture."""
    lay_images(folder)
    for picture in list(folder.iterdir()):
        picture.with_suffix(".txt").write_text(f"a picture called {picture.stem}")
    (folder / "lonely.txt").write_text("nothing to see")


def lay_audio(folder: Path) -> None:
    """Recordings of another rate and of two channels, one of them twice in other formats."""
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, 0.1, (int(22_050 * (2.5 + number / 4)), 2)) for number in range(GOOD)]
    for number, clip in enumerate(clips):
        soundfile.write(folder / f"{number}.wav", clip, 22_050, subtype="PCM_16")
    samples, rate = soundfile.read(folder / "3.wav", dtype="int16")
    soundfile.write(folder / "again.flac", samples, rate, subtype="PCM_16")
    soundfile.write(folder / "short.wav", clips[0][:8000], 22_050, subtype="PCM_16")
    soundfile.write(folder / "silent.wav", np.zeros(70_000), 22_050, subtype="PCM_16")
    (folder / "cut.wav").write_bytes((folder / "1.wav").read_bytes()[:9000])


@dataclass(frozen=True)
class Case:
    """What a recipe makes of its corpus."""

    lay: Callable[[Path], None]
    lost: dict[str, int]
    batch: dict[str, tuple[int, ...]]


TOKENS = dict.fromkeys(("input_ids", "labels", "position_ids", "document_ids"), (2, 1024))
PICTURES = {"duplicate": 1, "filtered:image.too_small": 1, "quarantined:image.truncated": 1}
CASES = {
    "text": Case(lay_text, {"duplicate": 1, "filtered:gopher.too_few_words": 1, "quarantined:text.binary": 1}, TOKENS),
    "demo": Case(
        lay_demo, {"duplicate": 1, "filtered:gopher.too_few_words": 1, "quarantined:json.syntax": 1},
        dict.fromkeys(TOKENS, (2, 128)),
    ),
    "images": Case(lay_images, PICTURES, {"views": (2, 2, 3, 224, 224)}),
    "captioned_images": Case(
        lay_captioned_images, {**PICTURES, "quarantined:pair.missing_image": 1}, {"views": (2, 1, 3, 224, 224)}
    ),
    "audio": Case(
        lay_audio,
        {"duplicate": 1, "filtered:audio.too_short": 1, "filtered:audio.silent": 1, "quarantined:audio.truncated": 1},
        {"input_values": (2, 160_000), "attention_mask": (2, 160_000), "mask_time_indices": (2, 499),
         "sampled_negative_indices": (2, 499, 100)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_recipe_runs_as_it_is(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    (tmp_path / "in").mkdir()
    case.lay(tmp_path / "in")
    manifest = run(load_recipe(name, input=tmp_path / "in"), tmp_path / "out")
    read = GOOD + sum(case.lost.values())
    assert manifest.by_source == {"main": {"read": read, "kept": GOOD, **case.lost}}
    dataset = sound(tmp_path / "out", manifest)
    batch = next(iter(dataset.stream(batch_size=2)))
    found = {key: tuple(value.shape) for key, value in batch.items() if isinstance(value, torch.Tensor)}
    assert {key: found[key] for key in case.batch} == case.batch
