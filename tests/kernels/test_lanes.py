"""Arithmetic of 32 bits is that of whole numbers, cut off at 32 bits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.jit import kernel
from sslpipe.kernels.lanes import byte, plus, shifted, times

NUMBER = st.integers(-(2**31), 2**31 - 1)


@kernel
def _all(one: np.int32, other: np.int32, bits: int, out: np.ndarray) -> None:
    out[0] = plus(one, other)
    out[1] = times(one, other)
    out[2] = shifted(one, bits)
    out[3] = byte(one)


def cut(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31


@given(NUMBER, NUMBER, st.integers(0, 31))
def test_what_they_compute(one: int, other: int, bits: int) -> None:
    out = np.zeros(4, np.int64)
    _all(np.int32(one), np.int32(other), bits, out)
    assert out.tolist() == [cut(one + other), cut(one * other), one >> bits, min(max(one, 0), 255)]
