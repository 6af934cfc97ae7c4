"""Characters forwards and backwards."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.kernels.utf8 import REPLACEMENT, breaks_line, character_at, character_before


@settings(deadline=None)
@given(st.characters(exclude_categories=["Cs"]), st.text(max_size=2), st.text(max_size=2))
def test_a_character_reads_alike_from_both_sides(character: str, front: str, back: str) -> None:
    data = np.frombuffer((front + character + back).encode(errors="replace"), np.uint8)
    start = len(front.encode(errors="replace"))
    wanted = (ord(character), len(character.encode()))
    assert character_at(data, start, len(data)) == wanted
    assert character_before(data, 0, start + wanted[1]) == wanted


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=6))
def test_any_byte_is_some_character(raw: bytes) -> None:
    data = np.frombuffer(raw, np.uint8)
    at = 0
    while at < len(data):
        code, size = character_at(data, at, len(data))
        assert 0 <= code <= 0x10FFFF and 1 <= size <= len(data) - at
        at += size
    code, size = character_before(data, 0, len(data))
    assert 0 <= code <= 0x10FFFF and 1 <= size <= len(data)


def test_a_character_that_the_end_cuts_is_replaced() -> None:
    data = np.frombuffer("…".encode(), np.uint8)
    assert character_at(data, 0, 2) == (REPLACEMENT, 1)
    assert character_before(data, 1, 3) == (REPLACEMENT, 1)


def test_line_ends_are_those_of_python() -> None:
    found = {code for code in range(0x3000) if breaks_line(code)}
    assert found == {code for code in range(0x3000) if len(f"a{chr(code)}b".splitlines()) == 2}
