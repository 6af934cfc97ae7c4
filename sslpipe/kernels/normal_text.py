"""White space, line ends and controls of text brought into one form, in one pass over its bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, kernel
from sslpipe.kernels.unicode_tables import WHITE, character_kinds
from sslpipe.kernels.utf8 import breaks_line, character_at

_NEWLINE, _RETURN, _TAB, _SPACE, _DELETE, _BYTE_ORDER_MARK = 10, 13, 9, 32, 127, 0xFEFF


def normal_text(
    values: NDArray[np.uint8], offsets: NDArray[np.int64], max_blank_lines: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """The rows of a UTF-8 column in the form below: values, offsets `[n + 1]`, and per row whether it has bytes above 127.

    Whatever ends a line for `str.splitlines` becomes one newline (CR LF counts as one). Controls other than newline and tab go,
    and so does U+FEFF. White space goes at the end of every line and at both ends of the row; more than `max_blank_lines` blank
    lines on end become that many. Doing it twice changes nothing more. A row's result depends on its own bytes only.
    """
    first, last = int(offsets[0]), int(offsets[-1])
    out = np.empty(last - first, np.uint8)
    ends = np.zeros(len(offsets), np.int64)
    beyond = np.zeros(len(offsets) - 1, np.bool_)
    values, offsets = values[first:last].view(), offsets - first
    values.flags.writeable = False
    _rows(np.ascontiguousarray(values), offsets, max_blank_lines + 1, character_kinds(), out, ends, beyond)
    return out[: ends[-1]], ends, beyond


@kernel
def _rows(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    max_newlines: int,
    kinds: NDArray[np.uint8],
    out: NDArray[np.uint8],
    ends: NDArray[np.int64],
    beyond: NDArray[np.bool_],
) -> None:
    for row in range(len(offsets) - 1):
        stop, ascii_only = _row(values, offsets[row], offsets[row + 1], max_newlines, kinds, out, ends[row])
        ends[row + 1] = stop
        beyond[row] = not ascii_only


@helper
def _row(
    values: NDArray[np.uint8],
    at: Any,
    end: Any,
    max_newlines: Any,
    kinds: NDArray[np.uint8],
    out: NDArray[np.uint8],
    start: Any,
) -> tuple[Any, Any]:
    """Write one row to `out` from `start` on; returns where it stops, and whether all of it is ASCII.

    Newlines and white space wait until something visible follows them; `blank` is where the waiting white space of this line
    begins in the input, or -1.
    """
    stop, newlines, blank, ascii_only = start, 0, np.int64(-1), True
    while at < end:
        code, size = character_at(values, at, end)
        if breaks_line(code):
            if code == _RETURN and at + 1 < end and values[at + 1] == _NEWLINE:
                size = 2
            newlines += 1
            blank = np.int64(-1)
        elif _goes(code):
            pass
        elif kinds[code] & WHITE:
            if blank < 0:
                blank = at
        else:
            if newlines or blank >= 0:
                if stop > start:
                    for _ in range(min(newlines, max_newlines)):
                        out[stop] = _NEWLINE
                        stop += 1
                    if blank >= 0:
                        stop, plain = _copy_white(values, blank, at, out, stop)
                        ascii_only &= plain
                newlines, blank = 0, np.int64(-1)
            for step in range(size):
                out[stop + step] = values[at + step]
            ascii_only &= values[at] < 128
            stop += size
        at += size
    return stop, ascii_only


@helper
def _goes(code: Any) -> Any:
    """Whether a character that ends no line is a control to be removed."""
    if code < _SPACE:
        return code != _TAB
    return _DELETE <= code < 0xA0 or code == _BYTE_ORDER_MARK


@helper
def _copy_white(values: NDArray[np.uint8], at: Any, end: Any, out: NDArray[np.uint8], stop: Any) -> tuple[Any, Any]:
    """Write a run of white space without the controls inside it."""
    ascii_only = True
    while at < end:
        code, size = character_at(values, at, end)
        if not _goes(code):
            for step in range(size):
                out[stop + step] = values[at + step]
            stop += size
            ascii_only &= code < 128
        at += size
    return stop, ascii_only
