"""The laws of the stream: one sequence, however it is divided, stopped and gone on with."""

from __future__ import annotations

import gc
import itertools
import json
import logging
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import DataError, RecipeError
from sslpipe.packs.concatenate import Concatenate
from sslpipe.stream.dataset import Dataset
from sslpipe.stream.stream import Stream
from sslpipe.tasks.masked_tokens import MaskedTokens
from sslpipe.tasks.next_token import NextToken
from tests.stream.toys import Between, Cutter, Flip, ids_dataset

G = 12
PACKED = (Concatenate(length=16), MaskedTokens())
PLAIN = (Between(least=4), MaskedTokens())
WORLDS = (1, 2, 3, 4, 6)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """About 200 packed rows of 16 tokens an epoch, and 120 documents."""
    rng = np.random.default_rng(3)
    shards = [rng.integers(2, 56, 30).tolist() for _ in range(4)]
    return ids_dataset(
        tmp_path_factory.mktemp("stream"), shards, stream=({"packs.concatenate": {"length": 16}}, "tasks.next_token")
    )


def rows_of(batches: Iterable[dict[str, Any]]) -> list[tuple[str, bytes, bytes]]:
    """The rows of batches: name, inputs and labels without padding."""
    found = []
    for batch in batches:
        masks = batch.get("attention_mask", torch.ones_like(batch["labels"])).bool()
        for key, inputs, labels, mask in zip(batch["__key__"], batch["input_ids"], batch["labels"], masks, strict=True):
            found.append((key, inputs[mask].numpy().tobytes(), labels[mask].numpy().tobytes()))
    return found


def opened(dataset: Dataset, *steps: Any, **options: Any) -> Stream:
    sizes = {} if {"batch_size", "global_batch_size"} & set(options) else {"global_batch_size": G}
    return dataset.stream(*(steps or PACKED), with_keys=True, threads=options.pop("threads", 1), **sizes, **options)


def over_ranks(
    dataset: Dataset, world: int, state: Any = None, passes: int = 1, **options: Any
) -> list[tuple[str, bytes, bytes]]:
    """The rows of all ranks, step by step, ranks in order."""
    streams = [opened(dataset, rank=rank, world=world, **options) for rank in range(world)]
    for stream in streams:
        if state is not None:
            stream.load_state_dict(state)
    found = []
    for _ in range(passes):
        for step in zip(*streams, strict=True):
            found += rows_of(step)
    return found


def test_the_sequence_is_the_same_for_every_world(dataset: Dataset) -> None:
    wanted = over_ranks(dataset, 1, passes=2)
    assert len(wanted) > 380
    for world in WORLDS[1:]:
        assert over_ranks(dataset, world, passes=2) == wanted


def test_resume_at_every_step_at_another_world_size(dataset: Dataset) -> None:
    stream = opened(dataset)
    wanted, states = [], [stream.state_dict()]
    for batch in stream:
        wanted.append(rows_of([batch]))
        states.append(stream.state_dict())
    assert len(states) > 15
    following = over_ranks(dataset, 1, state=states[-1])
    for step, state in enumerate(states[:-1]):
        world = WORLDS[step % len(WORLDS)]
        rest = over_ranks(dataset, world, state=json.loads(json.dumps(state)))
        assert rest == list(itertools.chain(*wanted[step:]))
    assert over_ranks(dataset, 3, state=states[5], passes=2) == [*itertools.chain(*wanted[5:]), *following]


