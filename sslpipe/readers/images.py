"""Files of pictures, one row each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import PositiveInt

from sslpipe.core.damage import Damage
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import BadSink, Part
from sslpipe.readers._batch import Record, batched
from sslpipe.readers._fields import IMAGE_SUFFIXES
from sslpipe.readers._file_meta import file_meta
from sslpipe.readers._files import bundled, discover, split_suffix
from sslpipe.readers._open import bad_record, opened
from sslpipe.readers._picture_reader import PictureReader


class Images(PictureReader):
    """Reads pictures, each file as one row with a field `image`, its bytes as they are.

    Files in folders and globs are claimed by suffix, in capitals or not: `.jpg .jpeg .jpe .png .webp .gif`; a file that `paths`
    names itself is always read. Content decides what a file is, so that a PNG named `.jpg` is a PNG. The header is looked at
    here and the whole file walked by it: what is no picture, of another format, cut off, or beyond the limits below is an entry
    of the quarantine (`image.*`, `io.*`, `record_too_large`) and costs no decoding. Damage inside the pixels shows when a step
    decodes them.
    """

    keep: tuple[Literal["path", "folder"], ...] = ()
    """What goes into `meta`, as strings, bytes that aren't UTF-8 as `\\xNN`: `path`, the file's absolute path; `folder`, the
    name of the folder that it lies in, for `splits: {by: folder}`. Folders of one name are one group, wherever they lie."""
    max_record_bytes: PositiveInt = 64 << 20
    """Largest file. 64 MiB holds a photograph of 50 megapixels without loss."""

    def parts(self, part_bytes: int) -> list[Part]:
        """See `Reader.parts`; raises RecipeError for a path that leads to nothing."""
        return bundled(discover(self.paths, _claims), part_bytes)

    def claimed(self) -> tuple[str, ...]:
        """See `Reader.claimed`."""
        return IMAGE_SUFFIXES

    def unclaimed(self) -> Mapping[str, int]:
        """How many files are not read, by suffix or by another reason: `hidden`, `same_file`, `not_regular_file`."""
        return discover(self.paths, _claims).skipped

    def outputs(self, fields: Fields) -> Fields:
        """`image`, and `meta` if something is kept."""
        return {"image": Field(kind="image")} | ({"meta": Field(kind="meta")} if self.keep else {})

    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """See `Reader.read`; batches of at most 8 MiB or 4096 rows, a larger file alone."""
        return batched(("image",), bool(self.keep), self._records(part, bad))

    def _records(self, part: Part, bad: BadSink) -> Iterator[Record]:
        for number, name in enumerate(part.files):
            data = b""
            try:
                with opened(part, number) as file:
                    data = file.whole(self.max_record_bytes)
                self._check_picture(data)
            except Damage as damage:
                bad(bad_record(name, damage, raw=data))
                continue
            payloads = [data]
            if self.keep:
                payloads.append(file_meta(name, self.keep))
            yield number, 0, payloads


def _claims(name: str) -> bool:
    suffix, compression = split_suffix(name)
    return suffix in IMAGE_SUFFIXES and not compression
