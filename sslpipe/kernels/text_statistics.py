"""Counts over text, all in one pass over its bytes.

A new statistic gets a name in `STATISTICS` and is counted at the event that it belongs to: a character (`_row`), a token
(`_token`), or the end of a line (`_end_of_line`). What a token is stands in `kernels/words.py`. Runs without symbols, which
most text is made of, are one token without looking closer.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, kernel
from sslpipe.kernels.unicode_tables import DIGIT, LOWER, OTHER, SYMBOL, WHITE, character_kinds
from sslpipe.kernels.utf8 import breaks_line, character_at
from sslpipe.kernels.words import (
    LETTER,
    ending_size,
    holds_address,
    prefix_size,
    separator_size,
    stops_at,
    stops_before,
    suffix_size,
)

STATISTICS: Final = (
    "bytes",
    "characters",
    "tokens",
    "words",
    "word_characters",
    "alphabetic_tokens",
    "hashes",
    "ellipses",
    "lines",
    "bullet_lines",
    "ellipsis_lines",
    "stop_words",
)
"""The columns of `text_statistics`, explained at `measures/text_statistics.py`; `stop_words` is a bit set here."""

(
    _BYTES,
    _CHARACTERS,
    _TOKENS,
    _WORDS,
    _WORD_CHARACTERS,
    _ALPHABETIC_TOKENS,
    _HASHES,
    _ELLIPSES,
    _LINES,
    _BULLET_LINES,
    _ELLIPSIS_LINES,
    _STOP_WORDS,
) = range(len(STATISTICS))

STOP_WORDS: Final = ("the", "be", "to", "of", "and", "that", "have", "with")
"""The eight of Gopher (Rae et al. 2021); bit `i` of `stop_words` stands for the `i`-th."""

_MORE_THAN_SYMBOL = LETTER | DIGIT | OTHER

_PACKED = tuple(int.from_bytes(word.encode(), "little") for word in STOP_WORDS)
_THE, _BE, _TO, _OF, _AND, _THAT, _HAVE, _WITH = _PACKED


def text_statistics(values: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The `STATISTICS` of each row of a UTF-8 column, int64 `[n, 12]`.

    `values` is uint8, `offsets` int64 `[n + 1]`. A row's counts depend on its own bytes only.
    """
    out = np.zeros((len(offsets) - 1, len(STATISTICS)), np.int64)
    _rows(_read_only(values), _read_only(offsets), character_kinds(), out)
    return out


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    # Numba compiles anew for each mutability and layout; one type for all callers keeps it to one.
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


@kernel
def _rows(values: NDArray[np.uint8], offsets: NDArray[np.int64], kinds: NDArray[np.uint8], out: NDArray[np.int64]) -> None:
    for row in range(len(offsets) - 1):
        _row(values, offsets[row], offsets[row + 1], kinds, out[row])


@helper
def _row(values: NDArray[np.uint8], start: Any, end: Any, kinds: NDArray[np.uint8], out: NDArray[np.int64]) -> None:
    continuation = 0
    line, run, run_end = start, start, start  # `run_end > line` says that the line has a run of characters without white space
    at = start
    while at < end:
        if values[at] == 32:
            at += 1
            continue
        code, size = character_at(values, at, end)
        if kinds[code] & WHITE:
            continuation += size - 1
            at += size
            if breaks_line(code):
                if code == 13 and at < end and values[at] == 10:
                    at += 1
                _end_of_line(values, run, run_end, run_end > line, out)
                line = at
            continue
        first_of_line = run_end <= line
        run, seen, extra = at, 0, 0
        while at < end:
            byte = values[at]
            if byte < 128:
                kind = kinds[byte]
                if kind & WHITE:
                    break
                seen |= kind
                at += 1
            else:
                code, size = character_at(values, at, end)
                kind = kinds[code]
                if kind & WHITE:
                    break
                seen |= kind
                extra += size - 1
                at += size
        run_end = at
        continuation += extra
        if first_of_line and _starts_with_bullet(values, run, run_end):
            out[_BULLET_LINES] += 1
        if seen & SYMBOL:
            _marks(values, run, run_end, out)
            _run(values, run, run_end, kinds, out)
        else:
            _token(values, run, run_end, run_end - run - extra, seen, out)
    if line < end:
        _end_of_line(values, run, run_end, run_end > line, out)
    out[_BYTES] = end - start
    out[_CHARACTERS] = end - start - continuation


