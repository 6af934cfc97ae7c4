"""Lists of files with what belongs to them, a row for each line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, PositiveInt, model_validator

from sslpipe.codecs.compression import verified
from sslpipe.codecs.text import without_mark
from sslpipe.core.damage import Damage
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import BadSink, Part
from sslpipe.readers._batch import batched
from sslpipe.readers._beneath import Beneath
from sslpipe.readers._columns import Columns, checked_columns
from sslpipe.readers._fields import FileKind, checked_kinds
from sslpipe.readers._files import File, cost_of, discover, part_of, split_suffix
from sslpipe.readers._lines import lines_of
from sslpipe.readers._listed import ListedFiles, folder_of
from sslpipe.readers._open import bad_record, opened
from sslpipe.readers._picture_reader import PictureReader
from sslpipe.readers._table import Record, cell_records, json_records

_JSON: Final = (".jsonl", ".ndjson")
_TABLES: Final[Mapping[str, str]] = {".csv": ",", ".tsv": "\t"}
_NO_SUFFIXES: Final = ("hidden", "same_file", "not_regular_file")
_MAX_BYTES: Final = 1 << 40
"""What may come out of a compressed list. Lines stream, so that this bounds time only."""


class Listing(PictureReader):
    """Reads lists of files, each line as one row: a path of a picture and its caption, of sound and what is said.

    Lists are claimed by suffix, compressed or not: `.jsonl` and `.ndjson`, an object a line, `.csv` and `.tsv`, whose first
    line names the columns; a file that `paths` names itself is always read, as JSON lines unless its suffix or `separator` says
    otherwise. A path starts in the folder of the list and can't leave it: addresses, absolute paths, `..` and links that lead
    out are entries of the quarantine (`path.url`, `path.outside`, `path.link`), and so is what is no file (`path.name`,
    `path.not_file`, `io.vanished`). The files that lines name belong to the input, so that a changed one is noticed.

    A line that can't be read, or one of whose files can't be, is one entry (`json.*`, `csv.*`, `text.*`, `image.*`, ...).
    """

    version: ClassVar[int] = 2

    fields: Annotated[dict[str, str], AfterValidator(checked_columns)] = {  # noqa: RUF012 (pydantic copies it)
        "image": "file_name",
        "text": "text",
    }
    """Our field name to the column that it comes from. For pictures and sound the column holds a path. It may stand in braces
    in a longer path, as in `clips/{path}` or `wavs/{id}.wav`; for text, braces say that it lies in a file at all."""
    kinds: dict[str, FileKind] = {}  # noqa: RUF012 (as above)
    """What fields are: `image`, `audio` or `text`. Those not named here are what they are called, or else text."""
    columns: tuple[str, ...] = ()
    """Names of the columns of `.csv` and `.tsv` files that have none in their first line."""
    separator: Literal[",", ";", "|", "\t"] | None = None
    """What stands between cells, by default a comma in `.csv` and a tab in `.tsv`. Cells may be quoted where it is a comma or
    a semicolon; with the others a quote is a part of the text."""
    keep: tuple[str, ...] = ()
    """Columns that go into `meta`. Every row has all of them, as strings; a key that an object of JSON lacks, or null, is "",
    and what isn't a string there is its JSON text."""
    max_line_bytes: PositiveInt = 1 << 20
    """Longest line in bytes, decompressed; a longer one is passed over without being held in memory."""
    max_record_bytes: PositiveInt = 64 << 20
    """Largest file that a line names, decompressed."""

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        checked_kinds(self.fields, self.kinds)
        unknown = [name for name in self._columns().names() if self.columns and name not in self.columns]
        if unknown:
            raise ValueError(f"got the column {unknown[0]!r}, which `columns` doesn't have; it has {', '.join(self.columns)}")
        return self

    def parts(self, part_bytes: int) -> list[Part]:
        """Some lines of a list each, with the files that they name; raises RecipeError for a path that leads to nothing.

        A part has about `part_bytes` of files, and no fewer than the list has itself: it is read again up to each part's lines.
        """
        return [part for listing in discover(self.paths, _claims).files for part in self._divided(listing, part_bytes)]

    def claimed(self) -> tuple[str, ...]:
        """See `Reader.claimed`."""
        return (*_JSON, *_TABLES)

    def unclaimed(self) -> Mapping[str, int]:
        """How many files are neither lists nor named in one, by suffix or by another reason, as in `readers.text`."""
        lists = discover(self.paths, _claims)
        skipped = {reason: count for reason, count in lists.skipped.items() if reason in _NO_SUFFIXES}
        wanted = {_identity(status) for _, status in lists.files}
        for listing in lists.files:
            wanted.update(_identity(status) for _, files in self._named(listing) for _, status in files)
        for name, status in discover(self.paths, lambda _: True).files:
            if _identity(status) not in wanted:
                suffix = "".join(split_suffix(name.rpartition("/")[2])) or "no suffix"
                skipped[suffix] = skipped.get(suffix, 0) + 1
        return dict(sorted(skipped.items()))

    def outputs(self, fields: Fields) -> Fields:
        """The fields named in `fields`, and `meta` if something is kept."""
        named = {name: Field(kind=kind) for name, kind in self._columns().kinds.items()}
        return named | ({"meta": Field(kind="meta")} if self.keep else {})

    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """See `Reader.read`; batches of at most 8 MiB or 4096 rows, a larger row alone.

        `_file` is that of the list, always 0, and `_place` the number of the line, from 0.
        """
        return batched(tuple(self.fields), bool(self.keep), self._rows(part, bad))

    def _rows(self, part: Part, bad: BadSink) -> Iterator[tuple[int, int, list[bytes]]]:
        columns = self._columns()
        try:
            with ListedFiles(part) as files:
                for record in self._records(part):
                    payloads = self._payloads(record, columns, files, bad)
                    if payloads is not None:
                        yield 0, record.line, payloads
        except Damage as damage:
            bad(bad_record(part.files[0], damage))

    def _payloads(self, record: Record, columns: Columns, files: ListedFiles, bad: BadSink) -> list[bytes] | None:
        """Field by field, then the metadata; none where something is wrong, which `bad` is told."""
        try:
            values = columns.values(record)
        except Damage as damage:
            bad(files.bad(record, damage))
            return None
        payloads = []
        for kind, value in values:
            data, damaged = self._loaded(files, value, kind) if isinstance(value, str) else (value, None)
            if damaged is not None:
                bad(files.bad(record, damaged, str(value), data))
                return None
            payloads.append(data)
        return payloads

    def _loaded(self, files: ListedFiles, path: str, kind: FileKind) -> tuple[bytes, Damage | None]:
        return files.load(path, kind, self.max_record_bytes, self._check_picture)

    def _columns(self) -> Columns:
        return Columns(self.fields, self.kinds, self.keep)

    def _records(self, part: Part) -> Iterator[Record]:
        """The records of a part's list, those of its span."""
        start, stop = part.span or (0, None)
        suffix, compression = split_suffix(part.files[0].rpartition("/")[2])
        separator = None if suffix in _JSON else self.separator or _TABLES.get(suffix)
        with opened(part, 0) as file:
            chunks = verified(file, compression, max_bytes=_MAX_BYTES)
            lines, limit = lines_of(without_mark(chunks), self.max_line_bytes), self.max_line_bytes
            if separator is None:
                records = json_records(lines, limit, start)
            else:
                records = cell_records(lines, limit, separator, self.columns, self._columns().names(), start)
            for record in records:
                if stop is not None and record.line >= stop:
                    break
                yield record

    def _divided(self, listing: File, part_bytes: int) -> Iterator[Part]:
        room = max(part_bytes, listing[1].st_size)
        files: dict[str, os.stat_result] = {}
        start = size = 0
        for line, named in self._named(listing):
            cost = sum(cost_of(status) for name, status in named if name not in files)
            if size and size + cost > room:
                yield part_of([listing, *files.items()], (start, line))
                files, start, size = {}, line, 0
            files.update(named)
            size += cost
        yield part_of([listing, *files.items()], (start, None))

    def _named(self, listing: File) -> Iterator[tuple[int, list[File]]]:
        """The line of each record, and the files that it names, as far as they are there.

        What is missing, refused or damaged is no part of the input now; reading comes to it again, and tells.
        """
        folder, columns = folder_of(listing[0]), self._columns()
        try:
            with Beneath(folder) as beneath:
                for record in self._records(part_of([listing])):
                    found = [(f"{folder}/{path}", beneath.status(path)) for path in columns.paths(record)]
                    yield record.line, [(name, status) for name, status in found if status is not None]
        except Damage:
            return


def _claims(name: str) -> bool:
    return split_suffix(name)[0] in (*_JSON, *_TABLES)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
