"""The records of a listing: lines of JSON, or of cells with a separator between them."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sslpipe.codecs.text import invalid_utf8
from sslpipe.core.damage import Damage
from sslpipe.readers._json import json_object
from sslpipe.readers._lines import Line

_BLANK: Final = b" \t\r"
_QUOTED: Final = ",;"
"""Separators with which cells may be quoted; with a tab or a bar, as corpora of speech have them, a quote is text."""


class Record(NamedTuple):
    """One record, or why it is none."""

    line: int
    """Where it begins, counted from 0."""
    cells: Mapping[str, Any] | Damage
    raw: bytes


def json_records(lines: Iterator[Line], limit: int, start: int = 0) -> Iterator[Record]:
    """An object a line, from line `start` on; blank lines are passed over. `limit` is what `lines` were cut with."""
    for line in lines:
        if line.number < start:
            continue
        if line.data is None:
            yield Record(line.number, _too_long(limit), b"")
        elif line.data.strip(_BLANK):
            yield Record(line.number, _object(line.data, line.ended), line.data)


def _object(data: bytes, ended: bool) -> Mapping[str, Any] | Damage:
    try:
        return json_object(data, ended)
    except Damage as damage:
        return damage


def cell_records(
    lines: Iterator[Line], limit: int, separator: str, columns: Sequence[str], wanted: Collection[str], start: int = 0
) -> Iterator[Record]:
    """Cells by the names of their columns, which the first record has unless they are given; from line `start` on.

    Cells in quotes may hold separators, newlines, and quotes that are doubled (RFC 4180). A record that can't be read costs the
    line that it begins at, and reading goes on at the next one: a quote that nothing closes doesn't swallow the file. Reasons:
    `csv.syntax`, which includes a cell of more than 131,072 characters (the limit of Python's `csv`), `csv.cells` for a number
    of cells that isn't that of the columns, `text.utf8`, `record_too_large`. Raises Damage `csv.columns` where the file has no
    column, or two, of a name that is wanted.
    """
    feed = _Feed(lines, limit)
    is_quoted = separator in _QUOTED
    reader = csv.reader(feed, delimiter=separator, quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE, strict=True)
    if not columns:
        header = next(_cells(reader, feed), None)
        if header is None:
            return
        if isinstance(header[1], Damage):
            raise Damage("csv.columns", 0, f"the names of the columns can't be read: {header[1].detail}")
        columns = header[1]
    _check_columns(columns, wanted)
    feed.skip_to(start)
    for line, cells in _cells(reader, feed, len(columns)):
        yield Record(line, cells if isinstance(cells, Damage) else dict(zip(columns, cells, strict=True)), feed.raw)


def _cells(reader: Any, feed: _Feed, count: int | None = None) -> Iterator[tuple[int, list[str] | Damage]]:
    """The line that each record begins at, and its cells, blank lines passed over."""
    while True:
        feed.begin()
        cells: list[str] | Damage
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = Damage("csv.syntax", 0, str(error))
        except _Unreadable as error:
            cells = error.damage
        if isinstance(cells, list) and count is not None and cells and len(cells) != count:
            cells = Damage("csv.cells", 0, f"{len(cells)} cells, wanted {count}, one for each column")
        if isinstance(cells, Damage):
            feed.keep_first()
        if cells:
            yield feed.line, cells


def _check_columns(columns: Sequence[str], wanted: Collection[str]) -> None:
    counts = Counter(columns)
    wrong = [name for name in wanted if counts[name] != 1]
    if wrong:
        have = ", ".join(map(repr, columns[:20]))
        raise Damage("csv.columns", 0, f"{counts[wrong[0]] or 'no'} columns {wrong[0]!r}, wanted one; the columns are {have}")


def _too_long(limit: int) -> Damage:
    return Damage("record_too_large", limit, f"more than `max_line_bytes`, which is {limit:,}")


class _Unreadable(Exception):
    """A line that is no text, on its way through the parser."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(damage.detail)
        self.damage = damage


class _Feed:
    """Lines on their way to the parser, which takes as many as a record has, and can be made to take some again."""

    def __init__(self, lines: Iterator[Line], limit: int) -> None:
        self._lines, self._limit = lines, limit
        self._again: deque[Line] = deque()
        self._taken: list[Line] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        if line.data is None:
            raise _Unreadable(_too_long(self._limit))
        try:
            text = line.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Unreadable(invalid_utf8(error)) from None
        return text + "\n" if line.ended else text

    @property
    def line(self) -> int:
        """The number of the record's first line."""
        return self._taken[0].number

    @property
    def raw(self) -> bytes:
        """The bytes of the record."""
        return b"\n".join(line.data or b"" for line in self._taken)

    def begin(self) -> None:
        """A new record begins."""
        self._taken = []

    def keep_first(self) -> None:
        """The lines of a bad record but its first are to be read again."""
        self._again.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]

    def skip_to(self, number: int) -> None:
        """Passes over lines before this one."""
        for line in self._lines:
            if line.number >= number:
                self._again.append(line)
                return
