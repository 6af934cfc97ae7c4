"""`check_task` on tasks of tokens: sound ones pass, and each assertion catches the mutant made to break it."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError
from sslpipe.core.fields import Field, Fields, Vocabulary
from sslpipe.core.names import Names
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Task
from sslpipe.testing import check_task

LENGTH, COUNT, SIZE, MASK, SHARE = 24, 120, 60, 2, 0.25
VOCABULARY = Vocabulary(size=SIZE, pad=0, eos=1, mask=MASK, control=(0, 1, 2))
FIELDS: Fields = {
    "ids": Field(kind="ids", dtype="uint16", shape=(LENGTH,), vocabulary=VOCABULARY),
    "document_ids": Field(kind="array", dtype="int32", shape=(LENGTH,)),
}


def some_rows() -> Rows:
    """Rows of two documents, each with its end token, the last two places padding that holds the end token."""
    rng = np.random.default_rng(0)
    high, low = rng.integers(0, 2**63, (2, COUNT)).astype(np.uint64)
    ids = rng.integers(3, SIZE, (COUNT, LENGTH)).astype(np.uint16)
    documents = np.zeros((COUNT, LENGTH), np.int32)
    documents[:, 10:] = 1
    documents[:, -2:] = -1
    ids[:, 9] = ids[:, -3:] = 1
    return Rows(Names.from_keys(high, low), {"ids": ids, "document_ids": documents})


class Toy(Task):
    """Masks each eligible token with probability 1/4, plainly; a mutant changes what comes out, or the draws."""

    def outputs(self, fields: Fields) -> Fields:
        made = Field(kind="array", dtype="int64", shape=fields["ids"].shape)
        return {
            "document_ids": fields["document_ids"],
            "input_ids": made,
            "labels": made,
            "side": Field(kind="array", shape=()),
        }

    def minimum(self) -> int:
        return 2

    def open(self, context: Context) -> Any:
        return self

    def uniform(self, rows: Rows, draw: Draw) -> np.ndarray:
        return draw.uint32(rows.names, rows.array("ids").shape[1] + 1) / 2**32

    def selected(self, draws: np.ndarray, eligible: np.ndarray) -> np.ndarray:
        chosen = (draws < SHARE) & eligible
        forced = np.where(eligible, draws, 2).argmin(1)
        none = ~chosen.any(1)
        chosen[none, forced[none]] = True
        return chosen

    def replacement(self, ids: np.ndarray) -> np.ndarray:
        return np.full(ids.shape, MASK)

    def label(self, rows: Rows, draw: Draw) -> Rows:
        if rows.array("ids").shape[1] < 2:
            raise DataError("too short")
        ids = rows.array("ids").astype(np.int64)
        draws = self.uniform(rows, draw)
        documents = rows.array("document_ids")
        chosen = self.selected(draws[:, :-1], (documents >= 0) & (ids > 2)) if ids.shape[1] > 2 else np.zeros(ids.shape, bool)
        inputs, labels = np.where(chosen, self.replacement(ids), ids), np.where(chosen, ids, -100)
        side = (draws[:, -1] < 0.5).astype(np.uint8)
        return self.spoil(
            Rows(rows.names, {"document_ids": documents, "input_ids": inputs, "labels": labels, "side": side}), rows
        )

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made


def check(task: Task, **changes: Any) -> None:
    declared: dict[str, Any] = {"share": SHARE, "stays": 0.0, "classes": {"side": 2}}
    check_task(task, FIELDS, some_rows(), **{**declared, **changes})


def test_a_sound_task_passes() -> None:
    check(Toy())


Spoil = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


def spoils(change: Spoil) -> Toy:
    """A task whose inputs and labels are changed afterwards; `change` gets inputs, labels and the source."""

    class Mutant(Toy):
        def spoil(self, made: Rows, rows: Rows) -> Rows:
            if rows.array("ids").shape[1] == LENGTH:
                change(made.array("input_ids"), made.array("labels"), rows.array("ids"))
            return made

    return Mutant()


def label_one_to_the_right(_inputs: np.ndarray, labels: np.ndarray, _ids: np.ndarray) -> None:
    labels[:] = np.roll(labels, 1, axis=1)


def ignored_is_minus_one(_inputs: np.ndarray, labels: np.ndarray, _ids: np.ndarray) -> None:
    labels[labels == -100] = -1


def change_without_a_label(inputs: np.ndarray, labels: np.ndarray, ids: np.ndarray) -> None:
    inputs[:, 4] = np.where(labels[:, 4] == -100, MASK, inputs[:, 4])


def mask_the_padding(inputs: np.ndarray, _labels: np.ndarray, _ids: np.ndarray) -> None:
    inputs[:, -1] = MASK


def padding_is_a_target(_inputs: np.ndarray, labels: np.ndarray, ids: np.ndarray) -> None:
    labels[:, -1] = ids[:, -1]


def control_is_a_target(_inputs: np.ndarray, labels: np.ndarray, ids: np.ndarray) -> None:
    labels[:, 9] = ids[:, 9]


def labels_everywhere(_inputs: np.ndarray, labels: np.ndarray, ids: np.ndarray) -> None:
    labels[:, :-2] = np.where(ids > 2, ids.astype(np.int64), -100)[:, :-2]


def no_target(inputs: np.ndarray, labels: np.ndarray, ids: np.ndarray) -> None:
    dull = ids[:, 0] < 10
    inputs[dull], labels[dull] = ids[dull], -100


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, label_one_to_the_right),
        (2, ignored_is_minus_one),
        (2, change_without_a_label),
        (3, mask_the_padding),
        (3, padding_is_a_target),
        (3, control_is_a_target),
        (5, labels_everywhere),
        (4, no_target),
    ],
)
def test_wrong_labels_are_caught(number: int, change: Spoil) -> None:
    with pytest.raises(AssertionError, match=f"assertion {number}:"):
        check(spoils(change))


def test_a_target_in_another_document_is_caught() -> None:
    """A label at the last token of a document, or of the row, that is the token after it."""

    class Mutant(Toy):
        place: ClassVar[int] = 9

        def spoil(self, made: Rows, rows: Rows) -> Rows:
            ids = rows.array("ids").astype(np.int64)
            labels = np.full_like(ids, -100)
            labels[:, : self.place] = np.roll(ids, -1, axis=1)[:, : self.place]
            if ids.shape[1] > self.place:
                labels[:, self.place] = 5
            return made.with_columns(input_ids=ids, labels=labels)

    class BehindTheRow(Mutant):
        place: ClassVar[int] = LENGTH - 1

    for task in (Mutant(), BehindTheRow()):
        with pytest.raises(AssertionError, match="assertion 9:"):
            check(task, offset=1, hides=False, share=None)


class Biased(Toy):
    """Draws spoilt before they select."""

    def selected(self, draws: np.ndarray, eligible: np.ndarray) -> np.ndarray:
        return super().selected(self.bias(draws.copy()), eligible)

    def bias(self, draws: np.ndarray) -> np.ndarray:
        return draws


class TooMany(Biased):
    def bias(self, draws: np.ndarray) -> np.ndarray:
        return draws * 0.8


class NeverTheFirst(Biased):
    def bias(self, draws: np.ndarray) -> np.ndarray:
        draws[:, 0] = 0.99
        draws[:, 1] *= 0.5
        return draws


class NeverTheLast(Biased):
    def bias(self, draws: np.ndarray) -> np.ndarray:
        draws[:, -4] = 0.99
        draws[:, 3] *= 0.5
        return draws


class InPairs(Biased):
    def bias(self, draws: np.ndarray) -> np.ndarray:
        draws[:, 1::2] = draws[:, ::2][:, : draws[:, 1::2].shape[1]]
        return draws


class Leaks(Toy):
    def replacement(self, ids: np.ndarray) -> np.ndarray:
        return 3 + (ids + 1) % (SIZE - 3)


class Stays(Toy):
    def replacement(self, ids: np.ndarray) -> np.ndarray:
        return np.where(np.arange(ids.shape[1]) % 5, MASK, ids)


class AnotherValue(Toy):
    """Declares a target whose label is another token."""

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        if len(made.array("labels")[0]) < LENGTH:
            return made
        made.array("labels")[:, 5] = (rows.array("ids")[:, 5] + 1) % SIZE
        return made


class OneSide(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(side=np.zeros(len(made), np.uint8))


class NoSide(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(side=np.full(len(made), 2, np.uint8))


class Narrow(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(labels=made.array("labels").astype(np.int32))


class Undeclared(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(more=np.zeros(len(made)))


class OtherShape(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(labels=made.array("labels")[:, :-1])


class OtherName(Toy):
    """int32 labels, declared as such: not what trainers take."""

    def outputs(self, fields: Fields) -> Fields:
        made = super().outputs(fields)
        return {**made, "labels": Field(kind="array", dtype="int32", shape=made["labels"].shape)}

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(labels=made.array("labels").astype(np.int32))


class SharedStream(Toy):
    """Draws from one generator that goes on and on."""

    def uniform(self, rows: Rows, draw: Draw) -> np.ndarray:
        return STREAM.random((len(rows), rows.array("ids").shape[1] + 1))


STREAM = np.random.default_rng(0)


class OneEpoch(Toy):
    def uniform(self, rows: Rows, draw: Draw) -> np.ndarray:
        return super().uniform(rows, Draw(0, "toy"))


class ByBatch(Toy):
    """Draws by the place in the batch."""

    def uniform(self, rows: Rows, draw: Draw) -> np.ndarray:
        places = np.arange(len(rows), dtype=np.uint64)
        return draw.uint32(Names.from_keys(places, places), rows.array("ids").shape[1] + 1) / 2**32


class InPlace(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        rows.array("ids")[:] = made.array("input_ids")
        return made


class Shorter(Toy):
    def outputs(self, fields: Fields) -> Fields:
        made = super().outputs(fields)
        return {**made, "labels": Field(kind="array", dtype="int64", shape=(None,)), "input_ids": made["input_ids"]}

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(labels=made.array("labels")[:, :-1])


class TakesAll(Toy):
    def minimum(self) -> int:
        return 3


class NotFinite(Toy):
    def outputs(self, fields: Fields) -> Fields:
        return {**super().outputs(fields), "weight": Field(kind="array", dtype="float32", shape=())}

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        weight = np.ones(len(made), np.float32)
        weight[-1:] = np.nan
        return made.with_columns(weight=weight)


@pytest.mark.parametrize(
    ("number", "task"),
    [
        (1, AnotherValue()),
        (6, TooMany()),
        (6, Stays()),
        (7, NeverTheFirst()),
        (7, NeverTheLast()),
        (8, InPairs()),
        (10, Leaks()),
        (12, OneSide()),
        (12, NoSide()),
        (13, Narrow()),
        (13, Undeclared()),
        (13, OtherShape()),
        (13, OtherName()),
        (14, SharedStream()),
        (15, OneEpoch()),
        (16, ByBatch()),
        (17, InPlace()),
        (18, Shorter()),
        (19, TakesAll()),
        (20, NotFinite()),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Task) else str(value),
)
def test_mutants_are_caught(number: int, task: Task) -> None:
    with pytest.raises(AssertionError, match=f"assertion {number}:"):
        check(task)


def test_an_exact_count_is_held() -> None:
    class Exact(Toy):
        def selected(self, draws: np.ndarray, eligible: np.ndarray) -> np.ndarray:
            ranks = np.where(eligible, draws, 2).argsort(1).argsort(1)
            return (ranks < 5) & eligible

    check(Exact(), share=None, count=lambda _: 5)
    with pytest.raises(AssertionError, match="assertion 6: row 0 has 5 targets, declared are 4"):
        check(Exact(), share=None, count=lambda _: 4)


def test_a_law_of_runs_is_held() -> None:
    def no_run_above_three(runs: np.ndarray) -> None:
        assert runs.max() <= 3, "a run is too long"

    with pytest.raises(AssertionError, match="a run is too long"):
        check(Toy(), runs=no_run_above_three)


def test_without_chance_epochs_must_agree() -> None:
    with pytest.raises(AssertionError, match="assertion 15: another epoch gave other bytes, though nothing is drawn"):
        check(Toy(), draws=False)