def test_mutant_with_order_from_rank_times_steps_is_caught(dataset: Dataset) -> None:
    """Ranks that take runs of the epoch instead of parts of each window."""

    class Striped(Stream):
        def _first(self, n: int) -> int:
            share = self._windows.size // self._world
            return (self._rank * self._windows.left(0) + n // self._windows.size) * share

    def sequence(world: int) -> list[tuple[str, bytes, bytes]]:
        streams = [opened(dataset, rank=rank, world=world) for rank in range(world)]
        for stream in streams:
            stream.__class__ = Striped
        return [row for step in zip(*streams, strict=True) for row in rows_of(step)]

    assert sequence(1) == over_ranks(dataset, 1)
    assert sequence(3) != sequence(1)


@pytest.mark.parametrize("steps", [PACKED, PLAIN, (Cutter(length=8), Flip())])
@pytest.mark.parametrize("shuffle", ["full", {"window_shards": 2}, None])
def test_every_selected_row_comes_once_an_epoch(dataset: Dataset, steps: Any, shuffle: Any) -> None:
    stream = opened(dataset, *steps, shuffle=shuffle, tail="carry", batch_size=1)
    keys = [row[0] for row in rows_of(stream)]
    assert len(keys) == len(set(keys)) == stream.report()["epoch_rows"] == len(stream)
    if steps is PLAIN:
        assert set(keys) == {row["__key__"] for row in dataset if len(row["ids"]) >= 4}


def test_carry_goes_on_where_the_last_window_ended(dataset: Dataset) -> None:
    single = over_ranks(dataset, 1, passes=3, global_batch_size=1)
    stream = opened(dataset)
    rows = stream.report()["epoch_rows"]
    assert rows % G, "the corpus should have a tail"
    lengths, found = [], []
    for _ in range(3):
        lengths.append(len(stream))
        batches = list(stream)
        assert len(batches) == lengths[-1]
        found += rows_of(batches)
    assert found == (single + over_ranks(dataset, 1, state=None, passes=4, global_batch_size=1)[len(single) :])[: len(found)]
    assert stream.state_dict()["n"] == len(found) == sum(lengths) * G
    assert stream.report()["tail"] == rows % G and stream.report()["tail_mode"] == "carry"


def test_drop_leaves_the_tail_out(dataset: Dataset) -> None:
    stream = opened(dataset, tail="drop")
    rows = stream.report()["epoch_rows"]
    single = over_ranks(dataset, 1, passes=2, global_batch_size=1)
    for epoch in range(2):
        assert len(stream) == rows // G
        found = rows_of(stream)
        assert found == single[epoch * rows :][: rows // G * G]
        assert stream.state_dict()["n"] == (epoch + 1) * rows


def test_epochs_differ_in_order_and_in_draws(dataset: Dataset) -> None:
    stream = opened(dataset, *PLAIN, batch_size=1)
    first, second = rows_of(stream), rows_of(stream)
    assert [row[0] for row in first] != [row[0] for row in second]
    assert {row[0] for row in first} == {row[0] for row in second}
    labels = {key: label for key, _, label in first}
    same = sum(labels[key] == label for key, _, label in second)
    assert same < len(first) // 3


def test_seeds_differ_and_zero_is_one(dataset: Dataset) -> None:
    found = [rows_of(opened(dataset, seed=seed)) for seed in (None, 0, 1, 5)]
    assert found[0] == found[3], "None is the recipe's, 5"
    assert found[0] != found[1] != found[2]


@pytest.mark.parametrize("threads", [2, 3, 4])
def test_threads_change_nothing(dataset: Dataset, threads: int) -> None:
    one, many = opened(dataset), opened(dataset, threads=threads)
    for _ in range(2):
        for a, b in zip(one, many, strict=True):
            assert rows_of([a]) == rows_of([b])
            assert one.state_dict() == many.state_dict()


def test_abandoned_iterators_leave_no_threads_and_use_up_an_epoch(dataset: Dataset) -> None:
    stream = opened(dataset, threads=3)
    look = rows_of([next(iter(stream))])
    gc.collect()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sslpipe-")]
    assert stream.state_dict()["n"] == G
    second = rows_of(stream)
    whole = over_ranks(dataset, 1, passes=2)
    assert look == whole[:G]
    assert second == whole[-len(second) :]
    stream.set_epoch(0)
    assert rows_of(stream) == whole[: -len(second)]


def test_set_epoch_starts_at_its_first_row(dataset: Dataset) -> None:
    stream = opened(dataset)
    stream.set_epoch(2)
    single = opened(dataset, global_batch_size=1)
    single.set_epoch(2)
    assert rows_of([next(iter(stream))]) == rows_of(single)[:G]
    with pytest.raises(RecipeError, match="epoch: got -1, wanted an integer from 0"):
        stream.set_epoch(-1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 40), st.sampled_from(["carry", "drop"]), st.integers(1, 30))
def test_state_after_restore_is_the_state(dataset: Dataset, taken: int, tail: Any, size: int) -> None:
    stream = opened(dataset, tail=tail, global_batch_size=size)
    batches = iter(stream)
    for _ in range(min(taken, len(stream))):
        next(batches)
    state = stream.state_dict()
    assert len(json.dumps(state).encode()) < 1024
    other = opened(dataset, tail=tail, global_batch_size=size)
    other.load_state_dict(json.loads(json.dumps(state)))
    assert other.state_dict() == state
    ahead = rows_of([next(iter(other))])
    stream.load_state_dict(state)
    assert rows_of([next(iter(stream))]) == ahead


def test_another_batch_size_goes_on_at_the_same_row(dataset: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    stream = opened(dataset)
    batches = iter(stream)
    seen = rows_of(next(batches) for _ in range(5))
    other = opened(dataset, global_batch_size=10)
    with caplog.at_level(logging.INFO, logger="sslpipe"):
        other.load_state_dict(stream.state_dict())
    assert "saved with 12 rows a step, this stream has 10; it goes on at the same row, 60" in caplog.text
    single = over_ranks(dataset, 1, global_batch_size=1)
    assert (seen + rows_of(other))[: len(single)] == single


def test_the_recipes_half_is_used_where_no_steps_are_given(dataset: Dataset) -> None:
    stream = dataset.stream(batch_size=4, threads=1)
    given = dataset.stream(Concatenate(length=16), NextToken(), batch_size=4, threads=1)
    assert stream.state_dict() == given.state_dict()
    batch = next(iter(stream))
    assert set(batch) == {"input_ids", "labels", "position_ids", "document_ids", "cu_seqlens", "max_seqlen"}
    assert batch["input_ids"].dtype == torch.int64 and batch["input_ids"].shape == (4, 16)
    assert int(batch["cu_seqlens"][-1]) == 64


def test_raw_rows_without_any_step(tmp_path: Path) -> None:
    stream = ids_dataset(tmp_path, [[3, 5], [4]]).stream(batch_size=3, threads=1, shuffle=None)
    batch = next(iter(stream))
    assert batch["ids"].dtype == torch.int64 and batch["ids"].shape == (3, 5)
    assert batch["attention_mask"].sum(1).tolist() == [3, 5, 4]
    assert stream.report()["epoch_rows"] == 3


def test_pickled_streams_go_on_where_they_were(dataset: Dataset) -> None:
    stream = opened(dataset)
    next(iter(stream))
    other = pickle.loads(pickle.dumps(stream))
    assert other.state_dict() == stream.state_dict()
    assert rows_of(other) == rows_of(stream)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"seed": 6}, r"another stream: the seed: saved 5, here 6"),
        ({"tail": "drop"}, r'the tail: saved "carry", here "drop"'),
        ({"shuffle": {"window_shards": 2}}, r'the shuffle: saved "full", here \{"window_shards": 2\}'),
        ({"shuffle": None}, r'the shuffle: saved "full", here null'),
    ],
)
def test_states_of_other_streams_are_refused(dataset: Dataset, change: dict[str, Any], text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        opened(dataset, **change).load_state_dict(opened(dataset).state_dict())


def test_states_of_other_steps_and_datasets_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    state = opened(dataset).state_dict()
    with pytest.raises(
        RecipeError, match=r"another stream: tasks.masked_tokens: `probability` was 0.15, is 0.3. Open the stream"
    ):
        opened(dataset, Concatenate(length=16), MaskedTokens(probability=0.3)).load_state_dict(state)
    other = ids_dataset(tmp_path, [[40, 50, 60]])
    with pytest.raises(
        RecipeError,
        match=r"the state belongs to another dataset: it was saved on .*toys.*, this is `toys`; rows or elements of its shards",
    ):
        opened(other, global_batch_size=1).load_state_dict(state)


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        ({"n": -1}, "the state is damaged: n is -1, wanted an integer from 0"),
        ({"n": 1.5}, "n is 1.5"),
        ({"n": True}, "n is true"),
        ({"n": 2**63}, "n is 9223372036854775808"),
        ({"global_batch_size": 0}, "global_batch_size is 0, wanted an integer from 1"),
        ({"schema": "sslpipe.stream.9"}, 'got a state of schema "sslpipe.stream.9", this version reads sslpipe.stream.1'),
        ({"split": "val"}, 'the split: saved "val", here "train"'),
        ({"rows": 3}, "rows an epoch: saved 3, here"),
        ({"stream": "x"}, 'the stream: saved "x"'),
    ],
)
def test_damaged_states_are_refused(dataset: Dataset, damage: dict[str, Any], text: str) -> None:
    stream = opened(dataset)
    with pytest.raises(RecipeError, match=text):
        stream.load_state_dict({**stream.state_dict(), **damage})
    for missing in ("n", "domain", "steps"):
        with pytest.raises(RecipeError, match=f"the state is damaged: it has no {missing}"):
            stream.load_state_dict({name: value for name, value in stream.state_dict().items() if name != missing})
    with pytest.raises(RecipeError, match="a stream's state is a dict, got list"):
        stream.load_state_dict([])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"split": "dev"}, "split: got 'dev', wanted one of train, val, test"),
        (
            {"split": "val"},
            r"split `val` has no rows for this stream, .*\(nothing is stored in it\); the dataset has train: 120$",
        ),
        ({"tail": "pad"}, "tail: got 'pad', wanted one of carry, drop"),
        ({"producer": "process"}, "producer: got 'process', wanted one of auto, threads"),
        ({"threads": 0}, "threads: got 0, wanted an integer from 1"),
        ({"seed": -1}, "seed: got -1, wanted an integer from 0"),
        (
            {"tail": "drop", "global_batch_size": 999},
            r"has \d+ rows, fewer than the 999 of one step .* take a batch of \d+ at most",
        ),
        ({"global_batch_size": 10, "rank": 0, "world": 4}, "global_batch_size 10 can't be divided among a world of 4"),
    ],
)
def test_options_that_do_not_fit_are_refused(dataset: Dataset, options: dict[str, Any], text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        opened(dataset, **options)


def test_a_stream_without_rows_says_why(dataset: Dataset) -> None:
    with pytest.raises(
        RecipeError, match=r"no rows for this stream, .*\(rows: 120, filtered: .*; choose another split, or looser filters$"
    ):
        opened(dataset, Between(least=1000), MaskedTokens())
    with pytest.raises(RecipeError, match=r"; choose another split, or a shorter `length:` of the"):
        opened(dataset, Concatenate(length=100_000), MaskedTokens())


def test_errors_name_the_step(dataset: Dataset, tmp_path: Path) -> None:
    fresh = ids_dataset(tmp_path, [[20] * 10, [20] * 10])
    stream = fresh.stream(batch_size=10, shuffle=None, threads=2)
    path = tmp_path / "shards/train-000001.tar"
    path.write_bytes(path.read_bytes()[:-512])
    batches = iter(stream)
    next(batches)
    with pytest.raises(DataError, match="run `sslpipe verify`") as caught:
        next(batches)
    assert caught.value.__notes__ == ["in step 1 of epoch 0, rows 10 to 19"]


def test_pinning_without_an_accelerator_is_said(dataset: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine can pin")
    batch = next(iter(opened(dataset, pin_memory=True)))
    assert not batch["labels"].is_pinned()
    assert "pin_memory=True, but there is no accelerator here" in caplog.text


def test_a_state_with_many_steps_stays_small(dataset: Dataset) -> None:
    filters = [Between(least=least) for least in range(4)] * 10
    stream, other = opened(dataset, *filters, MaskedTokens()), opened(dataset, *filters[1:], MaskedTokens())
    assert len(json.dumps(stream.state_dict()).encode()) < 1024
    with pytest.raises(RecipeError, match=r"the steps: saved .*41 steps.*, here .*40 steps"):
        other.load_state_dict(stream.state_dict())


def test_a_process_ends_with_a_loop_left_open(dataset: Dataset) -> None:
    program = (
        "import sslpipe.stream.dataset as d, sslpipe.packs.concatenate as p\n"
        f"batches = iter(d.Dataset({str(dataset._storage.root)!r}).stream(p.Concatenate(length=16), batch_size=2, threads=2))\n"
        "print(next(batches)['ids'].shape[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
