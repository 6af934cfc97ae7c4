"""Hashes decide what is kept and where it goes: they are pinned, and one decision says nothing about another."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xxhash
from core_support import random_keys
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.core.hashes import PURPOSES, Purpose, fingerprint, mix, payload_digest, purpose_hash, split_digests

FIELDS = st.dictionaries(st.text(max_size=4), st.binary(max_size=9), max_size=4)


@given(FIELDS)
def test_order_of_fields_is_irrelevant(fields: dict[str, bytes]) -> None:
    turned = dict(reversed(fields.items()))
    views = {name: memoryview(payload) for name, payload in turned.items()}
    assert payload_digest(fields) == payload_digest(turned) == payload_digest(views)


def _without_lengths(fields: dict[str, bytes]) -> bytes:
    return xxhash.xxh3_128_digest(b"".join(name.encode() + fields[name] for name in sorted(fields)))


def _as_documented(fields: dict[str, bytes]) -> bytes:
    pieces = []
    for name in sorted(fields):
        label = name.encode()
        pieces += [len(label).to_bytes(4, "little"), label, len(fields[name]).to_bytes(8, "little"), fields[name]]
    return xxhash.xxh3_128_digest(b"".join(pieces))


@given(FIELDS)
def test_digest_is_as_documented(fields: dict[str, bytes]) -> None:
    assert payload_digest(fields) == _as_documented(fields)
    assert len(payload_digest(fields)) == 16


@pytest.mark.parametrize(
    ("first", "second"),
    [({"a": b"bc"}, {"ab": b"c"}), ({"a": b"b"}, {"a": b"", "b": b""}), ({"a": b"1b2"}, {"a": b"1", "b": b"2"})],
)
def test_lengths_keep_fields_apart(first: dict[str, bytes], second: dict[str, bytes]) -> None:
    assert payload_digest(first) != payload_digest(second)
    assert _without_lengths(first) == _without_lengths(second), "the mutant without lengths should collide"


@given(FIELDS, FIELDS)
def test_different_fields_have_different_digests(first: dict[str, bytes], second: dict[str, bytes]) -> None:
    assert (payload_digest(first) == payload_digest(second)) == (first == second)


def _mix_in_python(state: int, word: int) -> int:
    wide = 2**64 - 1
    state = (state + word * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & wide
    for multiplier in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        state = ((state ^ (state >> 33)) * multiplier) & wide
    return state ^ (state >> 33)


WORD = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(WORD, WORD), max_size=5))
def test_mix_is_the_published_finaliser(pairs: list[tuple[int, int]]) -> None:
    states = np.array([state for state, _ in pairs], np.uint64)
    words = np.array([word for _, word in pairs], np.uint64)
    assert mix(states, words).tolist() == list(itertools.starmap(_mix_in_python, pairs))
    assert (mix(states, np.uint64(3)) == mix(states, np.full(len(pairs), 3, np.uint64))).all()


def test_mix_of_neighbours_flips_half_of_the_bits() -> None:
    states = np.arange(4000, dtype=np.uint64)
    for flipped in (
        mix(states, np.uint64(1)) ^ mix(states, np.uint64(2)),
        mix(states, np.uint64(1)) ^ mix(states + 1, np.uint64(1)),
    ):
        bits = np.unpackbits(flipped.view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
        assert np.abs(bits - 0.5).max() < 5 * 0.5 / 4000**0.5


def _chi2_of_pairs(first: np.ndarray, second: np.ndarray, bits: int = 3) -> float:
    """Chi square over its degrees of freedom of the top bits of two hashes, seen together."""
    shift = np.uint64(64 - bits)
    cells = ((first >> shift) << np.uint64(bits)) | (second >> shift)
    counts = np.bincount(cells.astype(np.int64), minlength=4**bits)
    wanted = len(first) / 4**bits
    return float(((counts - wanted) ** 2 / wanted).sum() / (4**bits - 1))


LIMIT = 1 + 5 * (2 / 63) ** 0.5
"""Five sigma of chi2/df at 63 degrees of freedom."""


@pytest.mark.parametrize("keys", ["random", "counted"])
def test_purposes_are_independent(keys: str) -> None:
    count = 20_000
    high, low = random_keys(count, 3) if keys == "random" else (np.zeros(count, np.uint64), np.arange(count, dtype=np.uint64))
    hashes = {purpose: purpose_hash(purpose, high, low, seed=0) for purpose in PURPOSES}
    for first, second in itertools.combinations(hashes, 2):
        assert _chi2_of_pairs(hashes[first], hashes[second]) < LIMIT, (first, second)
        correlation = np.corrcoef(hashes[first].astype(float), hashes[second].astype(float))[0, 1]
        assert abs(correlation) < 5 / count**0.5, (first, second)


def test_one_hash_for_two_purposes_is_caught() -> None:
    high, low = random_keys(20_000, 3)
    order = purpose_hash("order", high, low, seed=0)
    assert _chi2_of_pairs(order, order) > 10 * LIMIT
    sampled = order < np.uint64(2**61)
    assert (order[sampled] >> np.uint64(61) == 0).all(), "a sample taken by the order hash would be the first shards"


@pytest.mark.parametrize(("purpose", "moves"), [("order", True), ("sample", True), ("split", False), ("priority", False)])
def test_what_the_seed_moves(purpose: Purpose, moves: bool) -> None:
    high, low = random_keys(2000, 1)
    seeded = [purpose_hash(purpose, high, low, seed) for seed in (0, 1, 2**63)]
    for first, second in itertools.combinations(seeded, 2):
        assert bool((first != second).all()) is moves
        assert bool((first == second).all()) is not moves
    assert PURPOSES[purpose] is moves


def test_a_hash_knows_nothing_of_the_batch() -> None:
    high, low = random_keys(50, 1)
    whole = purpose_hash("order", high, low, 5)
    assert (purpose_hash("order", high[::-1], low[::-1], 5)[::-1] == whole).all()
    assert [int(purpose_hash("order", high[i : i + 1], low[i : i + 1], 5)[0]) for i in range(50)] == whole.tolist()


def test_both_halves_of_a_key_count() -> None:
    high, low = random_keys(100, 1)
    base = purpose_hash("split", high, low, 0)
    assert (base != purpose_hash("split", high ^ np.uint64(1), low, 0)).all()
    assert (base != purpose_hash("split", high, low ^ np.uint64(1), 0)).all()
    assert (base != purpose_hash("split", low, high, 0)).all()


@given(st.lists(FIELDS, max_size=5))
def test_split_digests_joins_again(rows: list[dict[str, bytes]]) -> None:
    digests = [payload_digest(row) for row in rows]
    high, low = split_digests(digests)
    pairs = zip(high.tolist(), low.tolist(), strict=True)
    assert [f"{a:016x}{b:016x}" for a, b in pairs] == [digest.hex() for digest in digests]
    assert high.dtype == low.dtype == np.uint64


def test_fingerprints() -> None:
    assert fingerprint({"a": 1, "b": (2,)}) == fingerprint({"b": [2], "a": 1})
    assert len({fingerprint(), fingerprint(1), fingerprint("1"), fingerprint([1]), fingerprint(1, None)}) == 5
    assert len(fingerprint("ä")) == 32


def test_golden_values() -> None:
    """Changing one of these changes every dataset: raise the version in the hashed label, and say so."""
    assert payload_digest({}).hex() == "99aa06d3014798d86001c324468d497f"
    assert payload_digest({"text": b"Hello"}).hex() == "c481e7d309b887d7b1bb6bad024de49e"
    assert payload_digest({"image": b"\x00", "text": b"Hello"}).hex() == "4c528ec8b451749fecd320c6da8eba6c"
    key = np.array([1], np.uint64), np.array([2], np.uint64)
    hashes = {purpose: f"{int(purpose_hash(purpose, *key, 17)[0]):016x}" for purpose in PURPOSES}
    assert hashes == {
        "order": "d9e3aea8f84aa73d",
        "split": "4cbc6f37c703604c",
        "sample": "a18514e57c6c84ad",
        "priority": "342176ebaf591e47",
    }
    assert fingerprint("domain.1", [("train", 3, {"ids": 7})]) == "c525f4cd20f41314caa7bb097adadf3f"
