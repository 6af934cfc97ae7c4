"""The masked-token kernel against the layout of draws that its file promises, in plain Python."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.kernels.mask_tokens import FATE_RANGE, SELECTION_RANGE, mask_tokens

MASK = 2
CONTROL = (0, 1, 2)
SIZE = 50


def philox(counter: tuple[int, int, int, int], key: int) -> tuple[int, int, int, int]:
    """Philox4x32-10 as in the paper."""
    c0, c1, c2, c3 = counter
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        left, right = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (right >> 32) ^ c1 ^ k0, right & 0xFFFFFFFF, (left >> 32) ^ c3 ^ k1, left & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def reference(
    tokens: list[int], padded: list[bool], words: list[int], key: int, threshold: int, mask_below: int, random_below: int
) -> tuple[list[int], list[int]]:
    """One row, token by token."""
    ordinary = [token for token in range(SIZE) if token not in CONTROL]
    draws = []
    for place in range(len(tokens)):
        word = philox((place // 8, *words), key)[place % 8 // 2]
        draws.append(word >> 16 if place % 2 else word & 0xFFFF)
    eligible = [place for place, token in enumerate(tokens) if token not in CONTROL and not padded[place]]
    chosen = [place for place in eligible if draws[place] < threshold]
    if not chosen and eligible:
        chosen = [min(eligible, key=lambda place: draws[place])]
    elif len(chosen) == len(eligible) > 1:
        chosen.remove(max(eligible, key=lambda place: draws[place]))
    inputs, labels = list(tokens), [-100] * len(tokens)
    for number, place in enumerate(chosen):
        labels[place] = tokens[place]
        fate, other = philox((2**31 + number // 2, *words), key)[2 * (number % 2) :][:2]
        if fate < mask_below:
            inputs[place] = MASK
        elif fate < random_below:
            inputs[place] = ordinary[other * len(ordinary) >> 32]
    return inputs, labels


def run(
    rows: list[list[int]], padded: list[list[bool]] | None, words: np.ndarray, keys: np.ndarray, *thresholds: int, dtype: type
) -> tuple[list[list[int]], list[list[int]]]:
    offsets = np.cumsum([0, *map(len, rows)])
    ids = np.array([token for row in rows for token in row], dtype)
    documents = np.array([-1 if pad else 0 for row in padded or () for pad in row], np.int32)
    ordinary = np.ones(SIZE, np.bool_)
    ordinary[list(CONTROL)] = False
    inputs, labels = np.empty((2, len(ids)), np.int64)
    random_ids = np.flatnonzero(ordinary).astype(np.uint32)
    assert mask_tokens(ids, offsets, documents, words, keys, ordinary, random_ids, MASK, *thresholds, inputs, labels) == -1
    cut = [slice(a, b) for a, b in itertools.pairwise(offsets)]
    return [inputs[row].tolist() for row in cut], [labels[row].tolist() for row in cut]


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[list[int]], list[list[bool]]]:
    lengths = draw(st.lists(st.one_of(st.integers(0, 20), st.integers(100, 300)), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = [rng.integers(0, SIZE, length).tolist() for length in lengths]
    return rows, [(rng.random(length) < 0.2).tolist() for length in lengths]


@settings(max_examples=60, deadline=None)
@given(
    batches(),
    st.sampled_from([1, 9830, 40000, SELECTION_RANGE]),
    st.sampled_from([(0, 0), (int(0.8 * FATE_RANGE), int(0.9 * FATE_RANGE)), (0, FATE_RANGE), (FATE_RANGE, FATE_RANGE)]),
    st.booleans(),
    st.sampled_from([np.uint16, np.uint32]),
    st.integers(0, 2**32),
)
def test_equals_the_sequential_reference(
    batch: tuple[list[list[int]], list[list[bool]]],
    threshold: int,
    fates: tuple[int, int],
    packed: bool,
    dtype: type,
    seed: int,
) -> None:
    rows, padded = batch
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 2**32, (len(rows), 3)).astype(np.uint32)
    keys = rng.integers(0, 2**64, len(rows), dtype=np.uint64)
    none = [[False] * len(row) for row in rows]
    found = run(rows, padded if packed else None, words, keys, threshold, *fates, dtype=dtype)
    wanted = [
        reference(row, pads, names.tolist(), int(key), threshold, *fates)
        for row, pads, names, key in zip(rows, padded if packed else none, words, keys, strict=True)
    ]
    assert found == ([row for row, _ in wanted], [row for _, row in wanted])


@pytest.mark.parametrize("length", [2, 7, 8, 9, 127, 128, 129])
def test_a_longer_row_draws_the_same_at_its_first_places(length: int) -> None:
    """What a row draws at a place doesn't depend on what comes behind it, once both rows have targets by chance."""
    rng = np.random.default_rng(0)
    words, keys = rng.integers(0, 2**32, (1, 3)).astype(np.uint32), np.array([7], np.uint64)
    row = rng.integers(3, SIZE, 400).tolist()
    whole, _ = run([row], None, words, keys, 40000, FATE_RANGE, FATE_RANGE, dtype=np.uint16)
    part, _ = run([row[:length]], None, words, keys, 40000, FATE_RANGE, FATE_RANGE, dtype=np.uint16)
    assert part[0] == whole[0][:length]


def test_an_id_outside_the_vocabulary_is_reported_not_read() -> None:
    ordinary, random_ids = np.ones(SIZE, np.bool_), np.arange(SIZE, dtype=np.uint32)
    ids, offsets = np.array([5, 6, 7, SIZE], np.uint16), np.array([0, 2, 4])
    inputs, labels = np.empty((2, 4), np.int64)
    words, keys = np.zeros((2, 3), np.uint32), np.zeros(2, np.uint64)
    none = np.empty(0, np.int32)
    assert mask_tokens(ids, offsets, none, words, keys, ordinary, random_ids, MASK, 9830, 0, 0, inputs, labels) == 1
