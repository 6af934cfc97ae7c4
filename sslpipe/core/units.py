"""Sizes as people write them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

_UNITS: Final = {
    **{unit: 1000**power for power, unit in enumerate(("B", "kB", "MB", "GB", "TB"))},
    **{unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)},
}
_SIZE: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?) ?([A-Za-z]+)")
SYNTAX: Final = (
    "a size: a whole number of bytes, or a number with B, kB, MB, GB, TB (thousands) or KiB, MiB, GiB, TiB (1024s), "
    "such as 200MB"
)


def parse_bytes(value: Any) -> int:
    """Bytes out of `1000`, `200MB` or `1.5GiB`; raises ValueError naming the syntax."""
    if isinstance(value, int) and not isinstance(value, bool):
        size = Fraction(value)
    elif isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())) and match[2] in _UNITS:
        size = Fraction(match[1]) * _UNITS[match[2]]
    else:
        raise ValueError(f"wanted {SYNTAX}")
    if size.denominator != 1 or not 0 <= size < 2**63:
        raise ValueError("wanted a whole number of bytes, at least 0 and below 2^63")
    return int(size)


Bytes = Annotated[int, BeforeValidator(parse_bytes)]
"""A number of bytes: an int, or text like `200MB`, `1.5GiB`, `10kB`."""
