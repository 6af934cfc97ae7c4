"""Parquet files opened as what they say they are, and no more: columns of plain types, pages of bounded size.

Two things are not left to pyarrow. Beside Parquet's own schema most writers put one of Arrow's, in which a column may have an
extension type, and such types run code of whoever registered them when the file is opened: that schema is hidden, and columns
are read as they are stored. And what the footer says of columns and pages is read here, since asking pyarrow for it ends the
process where the footer is damaged (26.0: an exception that nothing catches).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sslpipe.core.damage import Damage
from sslpipe.readers._open import OpenFile
from sslpipe.readers._thrift import binary, integer, items, place, read_struct, struct

if TYPE_CHECKING:
    import pyarrow as pa

_ARROW_SCHEMA: Final = b"ARROW:schema"
_HIDDEN: Final = b"ARROW:hidden"
_TAIL: Final = 8
_MAX_FOOTER: Final = 32 << 20
_MAX_HEADER: Final = 4 << 20
_ROWS_PER_BYTE: Final = 1000
"""More than that is a run-length that repeats nothing a billion times."""
_DICTIONARIES: Final = (2, 8)
_DELTA_BYTE_ARRAY: Final = 7

_FOOTER: Final = struct({3: integer, 4: items(place)})
_CHUNK: Final = struct({2: items(integer), 3: items(binary), 5: integer, 7: integer, 9: integer, 11: integer})
_GROUP: Final = struct({1: items(struct({3: _CHUNK})), 3: integer})
_PAGE: Final = struct({2: integer, 3: integer})


@dataclass(frozen=True)
class Table:
    """A file with its footer read."""

    file: Any
    """A `pyarrow.parquet.ParquetFile`."""
    schema: pa.Schema
    rows: int
    groups: tuple[int, ...]
    """Where each row group stands in the footer."""
    footer: bytes


@dataclass(frozen=True)
class Group:
    """A row group, and its columns by their dotted names."""

    rows: int
    chunks: Mapping[str, dict[int, Any]]


@dataclass(frozen=True)
class Pages:
    """What the pages of one column in one row group unfold to."""

    bytes: int
    """All values as they are laid out in pages."""
    repeated: int
    """The largest single value that an encoding may write over and over; 0 where each is written out."""


class _Seekable:
    """A file as pyarrow wants it, with the Arrow schema in its footer made unreadable."""

    closed = False

    def __init__(self, file: OpenFile, size: int, footer: bytes) -> None:
        self._file, self._size, self._footer = file, size, footer
        self._start = size - len(footer)
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        stop = self._size if size < 0 else min(self._at + size, self._size)
        data = b""
        if self._at < min(stop, self._start):
            data = _exactly(self._file, self._at, min(stop, self._start) - self._at)
        data += self._footer[max(self._at - self._start, 0) : max(stop - self._start, 0)]
        self._at = max(stop, self._at)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """Whoever opened the file closes it."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False


def open_table(file: OpenFile, size: int) -> Table:
    """A file of `size` bytes; raises Damage `parquet.footer`, `parquet.encrypted` or `parquet.limit`."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    footer = _footer(file, size)
    start = size - len(footer)
    try:
        found, _ = read_struct(_FOOTER, footer, 0)
        rows, groups = found[3], tuple(found[4])
        if rows != sum(group_at(footer, group).rows for group in groups):
            raise ValueError("its row groups have another number of rows than it says")
        opened = ParquetFile(
            _Seekable(file, size, footer.replace(_ARROW_SCHEMA, _HIDDEN)),
            pre_buffer=False,
            buffer_size=1 << 20,
            page_checksum_verification=True,
            thrift_string_size_limit=_MAX_FOOTER,
            thrift_container_size_limit=1 << 20,
        )
        schema = opened.schema_arrow
        str(schema)
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:
        raise Damage("parquet.footer", start, f"can't be read: {first_line(error)}") from None
    if not 0 <= rows <= _ROWS_PER_BYTE * size:
        raise Damage("parquet.limit", start, f"{rows:,} rows in {size:,} bytes")
    return Table(opened, schema, rows, groups, footer)


def group_at(footer: bytes, at: int) -> Group:
    """The row group that stands there; raises ValueError or LookupError where there is none."""
    found, _ = read_struct(_GROUP, footer, at)
    chunks = [column[3] for column in found[1] if 3 in column]
    return Group(found[3], {b".".join(chunk[3]).decode("utf-8"): chunk for chunk in chunks})


def walk_pages(file: OpenFile, size: int, chunk: Mapping[int, Any], max_page_bytes: int) -> Pages:
    """Look at the header of every page of a column; raises Damage `parquet.page`, or `parquet.limit` for a large one."""
    at = min(chunk[number] for number in (9, 11) if chunk.get(number, -1) > 0)
    stop = at + chunk[7]
    looks_up = any(number in chunk[2] for number in _DICTIONARIES)
    total = repeated = 0
    is_first = True
    while at < stop:
        unpacked, packed, length = _page(file, size, at)
        if unpacked > max_page_bytes:
            limit = f"{max_page_bytes:,}"
            raise Damage("parquet.limit", at, f"a page of {unpacked:,} bytes, more than `max_page_bytes`, which is {limit}")
        if min(unpacked, packed) < 0 or at + length + packed > size:
            raise Damage("parquet.page", at, f"a page of {packed:,} bytes that unpack to {unpacked:,}, in a file of {size:,}")
        total += unpacked
        if _DELTA_BYTE_ARRAY in chunk[2] or (looks_up and is_first):
            repeated = max(repeated, unpacked)
        at += length + packed
        is_first = False
    return Pages(total, repeated)


def first_line(error: Exception) -> str:
    """The first line of a message; pyarrow's have many."""
    return str(error).partition("\n")[0] or type(error).__name__


def _footer(file: OpenFile, size: int) -> bytes:
    """The metadata at the end of a file, with their length and the mark behind them."""
    head, tail = _exactly(file, 0, 4), _exactly(file, max(size - _TAIL, 0), _TAIL)
    if b"PARE" in (head, tail[4:]):
        raise Damage("parquet.encrypted", 0, "the file is encrypted")
    if size < 4 + _TAIL or head != b"PAR1" or tail[4:] != b"PAR1":
        raise Damage("parquet.footer", max(size - 4, 0), "the file doesn't begin and end as Parquet; it may be cut off")
    length = int.from_bytes(tail[:4], "little") + _TAIL
    if length > size - 4:
        raise Damage("parquet.footer", size - _TAIL, f"a footer of {length:,} bytes in a file of {size:,}")
    if length > _MAX_FOOTER:
        raise Damage("parquet.limit", size - length, f"a footer of {length:,} bytes; at most {_MAX_FOOTER:,} are read")
    return _exactly(file, size - length, length)


def _page(file: OpenFile, size: int, at: int) -> tuple[int, int, int]:
    """Bytes of a page unpacked and packed, and of its header."""
    wanted = 1 << 12
    while True:
        data = _exactly(file, at, min(wanted, max(size - at, 0)))
        try:
            found, length = read_struct(_PAGE, data, 0)
            return found[2], found[3], length
        except IndexError:
            if len(data) < wanted or wanted >= _MAX_HEADER:
                raise Damage("parquet.page", at, "the header of a page that doesn't end") from None
            wanted *= 8
        except (ValueError, KeyError) as error:
            raise Damage("parquet.page", at, f"no header of a page: {first_line(error)}") from None


def _exactly(file: OpenFile, at: int, size: int) -> bytes:
    file.seek(at)
    pieces = []
    while size > 0 and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
