"""The next-token task: against Hugging Face's collators, and the bugs that others had."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import DataCollatorForLanguageModeling, DataCollatorWithFlattening, PreTrainedTokenizerFast

from sslpipe.core.documents import Documents
from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.fields import Field, Fields, Vocabulary
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context
from sslpipe.packs.concatenate import Concatenate
from sslpipe.tasks.next_token import NextToken
from sslpipe.testing import check_task

EOS, PAD, IGNORED = 1, 0, -100
PLAIN: Fields = {"ids": Field(kind="ids", dtype="uint16", vocabulary=Vocabulary(size=200, pad=PAD, eos=EOS, control=(0, 1)))}


def packed_fields(length: int) -> Fields:
    return Concatenate(length=length).outputs(PLAIN)


def named(count: int) -> Names:
    high, low = np.random.default_rng(count).integers(0, 2**63, (2, count)).astype(np.uint64)
    return Names.from_keys(high, low)


def plain(rows: list[list[int]]) -> Rows:
    ids = np.array([token for row in rows for token in row], np.uint16)
    return Rows(named(len(rows)), {"ids": Ragged.from_lengths(ids, np.array([len(row) for row in rows]))})


def packed(ids: list[list[int]], documents: list[list[int]]) -> Rows:
    return Rows(named(len(ids)), {"ids": np.array(ids, np.uint16), "document_ids": np.array(documents, np.int32)})


def label(step: NextToken, fields: Fields, rows: Rows) -> Rows:
    return step.open(Context(fields)).label(rows, Draw(0, step.path()))


def corpus(count: int = 40) -> Rows:
    """Documents packed to rows of 24, the last one padded."""
    rng = np.random.default_rng(3)
    column = Ragged.from_lengths(rng.integers(2, 200, 900).astype(np.uint16), rng.multinomial(900, np.ones(count) / count))
    step = Concatenate(length=24, remainder="pad")
    packer = step.open(Context(PLAIN))
    packer.add(0, Documents.from_ragged(named(count), column))
    rows = step.count(column.lengths)
    return packer.pack(np.zeros(rows, np.int64), np.arange(rows), np.zeros(rows, np.int64))


def tokenizer() -> Any:
    vocabulary = {"<pad>": PAD, "<eos>": EOS} | {f"t{number}": number for number in range(2, 200)}
    model = Tokenizer(models.WordLevel(vocabulary, unk_token="t2"))
    return PreTrainedTokenizerFast(tokenizer_object=model, pad_token="<pad>", eos_token="<eos>")


documents = st.lists(st.lists(st.integers(2, 199), min_size=2, max_size=12), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(documents)
def test_equals_hugging_face_on_rows_of_one_document(rows: list[list[int]]) -> None:
    """The model shifts, so it never looks at the first label, which they set and we ignore."""
    theirs = DataCollatorForLanguageModeling(tokenizer(), mlm=False)([{"input_ids": row} for row in rows])
    ours = label(NextToken(), PLAIN, plain(rows))
    for index, row in enumerate(rows):
        assert ours["input_ids"][index].tolist() == theirs["input_ids"][index, : len(row)].tolist()
        assert ours["labels"][index].tolist()[1:] == theirs["labels"][index, 1 : len(row)].tolist()


@settings(max_examples=40, deadline=None)
@given(documents)
def test_equals_hugging_face_on_rows_of_many_documents(rows: list[list[int]]) -> None:
    collator = DataCollatorWithFlattening(return_position_ids=True, return_seq_idx=True)
    theirs = collator([{"input_ids": row} for row in rows])
    flat = [token for row in rows for token in row]
    numbers = [number for number, row in enumerate(rows) for _ in row]
    ours = label(NextToken(), packed_fields(len(flat)), packed([flat], [numbers]))
    assert ours.array("input_ids").tolist() == theirs["input_ids"].tolist()
    assert ours.array("labels").tolist() == theirs["labels"].tolist()
    assert ours.array("position_ids").tolist() == theirs["position_ids"].tolist()
    assert ours.array("document_ids").tolist() == theirs["seq_idx"].tolist()


@pytest.mark.parametrize("labels", ["unshifted", "shifted"])
def test_golden_row(labels: Any) -> None:
    rows = packed([[7, 8, EOS, 9, 10, EOS, EOS, EOS]], [[0, 0, 0, 1, 1, 1, -1, -1]])
    made = label(NextToken(labels=labels), packed_fields(8), rows)
    assert made.array("input_ids").tolist() == [[7, 8, EOS, 9, 10, EOS, EOS, EOS]]
    unshifted = [IGNORED, 8, EOS, IGNORED, 10, EOS, IGNORED, IGNORED]
    assert made.array("labels").tolist() == [unshifted if labels == "unshifted" else [*unshifted[1:], IGNORED]]
    assert made.array("position_ids").tolist() == [[0, 1, 2, 0, 1, 2, 0, 1]]
    assert made.array("document_ids").tolist() == [[0, 0, 0, 1, 1, 1, -1, -1]]
    assert {name: column.dtype.name for name, column in made.columns.items()} == {  # type: ignore[union-attr]
        "input_ids": "int64",
        "labels": "int64",
        "position_ids": "int64",
        "document_ids": "int32",
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 30), st.integers(0, 2**32), st.booleans())
def test_shifted_is_unshifted_one_to_the_left(length: int, seed: int, ragged: bool) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 200, (4, length)).astype(np.uint16)
    numbers = np.cumsum(rng.random((4, length)) < 0.2, axis=1).astype(np.int32)
    numbers[rng.random(4) < 0.5, -(length // 3) :] = -1
    columns: dict[str, Any] = {"ids": ids, "document_ids": numbers}
    if ragged:
        lengths = np.full(4, length)
        columns = {name: Ragged.from_lengths(column.reshape(-1), lengths) for name, column in columns.items()}
    fields = packed_fields(length)
    here, before = (
        label(NextToken(labels=labels), fields, Rows(named(4), columns))["labels"] for labels in ("unshifted", "shifted")
    )
    for row in range(4):
        assert before[row].tolist() == [*here[row].tolist()[1:], IGNORED]


def test_the_end_token_is_learnt_though_it_is_the_pad_token() -> None:
    """Hugging Face ignores every pad id, by value (transformers #23530)."""
    rows = packed([[7, 8, PAD, 9, PAD, PAD]], [[0, 0, 0, 1, 1, -1]])
    labels = label(NextToken(), packed_fields(6), rows).array("labels")
    assert labels.tolist() == [[IGNORED, 8, PAD, IGNORED, PAD, IGNORED]]


def test_the_token_after_an_end_token_inside_a_document_is_learnt() -> None:
    """A filter by value drops it (Megatron-LM #5213)."""
    labels = label(NextToken(), PLAIN, plain([[7, EOS, 8, 9]])).ragged("labels")
    assert labels[0].tolist() == [IGNORED, EOS, 8, 9]


def test_labels_are_shifted_once() -> None:
    """A second shift trains on the token after the next, and still converges."""
    rows = plain([[5, 6, 7, 8]])
    shifted = label(NextToken(labels="shifted"), PLAIN, rows).ragged("labels")[0].tolist()
    assert shifted == [6, 7, 8, IGNORED]
    unshifted = label(NextToken(), PLAIN, rows).ragged("labels")[0].tolist()
    assert unshifted[1:] == shifted[:-1]


def test_nothing_is_lost_at_the_end_of_a_batch() -> None:
    """`group_texts` drops the last piece of each batch of 1000 documents."""
    rows = plain([[5, 6]] * 1001)
    assert int((label(NextToken(), PLAIN, rows).ragged("labels").values != IGNORED).sum()) == 1001


@pytest.mark.parametrize(("labels", "offset"), [("unshifted", 0), ("shifted", 1)])
def test_the_twenty_assertions(labels: Any, offset: int) -> None:
    declared: dict[str, Any] = {"offset": offset, "share": "all", "hides": False, "draws": False}
    check_task(NextToken(labels=labels), packed_fields(24), corpus(), **declared)
    rng = np.random.default_rng(0)
    rows = plain([rng.integers(0, 200, length).tolist() for length in rng.integers(2, 40, 60)])
    check_task(NextToken(labels=labels), PLAIN, rows, **declared)


class EndTokensByValue(NextToken):
    """The bug of `test_the_end_token_is_learnt_though_it_is_the_pad_token`."""

    def open(self, context: Context) -> Any:
        return _ByValue(super().open(context))


class FirstTokens(NextToken):
    """Predicts the first token of a document from the one before it."""

    def open(self, context: Context) -> Any:
        return _Leaking(super().open(context))


class _ByValue:
    def __init__(self, task: Any) -> None:
        self.task = task

    def label(self, rows: Rows, draw: Draw) -> Rows:
        made = self.task.label(rows, draw)
        labels = made.array("labels")
        return made.with_columns(labels=np.where(labels == EOS, IGNORED, labels))


class _Leaking(_ByValue):
    def label(self, rows: Rows, draw: Draw) -> Rows:
        made = self.task.label(rows, draw)
        keep = rows.array("document_ids") >= 0
        return made.with_columns(labels=np.where(keep, made.array("input_ids"), IGNORED))


@pytest.mark.parametrize(("mutant", "number"), [(EndTokensByValue(), 6), (FirstTokens(), 2)])
def test_mutants_are_caught(mutant: NextToken, number: int) -> None:
    with pytest.raises(AssertionError, match=f"assertion {number}:"):
        check_task(mutant, packed_fields(24), corpus(), share="all", hides=False, draws=False)


def test_read_only_memory_and_views_are_taken() -> None:
    rows = plain([[5, 6, 7], [8, 9], [3, 4]])
    rows.ragged("ids").values.setflags(write=False)
    made = label(NextToken(), PLAIN, rows.view(1, 3))
    assert made.ragged("labels").to_bytes() == label(NextToken(), PLAIN, plain([[8, 9], [3, 4]])).ragged("labels").to_bytes()


def test_other_fields_go_on() -> None:
    rows = plain([[5, 6, 7]]).with_columns(_file=np.array([4], np.int32))
    assert label(NextToken(), PLAIN, rows).array("_file").tolist() == [4]


def test_outputs() -> None:
    made = NextToken().outputs(packed_fields(16))
    assert {name: (field.kind, field.dtype, field.shape) for name, field in made.items()} == {
        "input_ids": ("ids", "int64", (16,)),
        "labels": ("array", "int64", (16,)),
        "position_ids": ("array", "int64", (16,)),
        "document_ids": ("array", "int32", (16,)),
    }
    assert list(NextToken().outputs(PLAIN)) == ["input_ids", "labels", "position_ids"]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(
        RecipeError, match=r"tasks\.next_token needs a field of ids; there is none; put maps\.tokenize before it"
    ):
        NextToken().outputs({"text": Field(kind="text")})
    with pytest.raises(RecipeError, match="there is a field `labels` already; one task makes it"):
        NextToken().outputs({**PLAIN, "labels": Field(kind="array")})
    with pytest.raises(DataError, match=r"tasks\.next_token: row 1 of the batch has 1 tokens, wanted at least 2"):
        label(NextToken(), PLAIN, plain([[5, 6], [7]]))
    rows = Rows(named(1), {"ids": np.array([[4, 5]], np.uint16), "document_ids": np.array([[0]], np.int32)})
    with pytest.raises(DataError, match="`document_ids` has other lengths than `ids`"):
        label(NextToken(), PLAIN, rows)
    with pytest.raises(DataError, match="field `ids` holds int64, wanted ids as stored, uint16 or uint32"):
        label(NextToken(), PLAIN, Rows(named(1), {"ids": np.array([[4, 5]])}))
    assert len(label(NextToken(), packed_fields(8), corpus().take(np.empty(0, np.int64)))) == 0
