"""Thresholds as integers, and the first reason."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sslpipe.filters._judging import above, below, compared, first_reason

COUNTS = st.integers(0, 2**40)
LIMITS = st.floats(0, 1) | st.sampled_from([0.1, 0.3, 0.29, 0.57, 0.8, 0.9, 3.0, 10.0, 1e-9])
Compare = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def exact_above(part: int, whole: int, limit: float) -> bool:
    return Fraction(part) > Fraction(repr(limit)) * whole


@settings(deadline=None)
@given(COUNTS, COUNTS, LIMITS)
@example(29, 100, 0.29)
@example(3, 30, 0.1)
@example(10**17 + 1, 10**18, 0.1)
def test_ratios_are_exact(part: int, whole: int, limit: float) -> None:
    parts, wholes = np.array([part]), np.array([whole])
    assert above(parts, wholes, limit).tolist() == [exact_above(part, whole, limit)]
    assert below(parts, wholes, limit).tolist() == [Fraction(part) < Fraction(repr(limit)) * whole]


def wrong_somewhere(compare: Compare) -> bool:
    cases = [(29, 100, 0.29), (57, 100, 0.57), (3, 30, 0.1), (10**17 + 1, 10**18, 0.1)]
    return any(bool(compare(np.array([p]), np.array([w]), x)[0]) != exact_above(p, w, x) for p, w, x in cases)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda part, whole, limit: part > limit * whole,
        lambda part, whole, limit: part / whole > limit,
        lambda part, whole, limit: ~below(part, whole, limit),
    ],
    ids=["float product", "float quotient", "limit dropped"],
)
def test_floats_and_the_wrong_side_are_caught(mutant: Compare) -> None:
    assert wrong_somewhere(mutant) and not wrong_somewhere(above)


def test_a_share_of_nothing_is_neither() -> None:
    nothing = np.zeros(1, np.int64)
    for limit in (0.0, 0.5, 1.0):
        assert not above(nothing, nothing, limit)[0] and not below(nothing, nothing, limit)[0]


def test_the_first_reason_counts() -> None:
    verdicts = first_reason({"a": np.array([0, 1, 1, 0], bool), "b": np.array([1, 1, 0, 0], bool)})
    assert verdicts.codes.tolist() == [2, 1, 1, 0] and verdicts.codes.dtype == np.uint8
    assert verdicts.reasons == ("a", "b")
    assert first_reason({"a": np.zeros(0, bool)}).codes.shape == (0,)


def test_numbers_beside_their_threshold() -> None:
    numbers = {"words": 31, "hash_marks": 1_234_567, "tokens": 2_000_000, "characters": 0.5}
    assert compared(numbers, "words", "", "min_words", 50) == "31 words, min_words is 50"
    assert compared(numbers, "characters", "", "max", 100_000) == "0.5 characters, max is 100,000"
    shown = "1,234,567 hash marks / 2,000,000 tokens = 0.617, max is 0.1"
    assert compared(numbers, "hash_marks", "tokens", "max", 0.1) == shown


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 10**9), st.floats(0, 1) | st.sampled_from([0.1, 0.3, 0.9]))
def test_a_share_is_shown_on_its_side_of_the_limit(part: int, whole: int, limit: float) -> None:
    """Rounded to what reads well, but never to the limit itself, nor across it."""
    told = float(compared({"a": part, "b": whole}, "a", "b", "x", limit).partition(" = ")[2].partition(",")[0])
    assert abs(told - part / whole) <= 0.005 * part / whole
    assert told == limit or (told > limit) == (part / whole > limit)
    assert told != limit or part / whole == limit


def test_a_share_just_beyond_its_limit() -> None:
    numbers = {"hashes": 100_001, "tokens": 1_000_000}
    assert compared(numbers, "hashes", "tokens", "max", 0.1) == "100,001 hashes / 1,000,000 tokens = 0.100001, max is 0.1"
