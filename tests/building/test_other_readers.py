"""Shards open unchanged in the readers that people have."""

from __future__ import annotations

import gc
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sslpipe.dedups.exact import Exact
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.tokenize import Tokenize
from sslpipe.recipe.recipe import Shards
from sslpipe.recipe.splits import Splits
from sslpipe.stream.dataset import Dataset
from tests.building.corpora import lay, limits, recipe, records, run, sound

Row = tuple[str, tuple[int, ...], str, str]
HF_NAMES = {"train": "train", "val": "validation", "test": "test"}


@pytest.fixture(scope="module", params=["as it is built", "after an update"])
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("readers")
    lay(
        folder / "in", {"a": [*records(30), {"text": "text of ümläuts", "url": 'https://x.example/?"q"'}], "b": records(20, 25)}
    )
    steps = (Exact(), ByteLevelBpe(vocab_size=300), Tokenize(keep_text=True))
    splits = Shards(count=3, splits=Splits(val=0.3, test=0.1))
    if request.param == "after an update":
        run(recipe(folder / "in", seed=1), folder / "out")
    manifest = run(recipe(folder / "in", *steps, shards=splits, limits=limits()), folder / "out", update=True)
    return sound(folder / "out", manifest)


def wanted(dataset: Dataset, split: str) -> Counter[Row]:
    first = 0
    for name, count in dataset.splits.items():
        if name == split:
            rows = [dataset[row] for row in range(first, first + count)]
            return Counter((row["__key__"], tuple(row["ids"].tolist()), row["text"], row["meta"]["url"]) for row in rows)
        first += count
    raise AssertionError(split)


def found(rows: Iterable[dict[str, Any]]) -> Counter[Row]:
    return Counter((row["__key__"], tuple(int(i) for i in row["ids.npy"]), row["txt"], row["json"]["url"]) for row in rows)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_webdataset(split: str, dataset: Dataset) -> None:
    paths = [str(dataset._storage.root / shard.path) for shard in dataset.manifest.split(split)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It leaves open files to the collector.
        import webdataset

        rows = list(webdataset.WebDataset(paths, shardshuffle=False).decode())
        gc.collect()
    assert found(rows) == wanted(dataset, split)
    assert [row["__key__"] for row in rows] == [key for key, *_ in wanted(dataset, split)], "in stored order"


@pytest.mark.parametrize("streaming", [False, True])
def test_hugging_face(streaming: bool, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = datasets.load_dataset(str(dataset._storage.root), streaming=streaming, cache_dir=str(tmp_path))
        assert set(loaded) == {"train", "validation", "test"}
        for split, name in HF_NAMES.items():
            assert found(loaded[name]) == wanted(dataset, split)
