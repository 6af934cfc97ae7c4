"""Raw bytes with a place in them."""

from __future__ import annotations

from typing import Protocol

CHUNK = 1 << 16
"""Bytes read at once. Part of no result: what is decoded is the same for any other size."""


class Readable(Protocol):
    """A file open for reading bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""

    def seek(self, offset: int, /) -> int:
        """Goes to a byte, here always the first."""


class Input:
    """A file read in chunks, which knows the offset of the next byte and takes bytes back."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._pending = b""
        self.offset = 0

    def some(self) -> bytes:
        """The next bytes, as many as are at hand; none at the end."""
        data, self._pending = self._pending or self._file.read(CHUNK), b""
        self.offset += len(data)
        return data

    def take(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        data = self.peek(size)[:size]
        self._pending = self._pending[size:]
        self.offset += len(data)
        return data

    def peek(self, size: int) -> bytes:
        """The next `size` bytes or more, left where they are; fewer only at the end."""
        while len(self._pending) < size and (more := self._file.read(max(size, CHUNK))):
            self._pending += more
        return self._pending

    def give_back(self, data: bytes) -> None:
        """Puts back bytes that were taken last."""
        self._pending = data + self._pending
        self.offset -= len(data)

    def skip(self, size: int) -> int:
        """Passes over `size` bytes, and says how many there were."""
        left = size
        while left and (data := self.take(min(left, CHUNK))):
            left -= len(data)
        return size - left

    def skip_zeros(self) -> None:
        """Passes over zero bytes, with which tapes and some writers pad."""
        while data := self.some():
            rest = data.lstrip(b"\0")
            if rest:
                self.give_back(rest)
                return
