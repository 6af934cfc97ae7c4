"""Pictures of what trainers get: the same rows, of every task that fits."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslpipe.core.errors import DataError, RecipeError
from sslpipe.dedups.exact import Exact
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.tokenize import Tokenize
from sslpipe.measures.text_statistics import TextStatistics
from sslpipe.packs.concatenate import Concatenate
from sslpipe.recipe.recipe import Shards
from sslpipe.report import peek as module
from sslpipe.report.fitting import LENGTH, STORED, Fitting
from sslpipe.report.peek import peek
from sslpipe.stream.dataset import Dataset
from sslpipe.tasks.masked_frames import MaskedFrames
from sslpipe.tasks.masked_tokens import MaskedTokens
from sslpipe.tasks.next_token import NextToken
from tests.building.corpora import lay, limits, recipe, records, run
from tests.report.conftest import FRAMES, STREAMS

Datasets = Callable[[str], Path]
FITTING = {
    "text": ["masked_tokens", "next_token"],
    "images": ["masked_patches", "two_views"],
    "audio": ["masked_frames"],
}


@pytest.mark.parametrize("name", FITTING)
def test_each_task_that_fits_has_its_picture(name: str, datasets: Datasets, tmp_path: Path) -> None:
    peeked = peek(datasets(name), tmp_path / "pictures", rows=3)
    assert [path.name for path in peeked.paths] == [f"{task}.png" for task in FITTING[name]] and peeked.notes == ()
    for path in peeked.paths:
        with Image.open(path) as picture:
            assert picture.format == "PNG" and picture.width >= 700 and len(picture.getcolors(1 << 24) or ()) > 5
    again = peek(datasets(name), tmp_path / "again", rows=3)
    assert [path.read_bytes() for path in again.paths] == [path.read_bytes() for path in peeked.paths]
    other = peek(datasets(name), tmp_path / "other", rows=3, seed=5)
    assert all(a.read_bytes() != b.read_bytes() for a, b in zip(other.paths, peeked.paths, strict=True))


@pytest.mark.parametrize("name", FITTING)
def test_rows_are_those_of_a_trainer(name: str, datasets: Datasets) -> None:
    """Whatever the size of its batches."""
    dataset = Dataset(datasets(name))
    assert wrong_rows(dataset, name) == []


def wrong_rows(dataset: Dataset, name: str) -> list[str]:
    samples = module._samples(dataset, STREAMS[name], 5, None)
    (batch,) = itertools.islice(dataset.stream(*STREAMS[name], batch_size=5, with_keys=True, rank=0, world=1), 1)
    problems = [] if [sample.name for sample in samples] == batch["__key__"] else ["names"]
    for row, sample in enumerate(samples):
        problems += [
            column for column, values in sample.values.items() if not np.array_equal(values, batch[column].numpy()[row])
        ]
    return problems


def test_rows_of_another_seed_are_caught(datasets: Datasets, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Dataset.stream
    monkeypatch.setattr(
        Dataset, "stream", lambda self, *steps, seed=None, **more: stream(self, *steps, seed=seed or 99, **more)
    )
    dataset = Dataset(datasets("images"))
    samples = module._samples(dataset, STREAMS["images"], 2, None)
    monkeypatch.undo()
    (batch,) = itertools.islice(dataset.stream(*STREAMS["images"], batch_size=2, with_keys=True), 1)
    assert [sample.name for sample in samples] != batch["__key__"]


def fitting(out: Path) -> Fitting:
    manifest = Dataset(out).manifest
    return Fitting.of(manifest, {name: out / file.path for name, file in manifest.artefacts.items()})


def test_the_recipes_task_is_taken_as_it_stands_and_others_by_default(datasets: Datasets) -> None:
    found = fitting(datasets("text"))
    pack = Concatenate(length=64)
    assert found.steps == {"masked_tokens": (pack, MaskedTokens()), "next_token": (pack, NextToken())}
    assert "maps.resample_audio" not in str(found.unfit) and set(found.unfit) == {
        "masked_frames",
        "masked_patches",
        "two_views",
    }
    assert fitting(datasets("audio")).steps == {"masked_frames": (FRAMES,)}


def test_a_pack_is_put_before_tokens_where_there_is_none(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": records(200)})
    run(recipe(tmp_path / "in", ByteLevelBpe(vocab_size=300), Tokenize(), limits=limits()), tmp_path / "out")
    assert fitting(tmp_path / "out").steps["next_token"] == (Concatenate(length=LENGTH), NextToken())
    assert peek(tmp_path / "out", tmp_path / "p", task="next_token").paths == (tmp_path / "p/next_token.png",)


def test_filters_of_the_stream_stay(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": records(40)})
    judge = GopherQuality(min_words=14, min_stop_words=0, min_alphabetic_words=0)
    stream = (judge, Concatenate(length=32), MaskedTokens(probability=0.5))
    steps = (TextStatistics(), ByteLevelBpe(vocab_size=300), Tokenize())
    run(recipe(tmp_path / "in", *steps, stream=stream, limits=limits()), tmp_path / "out")
    found = fitting(tmp_path / "out").steps
    assert found["masked_tokens"] == stream and found["next_token"] == (*stream[:2], NextToken())


def test_rows_that_were_labelled_left_of_the_fence(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": records(40)})
    steps = (ByteLevelBpe(vocab_size=300), Tokenize(), Concatenate(length=32), MaskedTokens())
    run(recipe(tmp_path / "in", *steps, limits=limits(), shards=Shards(count=1)), tmp_path / "out")
    assert list(fitting(tmp_path / "out").steps) == [STORED]
    assert [path.name for path in peek(tmp_path / "out", tmp_path / "p").paths] == ["stored.png"]


def test_a_task_that_does_not_fit_names_those_that_do(datasets: Datasets, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        peek(datasets("text"), tmp_path, task="two_views")
    assert str(caught.value) == (
        "two_views does not fit this dataset: tasks.two_views needs a field of image; there is none (fields here: ids: ids,"
        " meta: meta); these fit: masked_tokens, next_token"
    )
    with pytest.raises(RecipeError, match=r"there is no task `masked_tokns`; these fit: .*; did you mean `masked_tokens`\?"):
        peek(datasets("text"), tmp_path, task="masked_tokns")
    with pytest.raises(RecipeError, match=r"there is no task `two_view`; these fit: masked_tokens, next_token$"):
        peek(datasets("text"), tmp_path, task="two_view")
    assert peek(datasets("text"), tmp_path, task="tasks.next_token", rows=1).paths == (tmp_path / "next_token.png",)


def test_nothing_fits(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": records(5)})
    run(recipe(tmp_path / "in", Exact(), limits=limits()), tmp_path / "out")
    with pytest.raises(RecipeError) as caught:
        peek(tmp_path / "out", tmp_path / "p")
    said = str(caught.value).splitlines()
    assert said[0] == f"no task fits {tmp_path}/out, a row of which holds meta: meta, text: text:"
    assert [line.partition(":")[0].strip() for line in said[1:]] == [
        "masked_frames", "masked_patches", "masked_tokens", "next_token", "two_views",
    ]  # fmt: skip
    assert "put maps.tokenize before it" in said[4]
    assert not (tmp_path / "p").exists()


def test_too_few_tokens_for_a_row_is_told(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": records(2)})
    stream = (Concatenate(length=5000), NextToken())
    run(recipe(tmp_path / "in", ByteLevelBpe(vocab_size=300), Tokenize(), stream=stream, limits=limits()), tmp_path / "out")
    with pytest.raises(
        RecipeError, match=r"(?s)nothing was drawn:\n  masked_tokens: split `train` has no rows for this stream"
    ):
        peek(tmp_path / "out", tmp_path / "p")


def test_no_rows_and_not_finished(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": records(3)})
    run(recipe(tmp_path / "in", GopherQuality(), limits=limits()), tmp_path / "out")
    with pytest.raises(DataError, match=r"has no rows to train on; `sslpipe report .*/out` shows what became of all"):
        peek(tmp_path / "out", tmp_path / "p")
    with pytest.raises(DataError, match=r"/none does not exist$"):
        peek(tmp_path / "none", tmp_path / "p")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"is not finished yet; `sslpipe status .*/none` says how far it is"):
        peek(tmp_path / "none", tmp_path / "p")


def with_stream(out: Path, target: Path, stream: object) -> Path:
    shutil.copytree(out, target)
    manifest = target / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "stream": stream}))
    return target


def test_a_stream_of_others_steps_is_told_and_not_run(datasets: Datasets, tmp_path: Path) -> None:
    other = with_stream(datasets("text"), tmp_path / "out", [{"tests.building.foreign.filters.poison": {}}])
    peeked = peek(other, tmp_path / "p", task="next_token", rows=1)
    assert peeked.notes[0].startswith(
        "the recipe's `stream:` half is not used: manifest.json, stream: `tests.building.foreign.filters.poison` is code of"
    )
    assert len(peeked.paths) == 1


def test_a_file_that_a_stream_names_is_not_opened(tmp_path: Path) -> None:
    """A dataset may come from anybody: what it names outside of itself may be a pipe that never ends."""
    lay(tmp_path / "in", {"a": records(5)})
    run(recipe(tmp_path / "in", Exact(), limits=limits()), tmp_path / "out")
    os.mkfifo(tmp_path / "pipe.json")
    other = with_stream(tmp_path / "out", tmp_path / "other", [{"maps.tokenize": {"tokenizer": str(tmp_path / "pipe.json")}}])
    assert fitting(other).note == (
        "the recipe's `stream:` half is not used: maps.tokenize: tokenizer: the dataset has no copy of"
        f" {tmp_path}/pipe.json, and files outside are not read"
    )


def test_ids_without_a_tokenizer_are_numbers() -> None:
    piece = module._piece(None)
    assert piece(17) == " 17"


def test_short_rows_are_padded_as_trainers_get_them(datasets: Datasets, tmp_path: Path) -> None:
    longer = MaskedFrames(**{**FRAMES.model_dump(), "crop_s": 1.0})
    other = with_stream(datasets("audio"), tmp_path / "out", [{"tasks.masked_frames": longer.model_dump(mode="json")}])
    samples = module._samples(Dataset(other), (longer,), 3, None)
    assert all(sample.values["attention_mask"].sum() < 8000 for sample in samples)
    assert len(peek(other, tmp_path / "p").paths) == 1
