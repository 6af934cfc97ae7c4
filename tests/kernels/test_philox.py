"""Philox equals the generator of the paper, word for word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.kernels.philox import below, philox_block, philox_row, philox_rows

VECTORS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
"""Known answers of Random123 (`kat_vectors`, philox4x32 10): counter, key, output."""

WIDE = 2**32 - 1
WORD = st.integers(0, WIDE)


def _in_python(counter: list[int], key: list[int], rounds: int = 10) -> list[int]:
    """The paper's definition, figure 4 and table 2, over Python's integers."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(rounds):
        left, right = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (right >> 32) ^ c1 ^ k0, right & WIDE, (left >> 32) ^ c3 ^ k1, left & WIDE
        k0, k1 = (k0 + 0x9E3779B9) & WIDE, (k1 + 0xBB67AE85) & WIDE
    return [c0, c1, c2, c3]


def _words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def _compiled(counter: list[int], key: list[int]) -> list[int]:
    return [int(word) for word in philox_block(*map(np.uint64, (*counter, *key)))]


@pytest.mark.parametrize(("counter", "key", "answer"), VECTORS)
def test_known_answers(counter: str, key: str, answer: str) -> None:
    assert _compiled(_words(counter), _words(key)) == _words(answer)
    assert _in_python(_words(counter), _words(key)) == _words(answer)
    assert _in_python(_words(counter), _words(key), rounds=9) != _words(answer), "the mutant with nine rounds should differ"


@settings(max_examples=100, deadline=None)
@given(st.lists(WORD, min_size=4, max_size=4), st.lists(WORD, min_size=2, max_size=2))
def test_block_is_the_definition(counter: list[int], key: list[int]) -> None:
    assert _compiled(counter, key) == _in_python(counter, key)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORD, min_size=3, max_size=3), st.integers(0, 2**64 - 1), st.integers(0, 23))
def test_row_lays_blocks_end_to_end(words: list[int], key: int, count: int) -> None:
    out = np.full(count, 7, np.uint32)
    philox_row(np.array(words, np.uint32), np.uint64(key), out)
    blocks = [_in_python([block, *words], [key & WIDE, key >> 32]) for block in range(-(-count // 4))]
    assert out.tolist() == [word for block in blocks for word in block][:count]


def test_first_known_answer_through_a_row() -> None:
    out = np.empty((2, 4), np.uint32)
    philox_rows(np.zeros((2, 3), np.uint32), np.zeros(2, np.uint64), out)
    assert out.tolist() == [_words(VECTORS[0][2])] * 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6), st.integers(0, 9), st.integers(0, 999))
def test_rows_are_rows(rows: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    words = random.integers(0, 2**32, (rows, 3), np.uint32)
    keys = random.integers(0, 2**64, rows, np.uint64)
    out = np.empty((rows, count), np.uint32)
    philox_rows(words, keys, out)
    for row in range(rows):
        one = np.empty(count, np.uint32)
        philox_row(words[row], keys[row], one)
        assert (out[row] == one).all()


@settings(max_examples=100, deadline=None)
@given(WORD, st.integers(1, 2**32))
def test_below_is_a_product_shifted(draw: int, bound: int) -> None:
    number = below(np.uint32(draw), np.int64(bound))
    assert number == draw * bound >> 32
    assert 0 <= number < bound


def test_bits_are_even_and_unrelated() -> None:
    count = 20_000
    words = np.zeros((count, 3), np.uint32)
    words[:, 0] = np.arange(count)
    out = np.empty((count, 4), np.uint32)
    philox_rows(words, np.full(count, 5, np.uint64), out)
    bits = np.unpackbits(out.view(np.uint8), axis=1).astype(float)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / count**0.5
    related = np.corrcoef(bits, rowvar=False) - np.eye(bits.shape[1])
    assert np.abs(related).max() < 6 / count**0.5
