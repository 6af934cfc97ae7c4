"""Names are unique, stand in a tar, and give each row draws of its own."""

from __future__ import annotations

import re

import numpy as np
import pytest
from core_support import named, random_keys, random_names
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.core.names import WHOLE, Names

GOLDEN_CHILDREN = [
    "aa8de32f19340dd764280dcd66a8d688",
    "8a3575490d3a1e245e9dfa35ebf2b9b7",
    "e1882dc6cd4df9ac24cfe00ac19fa0fb",
]
LONGEST = 100 - 20
"""A tar holds names of 100 bytes; 20 are left for what a field appends."""
PATTERN = re.compile(r"([0-9a-f]{16})([0-9a-f]{16})(?:x([1-9][0-9]*))?(?:-(0|[1-9][0-9]*))?")


@st.composite
def any_names(draw: st.DrawFn) -> Names:
    """Few keys, so that names differ by occurrence and offset alone; extremes included."""
    key = st.sampled_from([0, 1, 2**64 - 1])
    offset = st.sampled_from([WHOLE, 0, 1, 10, 2**63 - 1])
    rows = draw(st.lists(st.tuples(key, key, st.sampled_from([0, 1, 10, 2**32 - 1]), offset), max_size=12))
    columns = [np.array([row[i] for row in rows], t) for i, t in enumerate((np.uint64, np.uint64, np.uint32, np.int64))]
    return Names(*columns)


def _tuples(names: Names) -> list[tuple[int, ...]]:
    columns = (names.high, names.low, names.occurrence, names.offset)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(any_names())
def test_texts_say_the_name(names: Names) -> None:
    for text, name in zip(names.texts(), _tuples(names), strict=True):
        assert text.isascii() and "." not in text and "/" not in text and len(text) <= LONGEST
        parts = PATTERN.fullmatch(text)
        assert parts is not None
        high, low, occurrence, offset = parts.groups()
        assert (int(high, 16), int(low, 16), int(occurrence or 0), int(offset) if offset else WHOLE) == name


@given(any_names())
def test_texts_are_equal_where_names_are(names: Names) -> None:
    assert len(set(names.texts())) == len(set(_tuples(names)))


def test_texts_without_their_marks_are_caught() -> None:
    names = Names(*(np.array(c, t) for c, t in zip(([1, 1], [2, 2], [1, 11], [1, WHOLE]), "QQIq", strict=True)))
    mutant = [text.replace("x", "").replace("-", "") for text in names.texts()]
    assert len(set(names.texts())) == 2 and len(set(mutant)) == 1


def test_golden_texts() -> None:
    names = Names(*(np.array(c, t) for c, t in zip(([1] * 4, [255] * 4, [0, 2, 0, 2], [-1, -1, 0, 17]), "QQIq", strict=True)))
    key = "000000000000000100000000000000ff"
    assert names.texts() == [key, f"{key}x2", f"{key}-0", f"{key}x2-17"]


@given(st.integers(0, 6).flatmap(named), st.integers(0, 6).flatmap(named))
def test_concat_and_take(first: Names, second: Names) -> None:
    both = Names.concat([first, second])
    assert _tuples(both) == _tuples(first) + _tuples(second)
    assert _tuples(both.take(slice(len(first), None))) == _tuples(second)
    assert _tuples(both.take(np.arange(len(both))[::-1])) == _tuples(both)[::-1]


def test_names_of_whole_rows_and_pieces() -> None:
    whole = random_names(3)
    assert not whole.occurrence.any() and (whole.offset == WHOLE).all()
    pieces = whole.pieces(np.array([2, 2, 0]), np.array([0, 5, 1]))
    assert pieces.high.tolist() == whole.high[[2, 2, 0]].tolist() and pieces.offset.tolist() == [0, 5, 1]


@given(st.integers(1, 6).flatmap(named), st.integers(1, 5))
def test_children_have_keys_of_their_own(names: Names, pieces: int) -> None:
    rows, numbers = np.repeat(np.arange(len(names)), pieces), np.tile(np.arange(pieces), len(names))
    children = names.children(rows, numbers)
    assert len({*children.texts(), *names.texts()}) == len(names) * pieces + len(names)
    assert children.occurrence.tolist() == names.occurrence[rows].tolist()
    alone = [
        names.take(slice(row, row + 1)).children(np.array([0]), np.array([number]))
        for row, number in zip(rows, numbers, strict=True)
    ]
    assert Names.concat(alone).texts() == children.texts(), "a piece's name knows nothing of the batch"


def test_equal_rows_have_children_of_equal_keys() -> None:
    high, low = random_keys(1, 5)
    names = Names(high.repeat(2), low.repeat(2), np.array([0, 1], np.uint32), np.full(2, WHOLE))
    children = names.children(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    keys = [text.partition("x")[0] for text in children.texts()]
    assert keys[:2] == keys[2:] and keys[0] != keys[1] and len(set(children.texts())) == 4


def test_golden_children() -> None:
    names = Names.from_keys(np.array([1, 255], np.uint64), np.array([255, 1], np.uint64))
    assert names.children(np.array([0, 0, 1]), np.array([0, 7, 0])).texts() == GOLDEN_CHILDREN


def test_words_of_whole_rows_are_the_key() -> None:
    words = Names.from_keys(np.array([0x0123456789ABCDEF], np.uint64), np.array([0xFEDCBA9876543210], np.uint64)).words()
    assert words.dtype == np.uint32
    assert words.tolist() == [[0x01234567, 0x89ABCDEF, 0xFEDCBA98]]


def test_words_differ_by_occurrence_and_offset() -> None:
    high, low = random_keys(1, 5)
    occurrences, offsets = (grid.ravel() for grid in np.meshgrid(np.arange(40), np.arange(-1, 39)))
    names = Names(high.repeat(1600), low.repeat(1600), occurrences.astype(np.uint32), offsets.astype(np.int64))
    words = names.words()
    assert len(np.unique(words, axis=0)) == 1600
    for word in range(3):
        assert len(np.unique(words[:, word])) == pytest.approx(1600, abs=2), "each word alone is as good as hashed"


def test_words_of_the_key_alone_are_caught() -> None:
    high, low = random_keys(1, 5)
    names = Names(high.repeat(2), low.repeat(2), np.array([0, 1], np.uint32), np.full(2, WHOLE))
    mutant = Names.from_keys(names.high, names.low).words()
    assert len(np.unique(names.words(), axis=0)) == 2 and len(np.unique(mutant, axis=0)) == 1


@given(st.integers(1, 8).flatmap(named))
def test_words_know_nothing_of_the_batch(names: Names) -> None:
    order = np.random.default_rng(len(names)).permutation(len(names))
    assert (names.take(order).words() == names.words()[order]).all()
    assert all((names.take(slice(i, i + 1)).words()[0] == names.words()[i]).all() for i in range(len(names)))


def test_golden_words() -> None:
    columns = ([7, 7, 7], [9, 9, 9], [0, 1, 1], [-1, -1, 5])
    names = Names(*(np.array(c, t) for c, t in zip(columns, "QQIq", strict=True)))
    assert names.words().tolist() == [[0, 7, 0], [754476333, 3994127734, 3313578528], [191253752, 2364976679, 2700178613]]
