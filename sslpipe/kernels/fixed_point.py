"""Powers of two, logarithms and roots in whole numbers, since `exp` and `log` of libm differ from machine to machine.

A number in "Q32" is held as an integer count of 2^-32. All results are functions of integers alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sslpipe.kernels.jit import helper

ONE: Final = 2**32
"""1 in Q32."""

_ROOTS = np.array(
    [
        0xB504F334, 0x9837F052, 0x8B95C1E4, 0x85AAC368, 0x82CD8699, 0x8164D1F4, 0x80B1ED50, 0x8058D7D3,
        0x802C6437, 0x8016302F, 0x800B179D, 0x80058BAF, 0x8002C5D0, 0x800162E6, 0x8000B173, 0x800058B9,
        0x80002C5D, 0x8000162E, 0x80000B17, 0x8000058C, 0x800002C6, 0x80000163, 0x800000B1, 0x80000059,
        0x8000002C, 0x80000016, 0x8000000B, 0x80000006, 0x80000003, 0x80000001, 0x80000001, 0x80000000,
    ],
    np.uint64,
)  # fmt: skip
"""2^(2^-i) for i from 1, as a count of 2^-31, rounded."""


@helper
def exp2_mantissa(fraction: np.uint64) -> np.uint64:
    """2^f for `f` in [0, 1), Q32, as a count of 2^-31 in [2^31, 2^32); off by less than 20 of them.

    One product for each bit of `f` that is set, as in the days before floating point.
    """
    result = np.uint64(2**31)
    for bit in range(32):
        if (np.uint64(fraction) >> np.uint64(31 - bit)) & np.uint64(1):
            result = (result * _ROOTS[bit] + np.uint64(2**30)) >> np.uint64(31)
    return min(result, np.uint64(2**32 - 1))


@helper
def integer_root(number: np.uint64) -> np.uint64:
    """The largest integer whose square isn't above `number`, uint64."""
    number = np.uint64(number)
    root, bit = np.uint64(0), np.uint64(1) << np.uint64(62)
    while bit > number:
        bit >>= np.uint64(2)
    while bit > np.uint64(0):
        if number >= root + bit:
            number -= root + bit
            root = (root >> np.uint64(1)) + bit
        else:
            root >>= np.uint64(1)
        bit >>= np.uint64(2)
    return root


def log2_fixed(value: float) -> int:
    """log2 of a positive number in Q32, rounded down: its bits are read off by squaring. For constants, outside of kernels."""
    numerator, denominator = value.as_integer_ratio()
    exponent = numerator.bit_length() - denominator.bit_length()
    shift = 96 - exponent
    mantissa = (numerator << shift) // denominator if shift >= 0 else numerator // (denominator << -shift)
    if mantissa < 1 << 96:
        exponent, mantissa = exponent - 1, mantissa << 1
    result = exponent
    for _ in range(32):
        mantissa = mantissa * mantissa >> 96
        high = mantissa >> 97
        mantissa >>= high
        result = 2 * result + high
    return result
