"""Files of Parquet, a row of the table each a row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, PositiveInt

from sslpipe.codecs.text import invalid_utf8
from sslpipe.core.damage import Damage
from sslpipe.core.errors import EnvironmentFault, RecipeError
from sslpipe.core.steps import BadSink, Part
from sslpipe.readers._batch import Record, meta_json
from sslpipe.readers._fields import checked_names
from sslpipe.readers._fields_reader import FieldsReader
from sslpipe.readers._files import bundled, discover, split_suffix
from sslpipe.readers._open import OpenFile, bad_record, opened
from sslpipe.readers._parquet_columns import Column, column_of
from sslpipe.readers._parquet_file import Group, Pages, Table, first_line, group_at, open_table, walk_pages

if TYPE_CHECKING:
    import pyarrow as pa

_SUFFIXES: Final = (".parquet", ".pq")
_BATCH: Final = 8 << 20
_REPEATED: Final = 64 << 20
_ROWS: Final = 4096


class Parquet(FieldsReader):
    """Reads tables in Parquet; which columns become fields, `fields` says.

    Files in folders and globs are claimed by suffix: `.parquet` and `.pq`. Text comes from columns of strings, pictures and
    sound from binary ones; `image.bytes` is the column `bytes` inside of the struct `image`, as Hugging Face datasets store
    pictures. Where the first file doesn't have such columns the recipe is wrong, and nothing runs.

    Damage is told as finely as it can be: a file whose footer can't be read (`parquet.footer`, `parquet.encrypted`,
    `parquet.limit`) or that lacks the columns (`parquet.column`) is one entry of the quarantine, and so is a row group with a
    damaged page (`parquet.page`), whose rows before it are kept. Pages without a checksum, as most writers leave them, are
    found to be damaged only where they can't be decoded. A missing value is `field_null`; otherwise rows have the reasons of
    their contents (`text.*`, `image.*`, `record_too_large`). Nothing is unpickled: extension types are read as they are stored.
    """

    fields: Annotated[dict[str, str], AfterValidator(checked_names)] = {"text": "text"}  # noqa: RUF012 (pydantic copies it)
    """Our field name to the column that fills it."""
    keep: tuple[str, ...] = ()
    """Columns that go into `meta`, as strings: numbers and truth values as JSON writes them, a missing value as "". Lists and
    bytes can't be kept."""
    max_page_bytes: PositiveInt = 1 << 30
    """Largest page, unpacked: the least of a file that can be read at once. Writers make pages of 1 MB unless single values are
    large; a thousand photographs may share one."""

    def parts(self, part_bytes: int) -> list[Part]:
        """See `Reader.parts`; raises RecipeError for a path that leads to nothing, or where the first file lacks a column."""
        parts = bundled(discover(self.paths, _claims), part_bytes)
        if parts:
            try:
                with opened(parts[0], 0) as file:
                    self._columns(open_table(file, parts[0].sizes[0]).schema)
            except Damage as damage:
                # Any other damage is told when the file is read.
                if damage.reason == "parquet.column":
                    raise RecipeError(f"{self.path()}: {parts[0].files[0]}: {damage.detail}") from None
        return parts

    def claimed(self) -> tuple[str, ...]:
        """See `Reader.claimed`."""
        return _SUFFIXES

    def unclaimed(self) -> Mapping[str, int]:
        """How many files are not read, by suffix or by another reason: `hidden`, `same_file`, `not_regular_file`."""
        return discover(self.paths, _claims).skipped

    def _records(self, part: Part, number: int, name: str, bad: BadSink) -> Iterator[Record]:
        size = part.sizes[number]
        try:
            with opened(part, number) as file:
                table = open_table(file, size)
                columns = self._columns(table.schema)
                first = 0
                for position in range(len(table.groups)):
                    group = group_at(table.footer, table.groups[position])
                    place = first
                    try:
                        for values in self._values(table, position, group, columns, file, size):
                            try:
                                payloads = self._payloads(columns, values)
                            except Damage as damage:
                                bad(bad_record(name, damage, f"row {place + 1}"))
                            else:
                                yield number, place, payloads
                            place += 1
                    except Damage as damage:
                        if damage.reason.startswith("io."):
                            raise
                        bad(bad_record(name, _of_group(damage, place - first), f"row group {position + 1}"))
                    first += group.rows
        except Damage as damage:
            bad(bad_record(name, damage))

    def _columns(self, schema: pa.Schema) -> list[Column]:
        """Those of all fields, then those that are kept."""
        filled = [column_of(schema, path, self._kind(name)) for name, path in self.fields.items()]
        return filled + [column_of(schema, path, None) for path in self.keep]

    def _values(
        self, table: Table, position: int, group: Group, columns: Sequence[Column], file: OpenFile, size: int
    ) -> Iterator[tuple[Any, ...]]:
        """The values of each row of a group, in the order of the columns."""
        import pyarrow as pa

        wanted = {column.path for column in columns}
        chunks = [group.chunks.get(path, {}) for path in wanted]
        if any(not {2, 5, 7, 9} <= chunk.keys() or chunk[5] != group.rows for chunk in chunks):
            raise Damage("parquet.footer", 0, f"the footer has {group.rows:,} rows here, and other numbers of values")
        if group.rows == 0:
            return
        pages = [walk_pages(file, size, chunk, self.max_page_bytes) for chunk in chunks]
        left = group.rows
        try:
            for batch in table.file.iter_batches(
                _rows_at_once(pages, group.rows), row_groups=[position], columns=sorted(wanted), use_threads=False
            ):
                left -= batch.num_rows
                yield from zip(*(column.values(batch) for column in columns), strict=True)
        except pa.ArrowMemoryError as error:
            raise EnvironmentFault(f"can't read on: {error}; free some memory, or run fewer workers") from error
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Damage("parquet.page", 0, f"pyarrow: {first_line(error)}") from None
        if left:
            raise Damage("parquet.page", 0, f"{left:,} of {group.rows:,} rows are missing")

    def _payloads(self, columns: Sequence[Column], values: tuple[Any, ...]) -> list[bytes]:
        """Field by field, then the metadata."""
        count = len(self.fields)
        for column, value in zip(columns[:count], values[:count], strict=True):
            if value is None:
                raise Damage("field_null", 0, f"the column `{column.path}` has no value")
        payloads = list(values[:count])
        self._check_size(sum(map(len, payloads)))
        for name, data in zip(self.fields, payloads, strict=True):
            self._check(name, data)
        if self.keep:
            payloads.append(meta_json({path: _kept(value) for path, value in zip(self.keep, values[count:], strict=True)}))
        return payloads


def _rows_at_once(pages: Sequence[Pages], rows: int) -> int:
    """Rows of a batch: by their mean size, and so few that none is repeated beyond bounds."""
    mean = max(1, sum(column.bytes for column in pages) // rows)
    repeated = max(1, sum(column.repeated for column in pages))
    return max(1, min(_ROWS, _BATCH // mean, _REPEATED // repeated))


def _of_group(damage: Damage, kept: int) -> Damage:
    detail = f"{damage.detail}; {kept:,} rows before it were read" if kept else damage.detail
    return Damage(damage.reason, damage.offset, detail)


def _kept(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise invalid_utf8(error) from None
    return "" if value is None else json.dumps(value, default=str, ensure_ascii=False)


def _claims(name: str) -> bool:
    suffix, compression = split_suffix(name)
    return suffix in _SUFFIXES and not compression
