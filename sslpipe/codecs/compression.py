"""The decompressed bytes of a file: gzip, zstandard, bzip2, xz or plain, told apart by how it begins.

Hostile files are bounded three ways: output is made at most a megabyte at a time, its sum and its ratio to the input are
capped, and a format may not ask for more working memory than its own highest ordinary level does.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from sslpipe.codecs._input import Input, Readable
from sslpipe.codecs._zstd import MAGIC as _ZSTD
from sslpipe.codecs._zstd import is_zstd, zstd_chunks
from sslpipe.core.damage import Damage

SUFFIXES: Final = {".gz": "gz", ".zst": "zst", ".bz2": "bz2", ".xz": "xz"}

MAX_BYTES: Final = 2 << 30
MAX_RATIO: Final = 2000
"""Above gzip's limit of 1032:1, which a file of equal lines comes close to; zstandard and xz reach 30,000:1 on zeros."""

_FREE: Final = 16 << 20
"""The ratio counts only beyond this much output, which does no harm whatever it was made from."""
_STEP: Final = 1 << 20
_HELD: Final = 64 << 20
_MEMORY: Final = 128 << 20
"""zstandard's window at level 22, and twice what `xz -9` needs; both offer gigabytes on request."""

_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\0"
_BZIP2: Final = tuple(b"BZh%d" % level + block for level in range(1, 10) for block in (b"1AY&SY", b"\x17rE8P\x90"))
_MAGICS: Final = {"gz": (_GZIP,), "zst": (_ZSTD,), "bz2": _BZIP2, "xz": (_XZ,)}


def decompressed(
    file: Readable, suffix: str = "", *, max_bytes: int = MAX_BYTES, max_ratio: int = MAX_RATIO
) -> Iterator[bytes]:
    """The bytes of a file in chunks of at most 1 MiB, whatever it is compressed with, as they come out.

    `suffix` is that of the file's name. It matters only for a file too short to tell: an empty `.gz` is `gz.empty`, and one
    that ends within its magic number is cut off; any other that doesn't begin like a compressed file is plain, and not capped.
    Raises Damage where the data can't be decoded (`gz.truncated`, `gz.data`, `zst.data`, `bz2.data`, `xz.data`) or a cap is
    reached (`bomb`), with the offset in the file. What came out before has been yielded by then, and may be wrong as well,
    since formats check at the end: see `verified`. Several members one after another are one file, zeros behind the last are
    padding, anything else there is damage.
    """
    return filter(None, _decoded(file, suffix, max_bytes, max_ratio))


def verified(file: Readable, suffix: str = "", *, max_bytes: int = MAX_BYTES, max_ratio: int = MAX_RATIO) -> Iterator[bytes]:
    """Like `decompressed`, but before damage yields only what is sound.

    That is whatever came before bytes that are missing or can't be read, and the members (frames, streams) whose checksum was
    right. Where bytes are wrong nobody knows since when: the rest of that member is left out, and the damage says how much. A
    file that makes more than 64 MiB is decoded twice for this, a smaller one held in memory.
    """
    is_plain = _begun(file, suffix)[1] is None
    file.seek(0)
    if is_plain:
        yield from decompressed(file, suffix)
        return
    kept: list[bytes] = []
    total = sound = 0
    damage = None
    try:
        for chunk in _decoded(file, suffix, max_bytes, max_ratio):
            total += len(chunk)
            if total <= _HELD:
                kept.append(chunk)
            if not chunk:
                sound = total
    except Damage as error:
        damage = error
    if damage is None or damage.cut or damage.reason.startswith("io."):
        sound = total
    if total > _HELD:
        kept.clear()
        file.seek(0)
    yield from _first(sound, kept if total <= _HELD else decompressed(file, suffix, max_bytes=max_bytes, max_ratio=max_ratio))
    if damage is not None:
        left_out = f"; {total - sound:,} bytes decoded before it could not be verified and are left out"
        raise Damage(damage.reason, damage.offset, damage.detail + (left_out if total > sound else ""), damage.cut)


def _first(size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if chunk[:size]:
            yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


def _decoded(file: Readable, suffix: str, max_bytes: int, max_ratio: int) -> Iterator[bytes]:
    """The content in chunks; an empty one says that all before it has been checked."""
    source, kind = _begun(file, suffix)
    if kind is None:
        yield from _plain(source)
    else:
        yield from _capped(_chunks(kind, source), source, max_bytes, max_ratio)


def _begun(file: Readable, suffix: str) -> tuple[Input, str | None]:
    """A file at its start, and how it is compressed if it is."""
    source = Input(file)
    head = source.peek(max(map(len, _BZIP2)))
    if is_zstd(head):
        return source, "zst"
    for kind, magics in _MAGICS.items():
        if head.startswith(magics):
            return source, kind
    named = SUFFIXES.get(suffix)
    if named is None or not any(magic.startswith(head) for magic in _MAGICS[named]):
        return source, None
    if not head:
        raise Damage(f"{named}.empty", 0, f"a {suffix} of 0 bytes; even an empty text makes some")
    raise Damage(_cut_reason(named), len(head), "the file ends within its first header", cut=True)


def _chunks(kind: str, source: Input) -> Iterator[bytes]:
    if kind == "zst":
        return zstd_chunks(source, _MEMORY)
    makers: dict[str, Callable[[], _Decoder]] = {"gz": _Gzip, "bz2": bz2.BZ2Decompressor, "xz": _xz}
    return _members(source, kind, makers[kind])


def _plain(source: Input) -> Iterator[bytes]:
    while data := source.some():
        yield data


def _capped(chunks: Iterator[bytes], source: Input, max_bytes: int, max_ratio: int) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > max_bytes:
            raise Damage(
                "bomb", source.offset, f"more than {max_bytes:,} bytes come out of this file; raise the cap if it is sound"
            )
        if total > max(_FREE, max_ratio * source.offset):
            raise Damage("bomb", source.offset, f"{total:,} bytes come out of {source.offset:,}, more than {max_ratio} to 1")
        yield chunk


class _Decoder(Protocol):
    """What bz2 and lzma offer: one member, with bounded output."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """zlib's decoder in the shape of the others; checks the CRC and the length of the member."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = not self._zlib.unconsumed_tail and len(out) < max_length
        return out


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)


def _members(source: Input, kind: str, make: Callable[[], _Decoder]) -> Iterator[bytes]:
    while True:
        yield from _member(source, kind, make())
        yield b""
        source.skip_zeros()
        head = source.peek(max(map(len, _MAGICS[kind])))
        if not head:
            return
        if not head.startswith(_MAGICS[kind]):
            raise Damage(f"{kind}.data", source.offset, "bytes behind the last member that are no member")


def _member(source: Input, kind: str, decoder: _Decoder) -> Iterator[bytes]:
    while not decoder.eof:
        data = source.some() if decoder.needs_input else b""
        if decoder.needs_input and not data:
            raise Damage(_cut_reason(kind), source.offset, "the file ends before its data do", cut=True)
        try:
            chunk = decoder.decompress(data, _STEP)
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
            reason = "bomb" if "emory usage limit" in str(error) else f"{kind}.data"
            raise Damage(reason, source.offset - len(data), f"{error}, in the {len(data):,} bytes from here") from None
        if chunk:
            yield chunk
    source.give_back(decoder.unused_data)


def _cut_reason(kind: str) -> str:
    return "gz.truncated" if kind == "gz" else f"{kind}.data"
