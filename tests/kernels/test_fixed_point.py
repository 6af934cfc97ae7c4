"""Powers, logarithms and roots against exact arithmetic."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.fixed_point import _ROOTS, ONE, exp2_mantissa, integer_root, log2_fixed

getcontext().prec = 60


def test_the_table_is_right() -> None:
    exact = [round(Decimal(2) ** (Decimal(1) / 2**place) * 2**31) for place in range(1, 33)]
    assert _ROOTS.tolist() == exact


@given(st.integers(0, 2**32 - 1))
def test_powers_of_two_are_near(fraction: int) -> None:
    exact = Decimal(2) ** (Decimal(fraction) / ONE) * 2**31
    found = int(exp2_mantissa(np.uint64(fraction)))
    assert 2**31 <= found < 2**32
    assert abs(found - exact) < 20


def test_powers_at_the_ends() -> None:
    assert exp2_mantissa(np.uint64(0)) == 2**31
    assert exp2_mantissa(np.uint64(ONE // 2)) == 0xB504F334
    assert exp2_mantissa(np.uint64(ONE - 1)) < 2**32


@given(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1).map(lambda root: root * root)))
def test_roots_are_exact(number: int) -> None:
    assert int(integer_root(np.uint64(number))) == math.isqrt(number)
    assert int(integer_root(np.uint64(max(number - 1, 0)))) == math.isqrt(max(number - 1, 0))


@given(st.floats(1e-300, 1e300))
def test_logarithms_are_rounded_down(value: float) -> None:
    exact = Decimal(value).ln() / Decimal(2).ln() * ONE
    assert -Decimal("1e-6") <= exact - log2_fixed(value) < 1 + Decimal("1e-6")


@pytest.mark.parametrize("power", [-1000, -3, -1, 0, 1, 5, 900])
def test_logarithms_of_powers_are_exact(power: int) -> None:
    assert log2_fixed(2.0**power) == power * ONE
