"""Reading UTF-8 one character at a time, inside other kernels.

Text was checked when it was read, but a kernel must not trust that: a byte that starts no character counts as one replacement
character, and nothing outside `[start, end)` is ever looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper

REPLACEMENT = 0xFFFD


@helper
def character_at(values: NDArray[np.uint8], at: Any, end: Any) -> tuple[Any, Any]:
    """The code point at byte `at < end`, and how many bytes it takes."""
    first = np.int64(values[at])
    if first < 0x80:
        return first, 1
    if first < 0xC2 or first > 0xF4:
        return REPLACEMENT, 1
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if at + size > end:
        return REPLACEMENT, 1
    code = first & (0x7F >> size)
    for step in range(1, size):
        byte = np.int64(values[at + step])
        if byte & 0xC0 != 0x80:
            return REPLACEMENT, 1
        code = (code << 6) | (byte & 0x3F)
    if code > 0x10FFFF:
        return REPLACEMENT, 1
    return code, size


@helper
def character_before(values: NDArray[np.uint8], start: Any, at: Any) -> tuple[Any, Any]:
    """The code point that ends before byte `at > start`, and how many bytes it takes."""
    if values[at - 1] < 0x80:
        return np.int64(values[at - 1]), 1
    lead = at - 1
    while lead > start and lead > at - 4 and values[lead] & 0xC0 == 0x80:
        lead -= 1
    code, size = character_at(values, lead, at)
    if lead + size == at:
        return code, size
    return REPLACEMENT, 1


@helper
def breaks_line(code: Any) -> Any:
    """Whether a code point ends a line, as `str.splitlines` has it."""
    if code < 0x80:
        return 0x0A <= code <= 0x0D or 0x1C <= code <= 0x1E
    return code in (0x85, 0x2028, 0x2029)
