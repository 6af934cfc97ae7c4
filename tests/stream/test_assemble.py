"""Rows at any place: a sequential reference, and no trace of batches, threads or copies."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError
from sslpipe.core.fields import Field
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Step
from sslpipe.packs.concatenate import Concatenate
from sslpipe.stream.assemble import Assemble
from sslpipe.stream.dataset import Dataset
from sslpipe.stream.order import Order
from sslpipe.stream.selection import Selection
from sslpipe.stream.stream_steps import StreamSteps
from sslpipe.tasks.masked_tokens import MaskedTokens
from tests.stream.toys import IDS, AddOne, Between, Cutter, Flip, ids_dataset, ids_rows, write_dataset

LENGTHS = [[9, 4, 17, 30, 2, 8], [12] * 7, [5, 5, 50, 1], [3], [21, 6, 6, 33]]
SEED = 11


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return ids_dataset(tmp_path_factory.mktemp("assemble"), LENGTHS)


def assembled(dataset: Dataset, *steps: Step, shuffle: object = "full", seed: int = SEED) -> tuple[Assemble, Order]:
    plan = StreamSteps.of(steps, dataset.manifest.fields, {})
    selection = Selection(dataset._storage, dataset.manifest, "train", plan)
    order = Order(selection.counts, seed, shuffle)
    return Assemble(selection, order, plan, seed), order


def flat(rows: Rows) -> dict[str, bytes]:
    found = {"names": rows.names.words().tobytes()}
    for name, column in rows.columns.items():
        if isinstance(column, Ragged):
            found[name] = column.values.tobytes() + column.offsets.tobytes()
        else:
            found[name] = column.tobytes()
    return found


def reference(dataset: Dataset, least: int, length: int, separator: int, epochs: int) -> list[list[int]]:
    """Algorithm 2, one row after another: filter, lay end to end, cut, count, permute. Full shuffle."""
    tapes: list[list[int]] = []
    documents = iter(dataset)
    for part in LENGTHS:
        tape: list[int] = []
        for _ in part:
            ids = next(documents)["ids"].tolist()
            tape += [*ids, separator] if len(ids) >= least else []
        tapes.append(tape)
    counts = [max(0, len(tape) // length - 1) for tape in tapes]
    slots = [(shard, row) for shard, count in enumerate(counts) for row in range(count)]
    order = Order(np.array([len(slots)]), SEED, "full")
    found = []
    for epoch in range(epochs):
        for place in order.locate(epoch * len(slots) + np.arange(len(slots)))[2].tolist():
            shard, row = slots[place]
            shift = 0
            if epoch:
                names = Names.from_keys(np.zeros(1, np.uint64), np.array([shard], np.uint64))
                shift = int(Draw(SEED, "packs.concatenate", epochs=epoch).below(names, length)[0])
            found.append(tapes[shard][shift + row * length : shift + (row + 1) * length])
    return found


@pytest.mark.parametrize(("least", "length"), [(0, 8), (5, 8), (6, 5), (9, 12)])
def test_the_sequence_is_that_of_the_sequential_reference(dataset: Dataset, least: int, length: int) -> None:
    assemble, order = assembled(dataset, Between(least=least), Concatenate(length=length))
    wanted = reference(dataset, least, length, separator=1, epochs=3)
    assert len(wanted) == 3 * order.rows
    got = [assemble(np.arange(start, min(start + 7, len(wanted)))).array("ids") for start in range(0, len(wanted), 7)]
    assert np.concatenate(got).tolist() == wanted


STEPS = st.sampled_from(
    [(), (Flip(),), (Between(least=5), Flip(least=3)), (Cutter(length=6), Flip()), (AddOne(),), (Concatenate(length=7), Flip())]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.sampled_from(["full", None, {"window_shards": 2}]), st.data())
def test_a_row_is_the_same_in_any_batch_and_any_copy(
    dataset: Dataset, steps: tuple[Step, ...], shuffle: object, data: st.DataObject
) -> None:
    assemble, order = assembled(dataset, *steps, shuffle=shuffle)
    n = np.array(data.draw(st.lists(st.integers(0, 3 * order.rows), min_size=1, max_size=12)))
    copy = pickle.loads(pickle.dumps(assemble))
    together = assemble(n)
    assert flat(together) == flat(copy(n))
    assert [flat(together.take(np.array([i]))) for i in range(len(n))] == [flat(copy(n[i : i + 1])) for i in range(len(n))]


def test_threads_give_the_same(dataset: Dataset) -> None:
    steps = (Between(least=3), Concatenate(length=6), Flip())
    alone, order = assembled(dataset, *steps)
    shared, _ = assembled(dataset, *steps)
    places = [np.arange(start, start + 5) for start in range(0, 2 * order.rows, 5)]
    found: dict[int, dict[str, bytes]] = {}

    def work(first: int) -> None:
        for number in range(first, len(places), 4):
            found[number] = flat(shared(places[number]))

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(places))] == [flat(alone(n)) for n in places]


def test_every_stored_row_comes_as_it_is_stored(dataset: Dataset) -> None:
    assemble, order = assembled(dataset, shuffle=None)
    rows = assemble(np.arange(order.rows))
    assert [row.tolist() for row in map(rows.ragged("ids").__getitem__, range(len(rows)))] == [
        row["ids"].tolist() for row in dataset
    ]
    assert rows.names.texts() == list(dataset.keys)


def test_epoch_0_has_no_shift_and_later_ones_have(dataset: Dataset) -> None:
    assemble, order = assembled(dataset, Concatenate(length=8), shuffle=None)
    first, second = (assemble(epoch * order.rows + np.arange(order.rows)) for epoch in (0, 1))
    starts = first.names.offset[[0]]
    assert starts.tolist() == [0]
    assert (first.array("ids") != second.array("ids")).any()


def test_a_pack_left_of_the_fence_gives_the_same_examples(dataset: Dataset, tmp_path: Path) -> None:
    packed, order = assembled(dataset, Concatenate(length=8), shuffle=None)
    rows = packed(np.arange(order.rows))
    counts = np.bincount(order.locate(np.arange(order.rows))[1], minlength=len(LENGTHS))
    parts = np.split(np.arange(order.rows), np.cumsum(counts)[:-1])
    stored = rows.with_columns(_source=np.zeros(len(rows), np.uint16))
    fields = {"ids": IDS.model_copy(update={"shape": (8,)}), "document_ids": Field(kind="array", dtype="int32", shape=(8,))}
    left = write_dataset(tmp_path, {"train": [stored.take(part) for part in parts if len(part)]}, fields, measures=())
    on_the_fly, _ = assembled(dataset, Concatenate(length=8), MaskedTokens())
    from_store, same_order = assembled(left, MaskedTokens())
    assert same_order.rows == order.rows
    n = np.arange(order.rows)
    assert flat(on_the_fly(n)) == flat(from_store(n))


def test_fixed_shapes_come_as_arrays(tmp_path: Path) -> None:
    rows = ids_rows([3, 4, 5]).with_columns(grid=np.arange(18, dtype=np.float32).reshape(3, 2, 3))
    fields = {"ids": IDS, "grid": Field(kind="array", dtype="float32", shape=(2, 3))}
    assemble, _ = assembled(write_dataset(tmp_path, {"train": [rows]}, fields), shuffle=None)
    assert (assemble(np.array([2, 0])).array("grid") == rows.array("grid")[[2, 0]]).all()


def test_an_index_that_points_outside_is_refused(tmp_path: Path) -> None:
    dataset = ids_dataset(tmp_path, [[3, 4]])
    manifest = dataset.manifest
    wide = manifest.model_copy(update={"fields": {"ids": IDS.model_copy(update={"dtype": "uint64"})}})
    plan = StreamSteps.of((), wide.fields, {})
    selection = Selection(dataset._storage, wide, "train", plan)
    entry = selection.shards[0]
    assert entry.samples == 2
    (tmp_path / entry.path).write_bytes((tmp_path / entry.path).read_bytes()[:-2048])
    selection.shards[0] = entry.model_copy(update={"bytes": entry.bytes - 2048})
    with pytest.raises(DataError, match=r"longer than|points outside"):
        Assemble(selection, Order(selection.counts, 0, None), plan, 0)(np.arange(2))


def test_mutant_draws_by_place_in_the_batch_are_caught(dataset: Dataset) -> None:
    class Careless(Flip):
        def label(self, rows: Rows, draw: Draw) -> Rows:
            numbers = np.arange(len(rows), dtype=np.uint64)
            return super().label(Rows(Names.from_keys(numbers, numbers), rows.columns), draw)

    n = np.arange(10)
    for task, same in ((Flip(), True), (Careless(), False)):
        assemble, _ = assembled(dataset, task)
        whole, halves = assemble(n), Rows.concat([assemble(n[:5]), assemble(n[5:])])
        assert (whole.ragged("labels").values.tolist() == halves.ragged("labels").values.tolist()) is same
