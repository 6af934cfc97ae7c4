"""Collate pads, masks and cuts, and changes no value."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.fields import Field, Vocabulary
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.stream.collate import collate, sequence_ends

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=8)


def names(count: int) -> Names:
    return Names.from_keys(np.arange(count, dtype=np.uint64), np.arange(count, dtype=np.uint64))


def ragged(lengths: list[int], dtype: str = "int64") -> Ragged:
    return Ragged.from_lengths(np.arange(1, sum(lengths) + 1).astype(dtype), np.array(lengths))


@settings(max_examples=150, deadline=None)
@given(LENGTHS, st.integers(0, 99))
def test_padding_and_mask(lengths: list[int], pad: int) -> None:
    fields = {"input_ids": Field(kind="ids", dtype="int64", vocabulary=Vocabulary(size=100, pad=pad))}
    columns = {
        "input_ids": ragged(lengths),
        "labels": ragged(lengths),
        "other": ragged(lengths, "uint16"),
        "_hidden": ragged(lengths),
    }
    before = columns["input_ids"].values.copy()
    batch = collate(Rows(names(len(lengths)), columns), fields)
    longest = max(lengths)
    assert batch["input_ids"].shape == (len(lengths), longest)
    assert "_hidden" not in batch and batch["input_ids"].dtype == np.int64
    for name, filler in (("input_ids", pad), ("labels", -100), ("other", 0)):
        for row, length in enumerate(lengths):
            assert batch[name][row, :length].tolist() == columns[name][row].tolist()
            assert (batch[name][row, length:] == filler).all()
    if len(set(lengths)) == 1:
        assert "attention_mask" not in batch
    else:
        assert batch["attention_mask"].dtype == np.int64
        assert batch["attention_mask"].tolist() == [[int(i < length) for i in range(longest)] for length in lengths]
    assert (columns["input_ids"].values == before).all()


def test_views_of_a_column_collate_like_copies() -> None:
    whole = Rows(names(4), {"ids": ragged([2, 3, 3, 1], "uint16")})
    fields = {"ids": Field(kind="ids", dtype="uint16")}
    for start, stop in ((0, 4), (1, 3), (2, 4), (3, 3)):
        view, copy = whole.view(start, stop), whole.take(np.arange(start, stop))
        a, b = collate(view, fields), collate(copy, fields)
        assert {name: value.tolist() for name, value in a.items()} == {name: value.tolist() for name, value in b.items()}


def test_raw_ids_are_widened_and_can_be_written() -> None:
    source = ragged([3, 3], "uint16")
    source.values.setflags(write=False)
    batch = collate(Rows(names(2), {"ids": source}), {"ids": Field(kind="ids", dtype="uint16")})
    assert batch["ids"].dtype == np.int64 and batch["ids"].flags.writeable


def test_pad_id_beyond_a_narrow_dtype() -> None:
    fields = {"ids": Field(kind="ids", dtype="uint16", vocabulary=Vocabulary(size=70_001, pad=70_000))}
    batch = collate(Rows(names(2), {"ids": ragged([1, 2], "uint16")}), fields)
    assert batch["ids"].tolist() == [[1, 70_000], [2, 3]]


def reference_ends(documents: np.ndarray) -> list[int]:
    ends, previous, count = [0], None, 0
    for row, line in enumerate(documents.tolist()):
        for number in line:
            if number == -1:
                continue
            if previous is not None and previous != (row, number):
                ends.append(count)
            previous, count = (row, number), count + 1
    return [*ends, count] if count else ends


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda width: st.lists(st.lists(st.integers(-1, 2), min_size=width, max_size=width), min_size=1, max_size=5)
    )
)
def test_sequence_ends_are_those_of_a_plain_loop(lines: list[list[int]]) -> None:
    documents = np.array(lines, np.int32)
    ends, longest = sequence_ends(documents)
    assert ends.tolist() == reference_ends(documents)
    assert ends.dtype == np.int32 and type(longest) is int
    assert longest == max(np.diff(ends).tolist(), default=0)


def test_packed_rows_with_padding_get_a_mask() -> None:
    documents = np.array([[0, 0, 1], [0, -1, -1]], np.int32)
    rows = Rows(names(2), {"input_ids": np.ones((2, 3), np.int64), "document_ids": documents})
    batch = collate(rows, {})
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["cu_seqlens"].tolist() == [0, 2, 3, 4] and batch["max_seqlen"] == 2
    full = collate(Rows(names(1), {"input_ids": np.ones((1, 3), np.int64), "document_ids": documents[:1]}), {})
    assert "attention_mask" not in full and full["cu_seqlens"].tolist() == [0, 2, 3]


def test_text_meta_and_keys() -> None:
    columns = {
        "text": Ragged.from_texts(["a", "", "Über"]),
        "meta": Ragged.from_texts([json.dumps({"n": i}) for i in range(3)]),
    }
    fields = {"text": Field(kind="text"), "meta": Field(kind="meta")}
    batch = collate(Rows(names(3), columns), fields, with_keys=True)
    assert batch["text"] == ["a", "", "Über"] and batch["meta"] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert batch["__key__"] == names(3).texts()
