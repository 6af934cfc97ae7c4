"""What a plan refuses in recipes for pictures and sound, at its place, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslpipe.core.errors import RecipeError
from sslpipe.recipe import plan
from sslpipe.recipe.load import load_located
from sslpipe.recipe.plan import Plan

PICTURES = "name: x\nsource: {readers.images: {paths: .}}\n"
SOUND = "name: x\nsource: {readers.audio: {paths: .}}\n"
EITHER = "as many formats as it was read in; put maps.encode_jpeg (small), or maps.encode_png (exact),"
ALIKE = "build:\n  - maps.encode_jpeg\nstream:\n"
SAMPLED = "build: [maps.encode_flac, measures.audio_levels]\nstream:\n  - maps.resample_audio\n  - tasks.masked_frames\n"

REFUSED = {
    "no way to store pictures": (
        PICTURES, "",
        f"r.yaml:2:10: field `image` would be stored in {EITHER} at the end of `build:`\n    {PICTURES.splitlines()[1]}\n"
        "             ^",
    ),
    "no way to store smaller pictures": (
        PICTURES, "build:\n  - maps.resize_image\n  - dedups.exact\n",
        f"r.yaml:4:5: field `image` would be stored in {EITHER} behind maps.resize_image\n      - maps.resize_image\n        ^",
    ),
    "no way to store sound": (
        SOUND, "build:\n  - maps.resample_audio\n",
        "r.yaml:4:5: field `audio` would be stored in as many formats as it was read in; put maps.encode_flac behind"
        " maps.resample_audio\n      - maps.resample_audio\n        ^",
    ),
    "other lengths before a task": (
        SOUND, SAMPLED,
        "r.yaml:5:5: maps.resample_audio changes lengths, and tasks.masked_frames must know them before the first batch; put"
        " maps.resample_audio into `build:`\n      - maps.resample_audio\n        ^",
    ),
    "another order": (
        PICTURES, f"{ALIKE}  - maps.resize_image\n  - filters.image_quality\n",
        "r.yaml:7:5: filters.image_quality stands behind maps; a stream takes filters, then maps, then one pack, then one task,"
        " each of them optional\n      - filters.image_quality\n        ^",
    ),
    "nothing measured": (
        PICTURES, f"{ALIKE}  - filters.image_quality\n",
        "r.yaml:6:5: filters.image_quality in `stream:` judges by measures.image_quality; of that, `build:` computes nothing."
        " Put `measures.image_quality` into `build:`\n      - filters.image_quality\n        ^",
    ),
    "a task for tokens": (
        PICTURES, f"{ALIKE}  - tasks.next_token\n",
        "r.yaml:6:5: tasks.next_token needs a field of ids; there is none; put maps.tokenize before it (fields here: image:"
        " image)\n      - tasks.next_token\n        ^",
    ),
}  # fmt: skip


def refusal(folder: Path, text: str) -> str:
    """What a plan says of a recipe; empty where it has nothing against it."""
    file = folder / "r.yaml"
    file.write_text(text)
    located = load_located(file)
    try:
        Plan.of(located.recipe, locate=located.locate)
    except RecipeError as error:
        return str(error).replace(f"{folder}/", "")
    return ""


@pytest.mark.parametrize(("head", "rest", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(head: str, rest: str, message: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, head + rest) == message


def test_what_is_allowed(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"{PICTURES}build: [maps.encode_png]\nstream: [maps.resize_image, tasks.two_views]\n") == ""
    measured = "build: [measures.image_quality, maps.encode_jpeg]\nstream: [filters.image_quality, tasks.masked_patches]\n"
    assert refusal(tmp_path, PICTURES + measured) == ""
    sound = "build: [maps.resample_audio, maps.encode_flac]\nstream: [tasks.masked_frames]\n"
    assert refusal(tmp_path, SOUND + sound) == ""


def test_a_plan_that_leaves_it_to_the_stream_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "unstreamable", lambda steps: None)
    assert refusal(tmp_path, SOUND + SAMPLED) == ""


def test_text_is_measured_before_it_is_gone(tmp_path: Path) -> None:
    text = "name: x\nsource: {readers.text: {paths: .}}\nbuild: [fits.byte_level_bpe, maps.tokenize]\nstream:\n"
    message = refusal(tmp_path, f"{text}  - filters.gopher_quality\n")
    assert "Put `measures.text_statistics` into `build:`, before maps.tokenize\n" in message
