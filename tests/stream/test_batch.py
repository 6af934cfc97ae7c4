"""A batch counts when it is used, and not when it is moved."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.utils.data import default_convert

from sslpipe.stream.batch import Batch
from sslpipe.stream.progress import Progress
from sslpipe.stream.windows import Windows


@pytest.fixture
def progress() -> Progress:
    return Progress(Windows(100, 10, "carry"))


def carried(progress: Progress, end: int = 10, generation: int = 1) -> Batch:
    return Batch({"a": torch.zeros(2), "b": "text"}, progress.ticket(generation, end))


USES: list[Callable[[Batch], object]] = [
    lambda batch: batch["a"],
    lambda batch: batch.get("a"),
    lambda batch: batch.items(),
    lambda batch: batch.keys(),
    lambda batch: batch.values(),
    lambda batch: list(batch),
    lambda batch: len(batch),
    lambda batch: "a" in batch,
    lambda batch: dict(batch),
    lambda batch: {**batch},
    lambda batch: dict(**batch),
    lambda batch: batch.pop("a"),
    lambda batch: batch.update(c=1),
    lambda batch: batch == {},
    lambda batch: batch | {"c": 1},
]


@pytest.mark.parametrize("use", USES)
def test_any_use_counts_once(progress: Progress, use: Callable[[Batch], object]) -> None:
    batch = carried(progress)
    assert progress.place == 0
    use(batch)
    assert progress.place == 10


MOVES: list[Callable[[Batch], Batch]] = [
    copy.copy,
    lambda batch: pickle.loads(pickle.dumps(batch)),
    lambda batch: batch.pin_memory(),
    lambda batch: torch.utils.data._utils.pin_memory.pin_memory(batch),
]


@pytest.mark.parametrize("move", MOVES)
def test_moving_does_not_count_and_keeps_the_place(
    progress: Progress, move: Callable[[Batch], Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self.clone())
    batch = move(carried(progress))
    assert progress.place == 0 and type(batch) is Batch
    assert batch["b"] == "text"
    assert progress.place == 10


def test_later_use_of_an_older_batch_does_not_go_back(progress: Progress) -> None:
    old, new = carried(progress, 10), carried(progress, 20)
    assert new["b"] == "text" and progress.place == 20
    assert old["b"] == "text" and progress.place == 20


def test_batches_from_before_a_restart_do_not_count(progress: Progress) -> None:
    old = carried(progress, 50)
    progress.restart(20)
    assert old["b"] == "text" and progress.place == 20


def test_a_batch_whose_stream_is_gone_is_a_dict(progress: Progress) -> None:
    batch = carried(progress)
    del progress
    assert batch["b"] == "text"


def test_the_loaders_conversion_keeps_the_type() -> None:
    converted = default_convert(Batch({"x": np.arange(3), "keys": ["a", "b"], "n": 3}))
    assert type(converted) is Batch and torch.equal(converted["x"], torch.arange(3))
    assert converted["keys"] == ["a", "b"] and converted["n"] == 3


def test_it_is_made_like_a_dict() -> None:
    assert Batch([("a", 1)]) == {"a": 1} == Batch({"a": 1})
