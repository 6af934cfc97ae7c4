"""Fields of any kind out of records that have several: what they are called, what they hold, what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import Field as Limit
from pydantic import PositiveInt

from sslpipe.codecs.image_header import MAX_PIXELS
from sslpipe.codecs.text import invalid_utf8, is_binary
from sslpipe.core.damage import Damage
from sslpipe.core.fields import Field, Fields
from sslpipe.core.steps import Reader
from sslpipe.readers._picture import check_picture

Content = Literal["text", "image", "audio"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_KINDS: Final[tuple[Content, ...]] = ("text", "image", "audio")


def checked_names(names: Iterable[str]) -> None:
    """Raises ValueError for no name at all, or for one that no field can have."""
    names = list(names)
    wrong = [name for name in names if not _NAME.fullmatch(name) or name == "meta"]
    if wrong or not names:
        raise ValueError(
            f"got {', '.join(map(repr, wrong)) or 'none'}; wanted names of lower-case letters, digits and `_` other than `meta`"
        )


def checked_kinds(names: Iterable[str], kinds: Mapping[str, Content]) -> None:
    """Raises ValueError for a kind of no field, or a field whose kind its name doesn't say."""
    names = list(names)
    if stray := [name for name in kinds if name not in names]:
        raise ValueError(f"`kinds` names {stray[0]!r}, which is no field; the fields are {', '.join(names)}")
    if open_ := [name for name in names if name not in kinds and name not in _KINDS]:
        raise ValueError(f"what is {open_[0]!r}? say so: `kinds: {{{open_[0]}: text}}`, or image, or audio")


def kind_of(name: str, kinds: Mapping[str, Content]) -> Content:
    """What a field holds: as `kinds` has it, else as it is called."""
    return kinds[name] if name in kinds else next(kind for kind in _KINDS if kind == name)


class FieldsReader(Reader):
    """Base of readers whose records have several fields.

    A row in which one field can't be used is no row: it goes to the quarantine as a whole, since a picture without its caption
    is another kind of sample.
    """

    kinds: dict[str, Content] = {}  # noqa: RUF012 (pydantic copies it)
    """What a field holds whose name doesn't say it: `text`, `image` or `audio`."""
    max_record_bytes: PositiveInt = 64 << 20
    """Most bytes of all fields of a row together."""
    max_pixels: Annotated[int, Limit(ge=1, le=MAX_PIXELS)] = 100_000_000
    """Most pixels of a picture."""
    min_side: PositiveInt = 1
    """Shortest side of a picture in pixels."""
    max_aspect: Annotated[float, Limit(ge=1, allow_inf_nan=False)] = 100
    """Longest side of a picture per shortest."""

    def _outputs(self, names: Iterable[str], has_meta: bool) -> Fields:
        fields = {name: Field(kind=kind_of(name, self.kinds)) for name in names}
        return fields | ({"meta": Field(kind="meta")} if has_meta else {})

    def _check(self, name: str, data: bytes) -> None:
        """Raises Damage unless a field can hold this; pixels and samples are decoded later."""
        kind = kind_of(name, self.kinds)
        if kind == "image":
            check_picture(data, self.max_pixels, self.min_side, self.max_aspect)
        elif kind == "text":
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
