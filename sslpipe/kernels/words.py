"""What a word is: the tokens that a run of characters without white space divides into.

The rules follow what the English tokenizer of spaCy does on ordinary text (datatrove's choice), without its word lists and its
patterns for addresses, so that one pass decides them. For a run between white space, in this order:

1. Characters that are `PREFIX` come off the front and those that are `SUFFIX` off the back, each a token of its own; two or
   more full stops at either end are one token. `+` before a digit stays. One full stop at the end comes off behind a digit, a
   `SUFFIX` character, two capitals, or a lower-case letter; but it stays behind a single letter, so `J.` and `e.g.` are whole.
2. An English ending comes off the back: `n't` `'s` `'S` `'d` `'m` `'ll` `'re` `'ve`, with either apostrophe.
3. What is left is one token if it holds `://`. Otherwise these separate, and are tokens themselves: two or more full stops, or
   the ellipsis character, anywhere; `+ - * ^` between a digit and a digit or `-`; a full stop between a lower-case and an
   upper-case letter; a comma between letters; one to three equal characters of `- ~` and the two dashes, or one of
   `: < > = /`, between a letter or digit and a letter.

Letters of scripts without case count as both cases. Text in scripts that don't put spaces between words is cut at punctuation
at the ends of runs only; its words need another measure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper
from sslpipe.kernels.unicode_tables import DIGIT, LOWER, PREFIX, SUFFIX, UPPER
from sslpipe.kernels.utf8 import character_at, character_before

LETTER = LOWER | UPPER

_EN_DASH, _EM_DASH, _ELLIPSIS, _APOSTROPHE = 0x2013, 0x2014, 0x2026, 0x2019
_QUOTE, _STAR, _PLUS, _COMMA, _MINUS, _STOP, _SLASH = 39, 42, 43, 44, 45, 46, 47
_L, _E, _R, _V, _T, _S, _CAPITAL_S, _D, _M, _N = b"lervtsSdmn"
_COLON, _LESS, _EQUAL, _GREATER, _CARET, _TILDE = 58, 60, 61, 62, 94, 126


@helper
def stops_at(values: NDArray[np.uint8], at: Any, end: Any) -> Any:
    """How many full stops follow one another from byte `at`."""
    stop = at
    while stop < end and values[stop] == _STOP:
        stop += 1
    return stop - at


@helper
def stops_before(values: NDArray[np.uint8], start: Any, at: Any) -> Any:
    """How many full stops follow one another up to byte `at`."""
    stop = at
    while stop > start and values[stop - 1] == _STOP:
        stop -= 1
    return at - stop


@helper
def prefix_size(values: NDArray[np.uint8], start: Any, end: Any, kinds: NDArray[np.uint8]) -> Any:
    """Bytes of the token that comes off the front of a run, or 0."""
    code, size = character_at(values, start, end)
    if code == _STOP:
        stops = stops_at(values, start, end)
        return stops if stops > 1 else 0
    if code == _PLUS and start + 1 < end and kinds[values[start + 1]] & DIGIT:
        return 0
    return size if kinds[code] & PREFIX else 0


@helper
def suffix_size(values: NDArray[np.uint8], start: Any, end: Any, kinds: NDArray[np.uint8]) -> Any:
    """Bytes of the token that comes off the back of a run, or 0."""
    code, size = character_before(values, start, end)
    if code != _STOP:
        return size if kinds[code] & SUFFIX else 0
    stops = stops_before(values, start, end)
    if stops > 1:
        return stops
    if end - 1 == start:
        return 0
    before, width = character_before(values, start, end - 1)
    kind = kinds[before]
    if kind & (DIGIT | SUFFIX):
        return 1
    if not kind & LETTER or end - 1 - width == start:
        return 0
    second, _ = character_before(values, start, end - 1 - width)
    if kind & LOWER:
        return 0 if second == _STOP else 1
    return 1 if kinds[second] & UPPER else 0


@helper
def ending_size(values: NDArray[np.uint8], start: Any, end: Any) -> Any:
    """Bytes of the English ending at the back of a run, or 0; never the whole run."""
    if end - start < 3:
        return 0
    last, before = values[end - 1], values[end - 2]
    letters = 1
    if (last == _L and before == _L) or (last == _E and before in (_R, _V)):
        letters = 2
    elif last not in (_T, _S, _CAPITAL_S, _D, _M):
        return 0
    code, width = character_before(values, start, end - letters)
    if code != _QUOTE and code != _APOSTROPHE:
        return 0
    size = letters + width
    if size < end - start and last == _T:
        size = size + 1 if values[end - size - 1] == _N else 0
    return size if size < end - start else 0


@helper
def holds_address(values: NDArray[np.uint8], start: Any, end: Any) -> bool:
    """Whether `://` stands in a run."""
    for at in range(start, end - 2):  # noqa: SIM110 (compiled code has no generators)
        if values[at] == _COLON and values[at + 1] == _SLASH and values[at + 2] == _SLASH:
            return True
    return False


@helper
def separator_size(values: NDArray[np.uint8], at: Any, end: Any, before: Any, kinds: NDArray[np.uint8]) -> Any:
    """Bytes of the separator at byte `at` of a run, or 0; `before` is the kind of the character in front, 0 at the start."""
    code, size = character_at(values, at, end)
    if code == _ELLIPSIS:
        return size
    limit = 1
    if code == _STOP:
        stops = stops_at(values, at, end)
        if stops > 1:
            return stops
    elif code in (_MINUS, _TILDE, _EN_DASH, _EM_DASH):
        limit = 3
    after = at + size
    if after >= end or not before & (LETTER | DIGIT):
        return 0
    following, width = character_at(values, after, end)
    if before & DIGIT and code in (_PLUS, _MINUS, _STAR, _CARET) and (kinds[following] & DIGIT or following == _MINUS):
        return size
    while following == code and limit > 1 and after + width < end:
        after += width
        limit -= 1
        following, width = character_at(values, after, end)
    return after - at if _parts(code, before, kinds[following]) else 0


@helper
def _parts(code: Any, before: Any, following: Any) -> Any:
    if code == _STOP:
        return before & LOWER != 0 and following & UPPER != 0
    if code == _COMMA:
        return before & LETTER != 0 and following & LETTER != 0
    if code in (_MINUS, _TILDE, _EN_DASH, _EM_DASH, _COLON, _LESS, _GREATER, _EQUAL, _SLASH):
        return following & LETTER != 0
    return False
