"""What filters share: thresholds compared as integers, and the first reason that holds."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.steps import Verdicts

_SAFE = 2**62


def above(part: NDArray[Any], whole: NDArray[Any], limit: float) -> NDArray[np.bool_]:
    """Where `part / whole > limit`, for counts int64 `[n]`; never where `whole` and `part` are 0."""
    left, right = _sides(part, whole, limit)
    return np.asarray(left > right, np.bool_)


def below(part: NDArray[Any], whole: NDArray[Any], limit: float) -> NDArray[np.bool_]:
    """Where `part / whole < limit`, for counts int64 `[n]`; never where `whole` is 0."""
    left, right = _sides(part, whole, limit)
    return np.asarray(left < right, np.bool_)


def _sides(part: NDArray[Any], whole: NDArray[Any], limit: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """`part * d` and `whole * n` for the limit `n / d`: the decimal as it was written, so that 3 of 30 is exactly 0.1."""
    exact = Fraction(repr(float(limit)))
    largest = max(int(np.max(part, initial=0)), int(np.max(whole, initial=0)))
    if largest * max(exact.numerator, exact.denominator) >= _SAFE:
        part, whole = part.astype(object), whole.astype(object)
    return part * exact.denominator, whole * exact.numerator


def first_reason(checks: Mapping[str, NDArray[np.bool_]]) -> Verdicts:
    """Verdicts from masks `[n]` of dropped rows by reason, the first that holds counting."""
    masks = list(checks.values())
    codes = np.zeros(len(masks[0]), np.uint8)
    for position in range(len(masks) - 1, -1, -1):
        codes[masks[position]] = position + 1
    return Verdicts(codes, tuple(checks))