@helper
def _starts_with_bullet(values: NDArray[np.uint8], start: Any, end: Any) -> Any:
    """Whether a run starts with `-` or the bullet U+2022."""
    code, _ = character_at(values, start, end)
    return code in (0x2D, 0x2022)


@helper
def _end_of_line(values: NDArray[np.uint8], run: Any, run_end: Any, has_run: Any, out: NDArray[np.int64]) -> None:
    """Count a line whose last run of characters without white space is `[run, run_end)`, if it has one."""
    out[_LINES] += 1
    if not has_run or run_end - run < 3:
        return
    if stops_before(values, run, run_end) >= 3 or _is_ellipsis(values, run_end - 3):
        out[_ELLIPSIS_LINES] += 1


@helper
def _is_ellipsis(values: NDArray[np.uint8], at: Any) -> Any:
    return values[at] == 0xE2 and values[at + 1] == 0x80 and values[at + 2] == 0xA6


@helper
def _marks(values: NDArray[np.uint8], start: Any, end: Any, out: NDArray[np.int64]) -> None:
    """Count hash signs and ellipses; three full stops are one, counted from the left without overlap."""
    at = start
    while at < end:
        byte = values[at]
        if byte == 35:
            out[_HASHES] += 1
        elif byte == 46:
            stops = stops_at(values, at, end)
            out[_ELLIPSES] += stops // 3
            at += stops
            continue
        elif byte == 0xE2 and at + 3 <= end and _is_ellipsis(values, at):
            out[_ELLIPSES] += 1
        at += 1


@helper
def _run(values: NDArray[np.uint8], start: Any, end: Any, kinds: NDArray[np.uint8], out: NDArray[np.int64]) -> None:
    """Count the tokens of a run that holds a symbol."""
    while start < end:
        size = prefix_size(values, start, end, kinds)
        if size == 0:
            break
        out[_TOKENS] += 1
        start += size
    while start < end:
        size = suffix_size(values, start, end, kinds)
        if size == 0:
            break
        out[_TOKENS] += 1
        end -= size
    if start == end:
        return
    size = ending_size(values, start, end)
    if size:
        _whole(values, end - size, end, kinds, out)
        end -= size
    if holds_address(values, start, end):
        _whole(values, start, end, kinds, out)
    else:
        _separated(values, start, end, kinds, out)


@helper
def _separated(values: NDArray[np.uint8], start: Any, end: Any, kinds: NDArray[np.uint8], out: NDArray[np.int64]) -> None:
    """Count what separators divide a run into, and the separators."""
    at, before, seen, characters = start, 0, 0, 0
    while at < end:
        code, size = character_at(values, at, end)
        kind = kinds[code]
        width = separator_size(values, at, end, before, kinds) if kind & SYMBOL else 0
        before = kind
        if width:
            if at > start:
                _token(values, start, at, characters, seen, out)
            out[_TOKENS] += 1
            at += width
            start, seen, characters = at, 0, 0
        else:
            at += size
            seen |= kind
            characters += 1
    if start < end:
        _token(values, start, end, characters, seen, out)


@helper
def _whole(values: NDArray[np.uint8], start: Any, end: Any, kinds: NDArray[np.uint8], out: NDArray[np.int64]) -> None:
    """Count a run that is one token."""
    at, seen, characters = start, 0, 0
    while at < end:
        code, size = character_at(values, at, end)
        seen |= kinds[code]
        characters += 1
        at += size
    _token(values, start, end, characters, seen, out)


@helper
def _token(values: NDArray[np.uint8], start: Any, end: Any, characters: Any, seen: Any, out: NDArray[np.int64]) -> None:
    """Count one token of so many characters, whose kinds together are `seen`."""
    out[_TOKENS] += 1
    if not seen & _MORE_THAN_SYMBOL:
        return
    out[_WORDS] += 1
    out[_WORD_CHARACTERS] += characters
    if seen & LETTER:
        out[_ALPHABETIC_TOKENS] += 1
    if seen == LOWER and 2 <= end - start <= 4:
        out[_STOP_WORDS] |= _stop_word(values, start, end)


@helper
def _stop_word(values: NDArray[np.uint8], start: Any, end: Any) -> Any:
    packed = np.int64(0)
    for at in range(end - 1, start - 1, -1):
        packed = (packed << 8) | np.int64(values[at])
    if packed == _THE:
        return 1
    if packed == _BE:
        return 2
    if packed == _TO:
        return 4
    if packed == _OF:
        return 8
    if packed == _AND:
        return 16
    if packed == _THAT:
        return 32
    if packed == _HAVE:
        return 64
    return 128 if packed == _WITH else 0
