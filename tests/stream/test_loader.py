"""The stream in a `DataLoader`: the same batches, the same order, the exact state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from sslpipe.core.errors import RecipeError
from sslpipe.packs.concatenate import Concatenate
from sslpipe.stream.batch import Batch
from sslpipe.stream.dataset import Dataset
from sslpipe.stream.stream import Stream
from sslpipe.tasks.masked_tokens import MaskedTokens
from tests.stream.toys import ids_dataset

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return ids_dataset(tmp_path_factory.mktemp("loader"), [[30, 41, 7, 22] * 3, [50] * 8])


def opened(dataset: Dataset) -> Stream:
    return dataset.stream(Concatenate(length=16), MaskedTokens(), batch_size=4, with_keys=True, threads=1)


def loader(stream: Stream, workers: int, context: str | None = None, persistent: bool = False) -> DataLoader[Any]:
    return DataLoader(
        stream, batch_size=None, num_workers=workers, multiprocessing_context=context if workers else None,
        persistent_workers=persistent and workers > 0,
    )  # fmt: skip


def seen(batch: dict[str, Any]) -> tuple[Any, ...]:
    assert type(batch) is Batch and isinstance(batch["input_ids"], torch.Tensor)
    return batch["__key__"], batch["input_ids"].tolist(), batch["labels"].tolist(), batch["cu_seqlens"].tolist()


def passes(batches: Any, stream: Stream, count: int) -> list[list[tuple[Any, ...]]]:
    return [[(seen(batch), stream.state_dict()["n"]) for batch in batches] for _ in range(count)]


@pytest.fixture(scope="module")
def wanted(dataset: Dataset) -> list[list[tuple[Any, ...]]]:
    stream = opened(dataset)
    return passes(stream, stream, 3)


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("workers", [0, 1, 2, 3, 4])
def test_forked_workers(dataset: Dataset, wanted: Any, workers: int, persistent: bool) -> None:
    stream = opened(dataset)
    assert passes(loader(stream, workers, "fork", persistent), stream, 3) == wanted


def test_spawned_workers_that_stay(dataset: Dataset, wanted: Any) -> None:
    stream = opened(dataset)
    assert passes(loader(stream, 2, "spawn", persistent=True), stream, 2) == wanted[:2]


def test_spawned_workers_then_forked_ones(dataset: Dataset, wanted: Any) -> None:
    stream = opened(dataset)
    assert passes(loader(stream, 2, "spawn"), stream, 1) == wanted[:1]
    assert passes(loader(stream, 2, "fork"), stream, 1) == wanted[1:2]


def test_untouched_batches_use_up_an_epoch_too(dataset: Dataset, wanted: Any) -> None:
    stream = opened(dataset)
    batches = loader(stream, 2, "fork")
    collected = [list(batches) for _ in range(2)]
    assert stream.state_dict()["n"] == 0, "nobody looked into a batch yet"
    assert [[seen(batch) for batch in one] for one in collected] == [[batch for batch, _ in one] for one in wanted[:2]]
    assert stream.state_dict()["n"] == wanted[1][-1][1]


@pytest.mark.parametrize("persistent", [False, True])
def test_seeding_alike_before_each_epoch_changes_nothing(dataset: Dataset, wanted: Any, persistent: bool) -> None:
    stream = opened(dataset)
    batches = loader(stream, 3, "fork", persistent)
    for epoch in range(3):
        torch.manual_seed(0)
        assert [seen(batch) for batch in batches] == [batch for batch, _ in wanted[epoch]]


@pytest.mark.parametrize("persistent", [False, True])
def test_abandoned_loops(dataset: Dataset, wanted: Any, persistent: bool) -> None:
    stream = opened(dataset)
    batches = loader(stream, 2, "fork", persistent)
    for step, batch in enumerate(batches):
        assert seen(batch) == wanted[0][step][0]
        if step == 2:
            break
    assert stream.state_dict()["n"] == 12, "batches made ahead don't count"
    state = stream.state_dict()
    assert [seen(batch) for batch in batches] == [batch for batch, _ in wanted[1]]
    stream.load_state_dict(state)
    assert [seen(batch) for batch in batches] == [batch for batch, _ in wanted[0][3:]]


@pytest.mark.parametrize("workers", [0, 3])
def test_resume_at_every_step_with_other_workers(dataset: Dataset, wanted: Any, workers: int) -> None:
    first = opened(dataset)
    states = [first.state_dict()]
    for batch in loader(first, 2, "fork"):
        seen(batch)
        states.append(first.state_dict())
    assert len(states) == len(wanted[0]) + 1
    for step in range(0, len(states) - 1, 4):
        second = opened(dataset)
        second.load_state_dict(states[step])
        assert passes(loader(second, workers, "fork"), second, 1) == [wanted[0][step:]]


def test_set_epoch_reaches_persistent_workers(dataset: Dataset) -> None:
    stream, plain = opened(dataset), opened(dataset)
    batches = loader(stream, 2, "fork", persistent=True)
    for epoch in (4, 1):
        stream.set_epoch(epoch)
        plain.set_epoch(epoch)
        assert [seen(batch) for batch in batches] == [seen(batch) for batch in plain]


def test_direct_and_loaded_passes_share_the_count(dataset: Dataset, wanted: Any) -> None:
    stream = opened(dataset)
    assert [seen(batch) for batch in stream] == [batch for batch, _ in wanted[0]]
    assert [seen(batch) for batch in loader(stream, 2, "fork")] == [batch for batch, _ in wanted[1]]
    assert [seen(batch) for batch in stream] == [batch for batch, _ in wanted[2]]


def test_errors_of_workers_name_the_step(tmp_path: Path) -> None:
    fresh = ids_dataset(tmp_path, [[20] * 10, [20] * 10])
    stream = fresh.stream(batch_size=10, shuffle=None, threads=2)
    path = tmp_path / "shards/train-000001.tar"
    path.write_bytes(path.read_bytes()[:-512])
    with pytest.raises(Exception, match="in step 1 of epoch 0, rows 10 to 19"):
        list(loader(stream, 1, "fork"))


@pytest.mark.parametrize("options", [{}, {"batch_size": 8}, {"batch_size": 2, "drop_last": True}])
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_put_into_no_batch(dataset: Dataset, workers: int, options: dict[str, Any]) -> None:
    batches = DataLoader(opened(dataset), num_workers=workers, **options)
    with pytest.raises(RecipeError, match=r"the batches are made already: DataLoader\(stream, batch_size=None, \.\.\.\)"):
        next(iter(batches))


def test_spawned_workers_put_batches_into_no_batch(dataset: Dataset) -> None:
    batches = DataLoader(opened(dataset), num_workers=1, multiprocessing_context="spawn")
    with pytest.raises(RecipeError, match="the batches are made already"):
        next(iter(batches))
