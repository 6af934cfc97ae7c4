"""Tidy text against plain Python, and its laws."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.ragged import Ragged
from sslpipe.kernels.normal_text import normal_text

PIECES = st.sampled_from([*"aé \t\n\r\x0b\x0c\x1c\x1f\x00\x7f\x85\x9f\xa0\u2028\u3000\ufeff", "\r\n", "\n\n", "b c", "😀"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.lists(PIECES, max_size=25).map("".join)


def tidied(texts: list[str], blank: int) -> tuple[list[str], list[bool]]:
    column = Ragged.from_texts(texts)
    values, offsets, beyond = normal_text(column.values, column.offsets, blank)
    return Ragged(values, offsets).to_texts(), beyond.tolist()


def plainly(text: str, blank: int) -> str:
    text = "\n".join([*text.splitlines(), ""])
    text = "".join(c for c in text if c in "\n\t" or (unicodedata.category(c) != "Cc" and c != "\ufeff"))
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip()
    return re.sub(rf"\n{{{blank + 2},}}", "\n" * (blank + 1), text)


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=4), st.integers(0, 3))
def test_it_is_what_plain_python_makes(texts: list[str], blank: int) -> None:
    wanted = [plainly(text, blank) for text in texts]
    assert tidied(texts, blank) == (wanted, [not text.isascii() for text in wanted])


@settings(deadline=None)
@given(TEXTS, st.integers(0, 3))
def test_twice_is_once(text: str, blank: int) -> None:
    once, _ = tidied([text], blank)
    assert tidied(once, blank)[0] == once


@settings(deadline=None)
@given(st.lists(st.binary(max_size=10), max_size=4))
def test_broken_bytes_stay_inside_their_row(rows: list[bytes]) -> None:
    column = Ragged.from_bytes(rows)
    values, offsets, _ = normal_text(column.values, column.offsets, 2)
    guarded = np.concatenate([np.frombuffer(b"\n \xc2", np.uint8), column.values, np.frombuffer(b"\x85\n ", np.uint8)])
    again, ends, _ = normal_text(guarded, column.offsets + 3, 2)
    assert np.array_equal(again, values) and np.array_equal(ends, offsets)


def test_white_space_that_waits_is_looked_at_twice_at_most() -> None:
    for text in (
        " " * 300_000 + "a",
        "a" + " " * 300_000 + "a",
        "a" + " \x00" * 150_000 + "\n" * 9 + "a",
        "a" + " \n" * 150_000 + "a",
    ):
        assert tidied([text], 1)[0] == [plainly(text, 1)]
