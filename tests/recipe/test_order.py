"""What a stream would refuse when training begins, `plan` and `build` refuse before anything runs, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_support import written

from sslpipe.api import build
from sslpipe.core.errors import RecipeError
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.tokenize import Tokenize
from sslpipe.readers.text import Text
from sslpipe.recipe.load import load_located
from sslpipe.recipe.plan import Plan
from sslpipe.recipe.recipe import Recipe
from tests.stream.toys import Cutter, Flip

TEXT = "name: x\nsource: {readers.text: {paths: data}}\nbuild: [fits.byte_level_bpe]\n"
IDS = "name: x\nsource: {readers.text: {paths: data}}\nbuild: [fits.byte_level_bpe, maps.tokenize]\n"
AUDIO = "name: x\nsource: {readers.audio: {paths: data}}\nbuild: [{maps.resample_audio: {rate: 16000}}, maps.encode_flac]\n"
PICTURES = "name: x\nsource: {readers.images: {paths: data}}\nbuild: [maps.encode_png]\n"

REFUSED = {
    "a map that changes lengths": (
        AUDIO,
        "[{maps.resample_audio: {rate: 16000}}, tasks.masked_frames]",
        "4:11: maps.resample_audio changes lengths, and tasks.masked_frames must know them before the first batch;"
        " put maps.resample_audio into `build:`",
    ),
    "a map before a pack": (
        TEXT,
        "[maps.tokenize, packs.concatenate, tasks.next_token]",
        "4:10: maps.tokenize stands before packs.concatenate, which reads what is stored; put the map into `build:`",
    ),
    "a filter behind a map": (
        PICTURES,
        "[{maps.resize_image: {short_side: 64}}, filters.image_quality, tasks.two_views]",
        "4:49: filters.image_quality stands behind maps; a stream takes filters, then maps, then one pack, then one task",
    ),
    "a map behind a task": (
        IDS,
        "[tasks.masked_tokens, maps.normalize_text]",
        "4:31: maps.normalize_text stands behind a task; a stream takes",
    ),
}


@pytest.mark.parametrize(("head", "stream", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_anything_runs(tmp_path: Path, head: str, stream: str, told: str) -> None:
    (tmp_path / "data").mkdir()
    file = written(tmp_path, f"stream: {stream}\n", head)
    located = load_located(file)
    with pytest.raises(RecipeError) as caught:
        Plan.of(located.recipe, locate=located.locate)
    assert str(caught.value).startswith(f"{file}:{told}")
    with pytest.raises(RecipeError) as built:
        build(file, tmp_path / "out", engine="inline")
    assert str(built.value) == str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("head", "stream"),
    [
        (IDS, "[packs.concatenate, tasks.next_token]"),
        (AUDIO, "[{maps.resample_audio: {rate: 4000}}]"),
        (AUDIO, "[tasks.masked_frames]"),
        (PICTURES, "[{maps.resize_image: {short_side: 64}}, tasks.two_views]"),
    ],
)
def test_what_can_run_passes(tmp_path: Path, head: str, stream: str) -> None:
    located = load_located(written(tmp_path, f"stream: {stream}\n", head))
    assert Plan.of(located.recipe, locate=located.locate).stream_fields


def test_rows_too_short_for_the_task() -> None:
    recipe = Recipe(
        name="x",
        sources={"main": Text(paths=("data",))},
        build=(ByteLevelBpe(), Tokenize()),
        stream=(Cutter(length=4), Flip(least=5)),
    )
    with pytest.raises(
        RecipeError, match=r"^tasks.flip needs rows of 5 elements, packs.cutter makes rows of 4; choose a longer"
    ):
        Plan.of(recipe)
    assert Plan.of(recipe.model_copy(update={"stream": (Cutter(length=5), Flip(least=5))}))
