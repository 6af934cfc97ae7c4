"""Bytes of a sound file, in memory or in a file, and the part of them that a decoder is shown."""

from __future__ import annotations

import io
from typing import Protocol

from sslpipe.codecs._input import Readable
from sslpipe.core.damage import Damage


class Source(Protocol):
    """Bytes that can be read from any place."""

    size: int

    def read(self, at: int, size: int) -> bytes | memoryview:
        """The bytes from `at`, at most `size`; fewer only at the end."""


class InMemory:
    """Bytes that are all there."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data).cast("B")
        self.size = len(self._data)

    def read(self, at: int, size: int) -> memoryview:
        """A view of the bytes from `at`."""
        return self._data[at : at + size]


class InFile:
    """Bytes of an open file of a known size, which must outlive this."""

    def __init__(self, file: Readable, size: int) -> None:
        self._file = file
        self.size = size

    def read(self, at: int, size: int) -> bytes:
        """The bytes from `at`, read anew each time."""
        self._file.seek(at)
        pieces: list[bytes] = []
        left = min(size, max(0, self.size - at))
        while left > 0 and (piece := self._file.read(left)):
            pieces.append(piece)
            left -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Shown:
    """A header and a region of a source as one file, as soundfile reads it.

    What a decoder isn't shown can't hurt it: tags, pictures and chunks that nobody needs are never parsed. A failed read is
    kept in `damage`, since an exception can't pass through the decoder, which is told that the file ends there.
    """

    def __init__(self, head: bytes, source: Source, start: int, stop: int) -> None:
        self._head, self._source, self._start, self._stop = head, source, start, stop
        self._at = 0
        self.damage: Damage | None = None

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        size = len(self._head) + self._stop - self._start
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer; the number of bytes is smaller at the end."""
        out = memoryview(buffer).cast("B")
        done = 0
        if self._at < len(self._head):
            piece = self._head[self._at : self._at + len(out)]
            out[: len(piece)] = piece
            done = len(piece)
        at = self._start + self._at + done - len(self._head)
        if done < len(out) and at < self._stop:
            try:
                rest = self._source.read(at, min(len(out) - done, self._stop - at))
            except Damage as damage:
                self.damage = damage
                rest = b""
            out[done : done + len(rest)] = rest
            done += len(rest)
        self._at += done
        return done

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, or all."""
        whole = len(self._head) + self._stop - self._start
        buffer = bytearray(max(0, whole - self._at) if size < 0 else size)
        return bytes(buffer[: self.readinto(memoryview(buffer))])
