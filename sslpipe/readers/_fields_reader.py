"""The base of readers whose records hold several fields as they are, not as names of files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Self

from pydantic import PositiveInt, model_validator

from sslpipe.codecs.text import invalid_utf8, is_binary
from sslpipe.core.damage import Damage
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import BadSink, Part
from sslpipe.readers._batch import Record, batched
from sslpipe.readers._fields import FileKind, checked_kinds
from sslpipe.readers._picture_reader import PictureReader


class FieldsReader(PictureReader):
    """Base of readers whose records hold several fields.

    A row in which one field can't be used is no row: it goes to the quarantine as a whole, since a picture without its caption
    is another kind of sample.
    """

    fields: dict[str, Any] = {}  # noqa: RUF012 (pydantic copies it)
    """Our field name to what fills it in a record."""
    keep: tuple[str, ...] = ()
    """What else of a record goes into `meta`, as strings."""
    kinds: dict[str, FileKind] = {}  # noqa: RUF012 (pydantic copies it)
    """What fields are: `image`, `audio` or `text`. Those not named here are what they are called, or else text."""
    max_record_bytes: PositiveInt = 64 << 20
    """Most bytes of all fields of a row together."""

    def _kind(self, name: str) -> FileKind:
        called: Mapping[str, FileKind] = {"image": "image", "audio": "audio"}
        return self.kinds.get(name) or called.get(name, "text")

    @model_validator(mode="after")
    def _kinds_of_fields(self) -> Self:
        checked_kinds(self.fields, self.kinds)
        return self

    def outputs(self, fields: Fields) -> Fields:
        """The fields named in `fields`, and `meta` if something is kept."""
        filled = {name: Field(kind=self._kind(name)) for name in self.fields}
        return filled | ({"meta": Field(kind="meta")} if self.keep else {})

    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """See `Reader.read`; `_place` is the record's number in its file, from 0. Batches of at most 8 MiB or 4096 rows."""
        files = (self._records(part, number, name, bad) for number, name in enumerate(part.files))
        return batched(tuple(self.fields), bool(self.keep), chain.from_iterable(files))

    @abstractmethod
    def _records(self, part: Part, number: int, name: str, bad: BadSink) -> Iterator[Record]:
        """The records of one file; what can't be read goes to `bad`."""

    def _check(self, name: str, data: bytes) -> None:
        """Raises Damage unless a field can hold this; pixels and samples are decoded later."""
        kind = self._kind(name)
        if kind == "image":
            self._check_picture(data)
        elif kind == "audio":
            from sslpipe.codecs.audio import frames_of

            frames_of(data)
        else:
            try:
                data.decode("utf-8")
            except UnicodeDecodeError as error:
                raise invalid_utf8(error) from None
            if is_binary(data):
                raise Damage("text.binary", 0, f"too many control characters in `{name}`")

    def _check_size(self, size: int) -> None:
        if size > self.max_record_bytes:
            limit = f"{self.max_record_bytes:,}"
            raise Damage("record_too_large", 0, f"{size:,} bytes, more than `max_record_bytes`, which is {limit}")
