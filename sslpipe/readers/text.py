"""Files of text, one row each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, PositiveInt

from sslpipe.codecs.compression import decompressed
from sslpipe.codecs.html import html_text, is_html
from sslpipe.codecs.text import checked_encoding, utf8_of
from sslpipe.core.damage import Damage
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import BadSink, Part, Reader
from sslpipe.readers._batch import Record, batched
from sslpipe.readers._file_meta import file_meta
from sslpipe.readers._files import bundled, discover, split_suffix
from sslpipe.readers._open import bad_record, opened
from sslpipe.readers._payload import gathered

_PAGES: Final = (".html", ".htm")
_SUFFIXES: Final = (".txt", ".md", ".rst", ".pod", *_PAGES, "")
_SNIFFED: Final = 1 << 16


class Text(Reader):
    """Reads text files, each as one row with a field `text`, and of HTML pages their main content.

    Files in folders and globs are claimed by suffix: `.txt .md .rst .pod .html .htm`, or none, and any of these with `.gz .zst
    .bz2 .xz` behind. An extension begins with a letter, so that `printf.3`, `open.3perl` and `release-2.0` have none, while
    `.yaml` and `.png` are left to others; a file that `paths` names itself is always read. Content decides what a file is:
    how it is compressed, whether it is a page (or named as one), and whether it is text at all.

    An empty file is a row with an empty text, for a filter to drop with a reason. A file is one record, so that damage anywhere
    in it makes one entry of the quarantine; the reasons are those of `codecs`, `io.*`, and `record_too_large`.
    """

    encoding: Annotated[str, AfterValidator(checked_encoding)] = "utf-8"
    """The character encoding of all files. Pages without a byte order mark are tried in it first unless it is UTF-8."""
    keep: tuple[Literal["path", "folder"], ...] = ()
    """What goes into `meta`, as strings, bytes that aren't UTF-8 as `\\xNN`: `path`, the file's absolute path; `folder`, the
    name of the folder that it lies in, for `splits: {by: folder}`. Folders of one name are one group, wherever they lie."""
    max_record_bytes: PositiveInt = 64 << 20
    """Largest file, decompressed. 64 MiB is longer than any book, and bounds a worker's memory at a few times that."""

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
        """`text`, and `meta` if something is kept."""
        return {"text": Field(kind="text")} | ({"meta": Field(kind="meta")} if self.keep else {})

    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """See `Reader.read`; batches of at most 8 MiB or 4096 rows, a larger file alone."""
        return batched(("text",), bool(self.keep), self._records(part, bad))

    def _records(self, part: Part, bad: BadSink) -> Iterator[Record]:
        for number, name in enumerate(part.files):
            try:
                payloads = [self._text(part, number)]
            except Damage as damage:
                bad(bad_record(name, damage))
                continue
            if self.keep:
                payloads.append(file_meta(name, self.keep))
            yield number, 0, payloads

    def _text(self, part: Part, number: int) -> bytes:
        suffix, compression = split_suffix(part.files[number].rpartition("/")[2])
        with opened(part, number) as file:
            data = gathered(decompressed(file, compression), self.max_record_bytes)
        if suffix in _PAGES or is_html(data[:_SNIFFED]):
            page = html_text(data, None if self.encoding == "utf-8" else self.encoding)
            return page.encode("utf-8")
        return utf8_of(data, self.encoding)


def _claims(name: str) -> bool:
    return split_suffix(name)[0] in _SUFFIXES
