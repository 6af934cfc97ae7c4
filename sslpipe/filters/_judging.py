"""What filters share: thresholds compared as integers, and the first reason that holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.steps import Filter, Limit, Numbers, Verdicts

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


def limits_of(step: Filter, deciding: Mapping[str, tuple[str, str, str]]) -> tuple[Limit, ...]:
    """The limits of a filter that compares, for each reason, a part of a whole with a field `min_...` or `max_...`."""
    return tuple(limit(step, reason, part, (whole,) if whole else (), name) for reason, (part, whole, name) in deciding.items())


def limit(step: Filter, reason: str, part: str, whole: tuple[str, ...], field: str, unit: int = 1) -> Limit:
    """The limit that a field `min_...` or `max_...` of a filter is; see `Limit`."""
    return Limit(reason, part, whole, field, getattr(step, field), "below" if field.startswith("min_") else "above", unit)


def compared(numbers: Numbers, part: str, whole: str, threshold: str, limit: float) -> str:
    """A row's number beside the threshold: `31 words, min_words is 50`, or with a whole `6 hashes / 50 tokens = 0.12, ...`."""
    told = _count(numbers, part)
    if whole:
        told += f" / {_count(numbers, whole)} = {_quotient(numbers[part], numbers[whole], limit)}"
    return f"{told}, {threshold} is {limit:,}"


def missed(limit: Limit, numbers: Numbers) -> str:
    """A row's number beside its limit, whatever the unit and the whole: `dc / frames = 0.06, max_dc is 0.05`."""
    names = " * ".join((limit.part, *limit.whole)).replace(" * ", " / ", 1).replace("_", " ")
    quotient = _quotient(numbers[limit.part], limit.unit * math.prod(numbers[name] for name in limit.whole), limit.value)
    return f"{names} = {quotient}, {limit.field} is {limit.value:,}"


def _count(numbers: Numbers, name: str) -> str:
    return f"{numbers[name]:,} {name.replace('_', ' ')}"


def _quotient(part: float, whole: float, limit: float) -> str:
    """The quotient with as many digits, three at least, as leave it on its side of the limit."""
    exact = part / whole if whole else math.inf
    texts = [f"{exact:.{digits}g}" for digits in range(3, 18)]
    return next(text for text in texts if np.sign(float(text) - limit) == np.sign(exact - limit))
