"""Tar archives that every reader of WebDataset agrees on: ustar, regular files, short ASCII names, times and owners zero."""

from __future__ import annotations

import re

from sslpipe.core.errors import SslpipeError
from sslpipe.shards.storage import UniqueFile

BLOCK = 512
END = bytes(2 * BLOCK)
NAME_LIMIT = 100
SIZE_LIMIT = 8**11 - 1
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_PADDING = bytes(BLOCK)
_AFTER_NAME = b"0000644\0" + b"0000000\0" + b"0000000\0"
_TIME = b"00000000000\0"
_AFTER_CHECKSUM = b"0" + bytes(100) + b"ustar\x0000" + bytes(32 + 32 + 8 + 8 + 155 + 12)


def tar_header(name: str, size: int) -> bytes:
    """The 512 bytes before a member. Names longer than 100 bytes would need an extension that some readers misread."""
    if not _NAME.fullmatch(name):
        raise SslpipeError(
            f"member `{name}` of a shard: wanted letters, digits, `-`, `_` and `.` in its name; rename the field"
        )
    label = name.encode("ascii")
    if len(label) > NAME_LIMIT or size > SIZE_LIMIT:
        raise SslpipeError(
            f"member `{name}` has a name of {len(label)} bytes and {size} bytes of data;"
            f" a shard takes {NAME_LIMIT} and {SIZE_LIMIT}"
        )
    before = label + bytes(NAME_LIMIT - len(label)) + _AFTER_NAME + b"%011o\0" % size + _TIME
    checksum = sum(before) + 8 * 32 + sum(_AFTER_CHECKSUM)
    return before + b"%06o\0 " % checksum + _AFTER_CHECKSUM


def write_member(file: UniqueFile, name: str, *pieces: bytes | memoryview) -> int:
    """Append one member; returns the offset of its data in the archive."""
    size = sum(map(len, pieces))
    file.write(tar_header(name, size))
    start = file.bytes
    for piece in pieces:
        file.write(piece)
    if size % BLOCK:
        file.write(_PADDING[: BLOCK - size % BLOCK])
    return start
