"""Files of JSON objects, one a line, each a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Final

from pydantic import AfterValidator, PositiveInt

from sslpipe.codecs.compression import verified
from sslpipe.codecs.text import without_mark
from sslpipe.core.damage import Damage
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import BadSink, Part, Reader
from sslpipe.readers._batch import Record, batched, meta_json
from sslpipe.readers._fields import checked_names
from sslpipe.readers._files import bundled, discover, split_suffix
from sslpipe.readers._json import as_string, encoded, json_object, text_of
from sslpipe.readers._lines import Line, lines_of
from sslpipe.readers._open import bad_record, opened

_SUFFIXES: Final = (".jsonl", ".ndjson")
_BLANK: Final = b" \t\r"


class Jsonl(Reader):
    r"""Reads lines of JSON, each object as one row; which of its keys become fields, `fields` says.

    Files in folders and globs are claimed by suffix: `.jsonl` and `.ndjson`, with or without `.gz .zst .bz2 .xz` behind; a file
    that `paths` names itself is always read. Lines end at `\n` alone; blank ones are passed over. A line that can't be read is
    one entry of the quarantine (`json.*`, `text.utf8`, `text.binary`, `record_too_large`), and reading goes on behind it. Where
    a file is damaged (`gz.*` and the like, `io.*`), the lines before the damage are kept, and one entry stands for the rest;
    where bytes are wrong rather than missing, those are the lines of members whose own checksum was right.
    """

    fields: Annotated[dict[str, str], AfterValidator(checked_names)] = {"text": "text"}  # noqa: RUF012 (pydantic copies it)
    """Our field name to the JSON key that holds its text."""
    keep: tuple[str, ...] = ()
    """JSON keys that go into `meta`. Every row has all of them, as strings: one type for all rows is what readers of shards can
    rely on. A missing key or null is "", and what isn't a string is its JSON text."""
    max_record_bytes: PositiveInt = 64 << 20
    """Longest line in bytes, decompressed; a longer one is passed over without being held in memory."""
    max_file_bytes: PositiveInt = 1 << 40
    """The most that may come out of one compressed file. Lines stream, so that this bounds time only; what expands more than
    2000 to 1 is refused whatever its size."""

    def parts(self, part_bytes: int) -> list[Part]:
        """See `Reader.parts`; raises RecipeError for a path that leads to nothing."""
        return bundled(discover(self.paths, _claims), part_bytes)

    def claimed(self) -> tuple[str, ...]:
        """See `Reader.claimed`."""
        return _SUFFIXES

    def unclaimed(self) -> Mapping[str, int]:
        """How many files are not read, by suffix or by another reason: `hidden`, `same_file`, `not_regular_file`."""
        return discover(self.paths, _claims).skipped

    def outputs(self, fields: Fields) -> Fields:
        """The fields named in `fields`, and `meta` if something is kept."""
        return dict.fromkeys(self.fields, Field(kind="text")) | ({"meta": Field(kind="meta")} if self.keep else {})

    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """See `Reader.read`; `_place` is the number of the line, from 0. Batches of at most 8 MiB or 4096 rows."""
        files = (self._records(part, number, name, bad) for number, name in enumerate(part.files))
        return batched(tuple(self.fields), bool(self.keep), chain.from_iterable(files))

    def _records(self, part: Part, number: int, name: str, bad: BadSink) -> Iterator[Record]:
        try:
            with opened(part, number) as file:
                chunks = verified(file, split_suffix(name.rpartition("/")[2])[1], max_bytes=self.max_file_bytes)
                for line in lines_of(without_mark(chunks), self.max_record_bytes):
                    try:
                        payloads = self._payloads(line)
                    except Damage as damage:
                        bad(bad_record(name, damage, f"line {line.number + 1}", line.data or b""))
                        continue
                    if payloads:
                        yield number, line.number, payloads
        except Damage as damage:
            bad(bad_record(name, damage))

    def _payloads(self, line: Line) -> list[bytes] | None:
        """Field by field, then the metadata; nothing for a blank line."""
        if line.data is None:
            limit = f"{self.max_record_bytes:,}"
            raise Damage("record_too_large", self.max_record_bytes, f"more than `max_record_bytes`, which is {limit}")
        if not line.data.strip(_BLANK):
            return None
        record = json_object(line.data, line.ended)
        payloads = [text_of(record, key) for key in self.fields.values()]
        if self.keep:
            payloads.append(encoded(meta_json, {key: as_string(record.get(key)) for key in self.keep}))
        return payloads


def _claims(name: str) -> bool:
    return split_suffix(name)[0] in _SUFFIXES
