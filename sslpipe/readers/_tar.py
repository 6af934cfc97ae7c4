"""Tar archives scanned strictly: every header's checksum is right, nothing is passed over without a word, names are only names.

`tarfile` takes a damaged header, a cut between members or a second archive behind the first for the end, and says nothing. Here
each of these is damage with its offset. Members are never extracted, so that links, devices and sparse files are not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sslpipe.core.damage import Damage
from sslpipe.readers._open import OpenFile

BLOCK: Final = 512
_ZEROS: Final = bytes(BLOCK)
_MOST_ZEROS: Final = 21
"""Blocks: the mark of the end is two, and writers fill up to the next multiple of twenty."""
_MAX_EXTENSION: Final = 1 << 20
_FOLDER, _PAX, _SHARED_PAX, _LONG_NAME, _LONG_LINK, _SPARSE = b"5", b"x", b"g", b"L", b"K", b"S"
_EXTENSIONS: Final = (_PAX, _SHARED_PAX, _LONG_NAME, _LONG_LINK)
_REGULAR: Final = (b"0", b"\0", b"7")
_WITHOUT_DATA: Final = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a FIFO"}
_COMPRESSED: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstandard", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive."""

    name: bytes
    start: int
    """Where its data are."""
    size: int
    stop: int
    """Where the next header is."""
    refused: str = ""
    """What it is, if it is neither a regular file nor a folder."""
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """What headers before a member say of it."""

    name: bytes | None = None
    size: int | None = None
    is_sparse: bool = False


def members(file: OpenFile, size: int) -> Iterator[Member]:
    """All members of an archive of `size` bytes, and of those joined to it, in order; the data stay where they are.

    Raises Damage where the rest can't be trusted: `tar.header` (a checksum or a number is wrong, something else stands there),
    `tar.truncated` (the file ends within a member), `tar.no_end` (it ends behind one, without the mark of the end), `tar.zeros`
    (more of them than an archive ends with, as a crash of the machine leaves them), `tar.empty`, `tar.compressed`.
    """
    at = 0
    told = _Told()
    zeros = 0
    _refuse_compressed(file)
    while at < size:
        header = _block(file, at, size)
        if header == _ZEROS:
            zeros += 1
            at += BLOCK
            if zeros > _MOST_ZEROS:
                raise Damage("tar.zeros", at - zeros * BLOCK, "more zeros than an archive ends with; members may be missing")
            continue
        zeros = 0
        _check_sum(header, at)
        kind = header[156:157]
        member = _member(file, header, kind, at, size, _Told() if kind in _EXTENSIONS else told)
        if kind in (_PAX, _LONG_NAME):
            told = _heard(told, kind, file, member)
        elif kind not in _EXTENSIONS:
            yield member
            told = _Told()
        at = member.stop
    if not size:
        raise Damage("tar.empty", 0, "an archive of 0 bytes; even an empty one has an end")
    if not zeros:
        raise Damage("tar.no_end", size, "the file ends without the mark of the end; members may be missing", cut=True)


def read_member(file: OpenFile, member: Member) -> bytes:
    """The data of a member."""
    file.seek(member.start)
    pieces, left = [], member.size
    while left and (piece := file.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _block(file: OpenFile, at: int, size: int) -> bytes:
    file.seek(at)
    block = file.read(BLOCK)
    if len(block) == BLOCK and at + BLOCK <= size:
        return block
    raise Damage("tar.truncated", at, "the file ends within a header", cut=True)


def _refuse_compressed(file: OpenFile) -> None:
    file.seek(0)
    head = file.read(BLOCK)
    for magic, kind in _COMPRESSED.items():
        # The bytes that a tar has there belong to the name of its first member, which may look like anything.
        if head.startswith(magic) and head[257:262] != b"ustar":
            raise Damage("tar.compressed", 0, f"compressed by {kind}; decompress it first")


def _check_sum(header: bytes, at: int) -> None:
    rest = header[:148] + b" " * 8 + header[156:]
    found, wanted = sum(rest), _number(header[148:156], at)
    # Some old writers took bytes for signed numbers.
    if found != wanted and found - 256 * sum(byte > 127 for byte in rest) != wanted:
        raise Damage("tar.header", at, "no header of a member: its checksum is wrong")


def _member(file: OpenFile, header: bytes, kind: bytes, at: int, size: int, told: _Told) -> Member:
    """The member that a header begins; raises Damage unless its data lie in the file."""
    length = _number(header[124:136], at) if told.size is None else told.size
    if kind in _WITHOUT_DATA or kind == _FOLDER:
        length = 0
    start = at + BLOCK
    if kind == _SPARSE:
        start = _behind_maps(file, header, start, size)
    stop = start + -(-length // BLOCK) * BLOCK
    if length < 0:
        raise Damage("tar.header", at, f"a member of {length:,} bytes")
    if stop > size:
        raise Damage("tar.truncated", size, f"the file ends within a member of {length:,} bytes", cut=True)
    refused = _WITHOUT_DATA.get(kind, "")
    if kind == _SPARSE or told.is_sparse:
        refused = "a sparse file"
    elif not refused and kind not in (_FOLDER, *_EXTENSIONS, *_REGULAR):
        refused = f"of the kind {kind!r}"
    name = _name(header) if told.name is None else told.name
    # What old archives have for a folder is a regular file whose name ends with a slash.
    return Member(name, start, length, stop, refused, not refused and (kind == _FOLDER or name.endswith(b"/")))


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _number(digits: bytes, at: int) -> int:
    """Octal digits, or a number in base 256 as GNU writes large ones; 0 for neither."""
    if digits[0] & 0x80:
        bits = 8 * len(digits) - 1
        value = int.from_bytes(digits, "big") - (1 << bits)
        return value - (1 << bits) if digits[0] & 0x40 else value
    octal = digits.strip(b" \0")
    if octal.strip(b"01234567"):
        raise Damage("tar.header", at, f"no header of a member: {digits!r} is no number")
    return int(octal or b"0", 8)


def _behind_maps(file: OpenFile, header: bytes, at: int, size: int) -> int:
    """Where the data of an old sparse member begin: behind blocks that say where its holes are."""
    more = header[482]
    while more:
        more = _block(file, at, size)[504]
        at += BLOCK
    return at


def _heard(told: _Told, kind: bytes, file: OpenFile, member: Member) -> _Told:
    """What is known of the next member behind an extended header."""
    at = member.start - BLOCK
    if member.size > _MAX_EXTENSION:
        raise Damage("tar.header", at, f"an extended header of {member.size:,} bytes")
    data = read_member(file, member)
    if kind == _LONG_NAME:
        return replace(told, name=data.partition(b"\0")[0])
    start = 0
    while start < len(data) and data[start]:
        # `30 path=...` and a newline: the length counts itself.
        space = data.find(b" ", start, start + 10)
        length = int(data[start:space]) if space > start and data[start:space].isdigit() else 0
        if not space - start < length <= len(data) - start:
            raise Damage("tar.header", at, f"an extended header with a record {data[start : start + 12]!r}")
        key, _, value = data[space + 1 : start + length].removesuffix(b"\n").partition(b"=")
        start += length
        if key == b"path":
            told = replace(told, name=value)
        elif key == b"size":
            told = replace(told, size=_decimal(value, at))
        elif key.startswith(b"GNU.sparse."):
            told = replace(told, is_sparse=True)
    return told


def _decimal(digits: bytes, at: int) -> int:
    if not digits.isdigit() or len(digits) > 18:
        raise Damage("tar.header", at, f"a member of {digits[:20]!r} bytes")
    return int(digits)
