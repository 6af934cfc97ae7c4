"""Zstandard, a block at a time.

The binding's own stream readers end quietly where a file is cut off, and its push decoder makes as much output as the input
asks for. Blocks hold at most 128 KiB of output each, so walking them (RFC 8878, 3.1.1) bounds memory, finds every cut, and
gives the offset of the damage; what is in a block stays the library's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sslpipe.codecs._input import Input
from sslpipe.core.damage import Damage

if TYPE_CHECKING:
    import zstandard

MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = b"\x2a\x4d\x18"
_MAX_BLOCK: Final = 1 << 17
_RLE: Final = 1
_RESERVED: Final = 3


def is_zstd(head: bytes) -> bool:
    """Whether a file begins with a frame, ordinary or skippable."""
    return head.startswith(MAGIC) or is_skippable(head)


def is_skippable(head: bytes) -> bool:
    """Whether a frame holds something other than data: 0x184D2A50 to 0x184D2A5F."""
    return head[1:4] == _SKIPPABLE and 0x50 <= head[0] <= 0x5F


def zstd_chunks(source: Input, window: int) -> Iterator[bytes]:
    """The content of all frames, at most 128 KiB at a time, and an empty chunk behind each frame that was whole.

    Raises Damage: `zst.data`, or `bomb` for a window above the cap.
    """
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=window)
    while head := source.peek(4)[:4]:
        if is_skippable(head):
            size = int.from_bytes(_taken(source, 8)[4:], "little")
            if source.skip(size) < size:
                raise _cut(source)
        elif head == MAGIC:
            yield from _frame(source, decompressor)
            yield b""
        else:
            source.skip_zeros()
            if source.peek(1):
                raise Damage("zst.data", source.offset, "bytes behind the last frame that are no frame")


def _frame(source: Input, decompressor: zstandard.ZstdDecompressor) -> Iterator[bytes]:
    import zstandard

    # An empty chunk means that all so far has been checked, so that none may leave from within a frame.
    decoder = decompressor.decompressobj()
    start = source.offset
    try:
        head, has_checksum = _header(source)
        decoder.decompress(head)
        last = False
        while not last:
            start = source.offset
            block, last = _block(source)
            if content := decoder.decompress(block):
                yield content
        if has_checksum:
            start = source.offset
            if content := decoder.decompress(_taken(source, 4)):
                yield content
    except zstandard.ZstdError as error:
        reason = "bomb" if "too much memory" in str(error) else "zst.data"
        raise Damage(reason, start, str(error).removeprefix("zstd decompressor error: ")) from None
    if not decoder.eof:
        raise Damage("zst.data", source.offset, "the frame says it ends here, but doesn't")


def _header(source: Input) -> tuple[bytes, bool]:
    start = _taken(source, 5)
    flags = start[4]
    single_segment = flags >> 5 & 1
    content_size = (single_segment, 2, 4, 8)[flags >> 6]
    dictionary_id = (0, 1, 2, 4)[flags & 3]
    return start + _taken(source, 1 - single_segment + dictionary_id + content_size), bool(flags & 4)


def _block(source: Input) -> tuple[bytes, bool]:
    head = _taken(source, 3)
    bits = int.from_bytes(head, "little")
    last, kind, size = bool(bits & 1), bits >> 1 & 3, bits >> 3
    if kind == _RESERVED or size > _MAX_BLOCK:
        raise Damage("zst.data", source.offset - 3, "no block header")
    return head + _taken(source, 1 if kind == _RLE else size), last


def _taken(source: Input, size: int) -> bytes:
    data = source.take(size)
    if len(data) < size:
        raise _cut(source)
    return data


def _cut(source: Input) -> Damage:
    return Damage("zst.data", source.offset, "the file ends within a frame", cut=True)
