"""Names and kinds of the fields that a recipe asks a reader for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeVar

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")

FileKind = Literal["image", "audio", "text"]
"""The kinds of fields that a file can be, in the order in which the files of a row are told."""

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif")
AUDIO_SUFFIXES: Final = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc")

T = TypeVar("T")


def checked_names(fields: dict[str, T]) -> dict[str, T]:
    """The same fields; raises ValueError for names that are none, `meta` among them, and for no field at all."""
    wrong = [name for name in fields if not _NAME.fullmatch(name) or name == "meta"]
    if wrong or not fields:
        raise ValueError(
            f"got {', '.join(map(repr, wrong)) or 'none'}; wanted names of lower-case letters, digits and `_` other than `meta`"
        )
    return fields


def checked_kinds(fields: Mapping[str, object], kinds: Mapping[str, FileKind]) -> None:
    """Raises ValueError where a kind is given to what is no field."""
    strange = [name for name in kinds if name not in fields]
    if strange:
        raise ValueError(f"`kinds` names {strange[0]!r}, wanted one of the fields {', '.join(fields)}")


def kind_of_suffix(suffix: str) -> FileKind:
    """What files of a suffix hold, by its last extension; `text` unless it is one of pictures or sound."""
    extension = suffix[suffix.rindex(".") :]
    if extension in IMAGE_SUFFIXES:
        return "image"
    return "audio" if extension in AUDIO_SUFFIXES else "text"
