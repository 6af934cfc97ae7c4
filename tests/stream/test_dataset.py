"""A dataset, row by row."""

from __future__ import annotations

import inspect
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from sslpipe.core.errors import DataError
from sslpipe.core.fields import Field
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.stream.dataset import Dataset
from sslpipe.stream.stream import Stream
from tests.stream.toys import IDS, ids_rows, write_dataset

FIELDS = {
    "ids": IDS,
    "text": Field(kind="text"),
    "meta": Field(kind="meta"),
    "grid": Field(kind="array", dtype="float32", shape=(2,)),
}


def rows(lengths: list[int], first: int) -> Rows:
    numbers = range(first, first + len(lengths))
    return ids_rows(lengths, first).with_columns(
        text=Ragged.from_texts([f"Zeile {i} ü" for i in numbers]),
        meta=Ragged.from_texts([json.dumps({"n": i}) for i in numbers]),
        grid=np.arange(first, first + 2 * len(lengths), dtype=np.float32).reshape(-1, 2),
    )


def test_the_options_of_a_stream_are_explained_in_one_place() -> None:
    options = {name: option for name, option in inspect.signature(Dataset.stream).parameters.items() if name != "self"}
    inner = inspect.signature(Stream.__init__).parameters
    for name, option in options.items():
        assert f"`{name}`" in (Dataset.stream.__doc__ or ""), name
        if name != "steps":
            assert inner[name].default == option.default, name
    assert set(inner) - set(options) == {"self", "storage", "manifest"}
    explained = (Stream.__doc__ or "") + (Stream.__init__.__doc__ or "")
    assert [name for name in options if f"`{name}`" in explained] == []


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    shards = {"test": [rows([2], 5)], "train": [rows([3, 4], 0), rows([5], 2)], "val": [rows([1, 1], 3)]}
    return write_dataset(tmp_path_factory.mktemp("dataset"), shards, FIELDS)


def test_rows_run_through_the_splits(dataset: Dataset) -> None:
    assert len(dataset) == 6
    assert dataset.splits == {"train": 3, "val": 2, "test": 1}
    assert [row["meta"]["n"] for row in dataset] == [0, 1, 2, 3, 4, 5]
    first = dataset[0]
    assert sorted(first) == ["__key__", "grid", "ids", "meta", "text"]
    assert first["text"] == "Zeile 0 ü" and first["ids"].dtype == np.uint16 and first["ids"].tolist() == [3, 10, 17]
    assert first["grid"].tolist() == [0.0, 1.0]
    assert first["ids"].flags.writeable
    assert repr(dataset).endswith("train: 3, val: 2, test: 1)")


def test_negative_and_missing_rows(dataset: Dataset) -> None:
    assert dataset[-1]["__key__"] == dataset[5]["__key__"]
    for row in (6, -7):
        with pytest.raises(IndexError, match=f"row {row} of a dataset of 6 rows"):
            dataset[row]


def test_keys_are_a_sequence(dataset: Dataset) -> None:
    assert len(dataset.keys) == 6
    assert list(dataset.keys) == [row["__key__"] for row in dataset]
    assert dataset.keys[-2:] == list(dataset.keys)[-2:] and dataset.keys[0] in dataset.keys


def test_sources(dataset: Dataset) -> None:
    assert [dataset.source(row) for row in range(3)] == ["a", "b", "a"]


def test_it_pickles(dataset: Dataset) -> None:
    assert pickle.loads(pickle.dumps(dataset))[3]["meta"] == {"n": 3}


def test_tokenizer(tmp_path: Path, dataset: Dataset) -> None:
    from tokenizers import Tokenizer, models

    assert dataset.tokenizer is None
    data = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a")).to_str().encode()
    other = write_dataset(tmp_path, {"train": [ids_rows([3])]}, artefacts={"tokenizer.json": data})
    assert other.tokenizer.get_vocab() == {"a": 0, "b": 1}
    (tmp_path / ".sslpipe/tokenizer.json").write_bytes(data[:-1])
    with pytest.raises(DataError, match=r"tokenizer.json has \d+ bytes, the manifest says \d+; run `sslpipe verify`"):
        _ = other.tokenizer


def test_what_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no manifest.json: it is not a finished dataset"):
        Dataset(tmp_path)


def test_an_empty_dataset(tmp_path: Path) -> None:
    empty = write_dataset(tmp_path, {})
    assert len(empty) == 0 and list(empty.keys) == [] and empty.splits == {}
    with pytest.raises(IndexError, match="row 0 of a dataset of 0 rows"):
        empty[0]
