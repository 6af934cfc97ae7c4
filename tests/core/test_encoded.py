"""Encoded columns decode each row once, and keep bytes that nothing changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.core.damage import Damage
from sslpipe.core.encoded import Bytes, Encoded
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows


class Shouting:
    """A codec for text: bytes in lower case, values in upper case; a `!` can't be decoded, a `?` comes out shorter."""

    def __init__(self) -> None:
        self.decoded: list[bytes] = []

    def decode(self, data: Bytes, at_least: int | None = None) -> tuple[str, bool]:
        self.decoded.append(bytes(data))
        if b"!" in bytes(data):
            raise Damage("shouting.mark", bytes(data).index(b"!"), "a mark")
        text = bytes(data).decode().upper()
        return (text[:at_least], False) if at_least is not None and len(text) > at_least else (text, True)

    def shrinks(self, data: Bytes, at_least: int) -> bool:
        return len(data) > at_least

    def encode(self, value: str) -> bytes:
        return value.lower().encode()

    def blank(self) -> str:
        return "-"

    def weight(self, data: Bytes) -> int:
        return 2 * len(data)


words = st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=6)


def column_of(texts: list[str], forgiving: bool = False) -> tuple[Encoded[str], Shouting]:
    codec = Shouting()
    return Encoded.of(Ragged.from_texts(texts), codec, forgiving), codec


@given(words)
def test_each_row_is_decoded_once_and_its_bytes_stay(texts: list[str]) -> None:
    column, codec = column_of(texts)
    assert column.values() == column.values() == [text.upper() for text in texts]
    assert len(codec.decoded) == len(texts)
    assert column.stored().to_texts() == texts
    assert not column.changed.any()
    assert column.weights().tolist() == [2 * len(text) for text in texts]


@given(words, st.data())
def test_picked_rows_remember_what_was_decoded(texts: list[str], data: st.DataObject) -> None:
    column, codec = column_of(texts)
    column.values()
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1)))
    taken = column.take(np.array(rows, np.int64))
    assert taken.values() == [texts[row].upper() for row in rows]
    assert column.view(1, 99).values() == [text.upper() for text in texts[1:]]
    assert len(codec.decoded) == len(texts)
    assert taken.stored().to_texts() == [texts[row] for row in rows]


@given(words, st.data())
def test_only_changed_rows_are_encoded_again(texts: list[str], data: st.DataObject) -> None:
    column, _ = column_of(texts)
    changed = data.draw(st.dictionaries(st.integers(0, len(texts) - 1), st.text("XYZ", min_size=1, max_size=3)))
    new = column.with_values(changed)
    assert np.flatnonzero(new.changed).tolist() == sorted(changed)
    assert new.stored().to_texts() == [changed.get(row, text).lower() for row, text in enumerate(texts)]
    assert column.stored().to_texts() == texts
    again = new.with_data(dict.fromkeys(changed, b"zz"))
    assert not again.changed.any()
    assert [again.value(row) for row in sorted(changed)] == ["ZZ"] * len(changed)


def test_a_smaller_value_is_not_taken_for_the_whole() -> None:
    column, codec = column_of(["abcde"])
    assert column.value(0, at_least=2) == "AB"
    assert column.value(0) == "ABCDE"
    assert column.value(0, at_least=2) == "AB", "no step may see other pixels because another one ran before it"
    assert column.value(0, at_least=5) == "ABCDE", "what is there needs no decoding"
    assert len(codec.decoded) == 3


def test_damage_is_noted_or_raised() -> None:
    strict, _ = column_of(["ab", "a!"])
    with pytest.raises(Damage, match="a mark"):
        strict.values()
    forgiving, _ = column_of(["ab", "a!"], forgiving=True)
    assert forgiving.values() == ["AB", "-"]
    assert {row: damage.reason for row, damage in forgiving.damages.items()} == {1: "shouting.mark"}
    assert forgiving.view(1, 2).values() == ["-"], "a picked row stays blank"


def test_rows_give_bytes_and_keep_what_is_decoded() -> None:
    column, codec = column_of(["ab", "c"])
    names = Names.from_keys(np.arange(2, dtype=np.uint64), np.arange(2, dtype=np.uint64))
    rows = Rows(names, {"word": column.with_values({1: "XY"})})
    assert rows.ragged("word").to_texts() == ["ab", "xy"]
    assert rows.nbytes().tolist() == [2, 2]
    column.values()
    picked = rows.take(np.array([True, False])).columns["word"]
    assert isinstance(picked, Encoded)
    assert isinstance(rows.stored().columns["word"], Ragged)
    assert codec.decoded == [b"ab", b"c"]


@given(words, st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=1, max_size=4))
def test_a_value_does_not_depend_on_what_was_asked_before(texts: list[str], sizes: list[int | None]) -> None:
    column, codec = column_of(texts)
    for size in sizes:
        assert column.values(size) == [text.upper()[:size] for text in texts]
    changed = column.with_values({0: "LONG ENOUGH"})
    assert changed.value(0, 1) == "LONG ENOUGH"
    whole, codec = column_of(texts)
    whole.values()
    assert whole.values(5) == whole.values() and len(codec.decoded) == len(texts)
