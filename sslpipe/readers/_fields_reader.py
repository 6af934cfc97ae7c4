"""The base of readers whose records hold several fields as they are, not as names of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import PositiveInt

from sslpipe.codecs.text import invalid_utf8, is_binary
from sslpipe.core.damage import Damage
from sslpipe.core.fields import Field, Fields
from sslpipe.readers._fields import FileKind
from sslpipe.readers._picture_reader import PictureReader


class FieldsReader(PictureReader):
    """Base of readers whose records hold several fields.

    A row in which one field can't be used is no row: it goes to the quarantine as a whole, since a picture without its caption
    is another kind of sample.
    """

    kinds: dict[str, FileKind] = {}  # noqa: RUF012 (pydantic copies it)
    """What fields are: `image`, `audio` or `text`. Those not named here are what they are called, or else text."""
    max_record_bytes: PositiveInt = 64 << 20
    """Most bytes of all fields of a row together."""

    def _kind(self, name: str) -> FileKind:
        called: Mapping[str, FileKind] = {"image": "image", "audio": "audio"}
        return self.kinds.get(name) or called.get(name, "text")

    def _outputs(self, names: Iterable[str], has_meta: bool) -> Fields:
        fields = {name: Field(kind=self._kind(name)) for name in names}
        return fields | ({"meta": Field(kind="meta")} if has_meta else {})

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
