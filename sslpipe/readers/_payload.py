"""What a whole file becomes as a field of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from sslpipe.codecs.compression import decompressed
from sslpipe.codecs.text import utf8_of
from sslpipe.core.damage import Damage
from sslpipe.readers._fields import FileKind
from sslpipe.readers._files import split_suffix
from sslpipe.readers._open import OpenFile


def loaded(
    opening: AbstractContextManager[OpenFile], kind: FileKind, name: str, limit: int, check_picture: Callable[[bytes], None]
) -> tuple[bytes, Damage | None]:
    """The bytes that a file is as a field, and no damage; or what could be read of it, and what is wrong.

    Pictures and sound are the file's own bytes, of which only the headers are looked at, those of pictures by `check_picture`:
    what is damaged behind them shows when they are decoded, once, by the first step that needs it. Text is decompressed,
    whatever its `name` says, and strict UTF-8.
    """
    data = b""
    try:
        with opening as file:
            if kind == "text":
                data = gathered(decompressed(file, split_suffix(name.rpartition("/")[2])[1]), limit)
            else:
                data = file.whole(limit)
        return _checked(kind, data, check_picture), None
    except Damage as damage:
        return data, damage


def gathered(chunks: Iterable[bytes], limit: int) -> bytes:
    """All chunks joined; raises Damage `record_too_large` as soon as they are more than `limit` bytes."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > limit:
            raise Damage("record_too_large", limit, f"more than `max_record_bytes`, which is {limit:,}")
    return bytes(data)


def _checked(kind: FileKind, data: bytes, check_picture: Callable[[bytes], None]) -> bytes:
    """The payload; raises Damage where the header of a picture or of sound, or any byte of a text, is not as it should be."""
    if kind == "text":
        return utf8_of(data)
    if kind == "image":
        check_picture(data)
    else:
        from sslpipe.codecs.audio import frames_of

        frames_of(data)
    return data
