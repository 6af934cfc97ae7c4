"""Lines of bytes, whatever their number and length, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """One line, without its newline."""

    number: int
    """Counted from 0."""
    data: bytes | None
    """None for a line longer than the limit."""
    ended: bool
    """Whether a newline follows; not so for the last bytes of many files, nor, here, for a line above the limit."""


def lines_of(chunks: Iterator[bytes], limit: int) -> Iterator[Line]:
    r"""Cuts at `\n` and nowhere else: U+2028, U+0085 and form feeds stand inside JSON strings.

    A line above `limit` bytes is reported as soon as it is known to be, and then passed over. Where `chunks` raises, the
    lines that had ended by then have been given; the beginning of another is not.
    """
    number = 0
    begun: list[bytes] = []
    size = 0
    for chunk in chunks:
        pieces = chunk.split(b"\n")
        for position, piece in enumerate(pieces):
            was_within = size <= limit
            size += len(piece)
            if size <= limit:
                begun.append(piece)
            elif was_within:
                begun = []
                yield Line(number, None, False)
            if position + 1 < len(pieces):
                if size <= limit:
                    yield Line(number, b"".join(begun), True)
                number += 1
                begun, size = [], 0
    if 0 < size <= limit:
        yield Line(number, b"".join(begun), False)
