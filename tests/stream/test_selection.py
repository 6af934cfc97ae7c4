"""What is selected, counted before the first batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.steps import Step
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.dataset import Dataset
from sslpipe.stream.selection import Selection
from sslpipe.stream.stream_steps import StreamSteps
from tests.stream.toys import Between, Cutter, Flip, Length, ids_dataset

LENGTHS = [[3, 14, 15, 9, 2, 6], [5, 3, 5, 8, 9, 7, 9], [1, 1, 1], [40]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return ids_dataset(tmp_path_factory.mktemp("selection"), LENGTHS)


def selection(dataset: Dataset, *steps: Step) -> Selection:
    storage = LocalStorage(dataset._storage.root)
    return Selection(storage, dataset.manifest, "train", StreamSteps.of(steps, dataset.manifest.fields, {}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 12), st.integers(2, 45), st.integers(0, 12), st.booleans())
def test_counts_are_those_of_a_plain_loop(dataset: Dataset, least: int, most: int, minimum: int, packed: bool) -> None:
    steps: list[Step] = [
        Between(least=least, most=most),
        *([Cutter(length=4)] if packed else []),
        Flip(least=2 if packed else minimum),
    ]
    found = selection(dataset, *steps)
    kept = [[length for length in part if least <= length <= most] for part in LENGTHS]
    long_enough = kept if packed else [[length for length in part if length >= minimum] for part in kept]
    wanted = [max(0, sum(part) // 4 - 1) for part in kept] if packed else [len(part) for part in long_enough]
    assert found.counts.tolist() == wanted
    report = found.report()
    everything = [length for part in LENGTHS for length in part]
    assert report["rows"] == len(everything)
    assert report["filtered"].get("toy.short", 0) == sum(length < least for length in everything)
    assert report["filtered"].get("toy.long", 0) == sum(length > most and length >= least for length in everything)
    assert report["rows"] == report["selected"] + report["too_short"] + sum(report["filtered"].values())
    assert report["selected"] == sum(map(len, long_enough))
    assert report["tokens"] == sum(map(sum, long_enough))
    assert report["tokens"] + report["separators"] == report["tokens_used"] + report["packing_loss"] - report["padding"]
    for number, part in enumerate(LENGTHS):
        rows = found.rows(found.open(number))
        chosen = [i for i, x in enumerate(part) if least <= x <= most and (packed or x >= minimum)]
        assert (list(range(len(part))) if rows is None else rows.tolist()) == chosen


def test_nothing_is_read_without_need(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: Any) -> None:
        raise AssertionError("a shard was opened")

    monkeypatch.setattr(Shard, "__init__", opened)
    assert selection(dataset).counts.tolist() == [6, 7, 3, 1]
    assert selection(dataset, Flip(least=0)).report()["tokens"] == sum(map(sum, LENGTHS))
    with pytest.raises(AssertionError, match="opened"):
        selection(dataset, Cutter())


def test_a_pack_reads_lengths_only(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = Shard.column
    monkeypatch.setattr(Shard, "column", lambda self, name: (read.append(name), original(self, name))[1])
    selection(dataset, Cutter())
    assert set(read) == {"ids.length"}


def test_two_filters_count_each_row_once(dataset: Dataset) -> None:
    report = selection(dataset, Between(least=5), Between(least=8, most=20)).report()
    everything = [length for part in LENGTHS for length in part]
    assert report["filtered"] == {"toy.long": 1, "toy.short": sum(length < 8 for length in everything)}


def test_a_measure_that_was_not_stored_is_named(tmp_path: Path) -> None:
    dataset = ids_dataset(tmp_path, [[3, 4]], measures=())
    text = (
        r"filters.between judges by `length` of measures.toys, which is not stored in dataset `toys` \(stored are: none\)."
        " Put measures.toys into the recipe's `build:` before maps.tokenize, or move filters.between there, and build again"
    )
    with pytest.raises(RecipeError, match=text):
        selection(dataset, Between())


def test_measures_of_a_named_field_are_found(tmp_path: Path) -> None:
    class OfIds(Between):
        def needs(self) -> tuple[Length, ...]:
            return (Length(field="ids"),)

    class OfTitle(Between):
        def needs(self) -> tuple[Length, ...]:
            return (Length(field="title"),)

    dataset = ids_dataset(tmp_path, [[3, 4]])
    assert selection(dataset, OfIds(least=4)).counts.tolist() == [1]
    with pytest.raises(RecipeError, match=r"judges by `length` of measures.toys of field `title`, which is not stored"):
        selection(dataset, OfTitle())


def test_a_shard_cut_short_is_refused(tmp_path: Path) -> None:
    dataset = ids_dataset(tmp_path, [[3, 4]])
    tar = tmp_path / "shards/train-000000.tar"
    tar.write_bytes(tar.read_bytes()[:-512])
    with pytest.raises(DataError, match=r"train-000000.tar has \d+ bytes, the manifest says \d+; run `sslpipe verify`"):
        selection(dataset, Cutter())
    tar.unlink()
    with pytest.raises(DataError, match=r"train-000000.tar is missing, the manifest says"):
        selection(dataset, Cutter())


def test_selected_rows_are_positions(dataset: Dataset) -> None:
    found = selection(dataset, Between(least=9))
    rows = found.rows(found.open(0))
    assert rows is not None and rows.dtype == np.intp and rows.tolist() == [1, 2, 3]
