"""What a row is called, from the raw file to the last draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xxhash
from numpy.typing import NDArray

from sslpipe.core.hashes import mix

_CHILD: Final = np.uint64(xxhash.xxh3_64_intdigest(b"sslpipe.child.1"))
WHOLE = -1
"""The `offset` of a row that is a whole document, not a piece of a pack."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a batch of rows: content key, occurrence, and for packed rows the token offset.

    A packed row is named after its first piece: that document's key, and the place of the row's first token in it. A name says
    nothing about files, order or workers, so draws keyed by it survive any of them changing.
    """

    high: NDArray[np.uint64]
    """The upper half of each 128-bit key, uint64 `[n]`."""
    low: NDArray[np.uint64]
    """The lower half, uint64 `[n]`."""
    occurrence: NDArray[np.uint32]
    """Tells equal payloads apart, from 0, uint32 `[n]`."""
    offset: NDArray[np.int64]
    """-1 for a whole row; of a packed row the place of its first token in its first document, int64 `[n]`."""

    def __len__(self) -> int:
        return len(self.high)

    @classmethod
    def from_keys(cls, high: NDArray[np.uint64], low: NDArray[np.uint64]) -> Names:
        """Names of whole rows that occur once."""
        return cls(high, low, np.zeros(len(high), np.uint32), np.full(len(high), WHOLE, np.int64))

    @classmethod
    def concat(cls, parts: Sequence[Names]) -> Names:
        """Lay names one after another."""
        return cls(
            np.concatenate([part.high for part in parts]),
            np.concatenate([part.low for part in parts]),
            np.concatenate([part.occurrence for part in parts]),
            np.concatenate([part.offset for part in parts]),
        )

    def take(self, rows: NDArray[np.intp] | slice) -> Names:
        """The names at the given positions."""
        return Names(self.high[rows], self.low[rows], self.occurrence[rows], self.offset[rows])

    def pieces(self, rows: NDArray[np.int64], offsets: NDArray[np.int64]) -> Names:
        """Names of packed rows: the documents that they begin in, and the token offset there."""
        return Names(self.high[rows], self.low[rows], self.occurrence[rows], offsets)

    def children(self, rows: NDArray[np.int64], numbers: NDArray[np.int64]) -> Names:
        """Names of the pieces that a cut makes: piece `numbers[i]`, from 0, of the row at `rows[i]`.

        The key of a piece is its parent's mixed with its number, 128 bits again, so that it is known without reading a byte of
        the piece, and doesn't change with what other cuts or maps do to it. The occurrence is the parent's: equal parents have
        equal pieces, which are told apart as their parents were, and whoever numbers them anew finds the same groups.
        """
        base = np.full(len(rows), _CHILD, np.uint64)
        high, low, number = self.high[rows], self.low[rows], numbers.astype(np.uint64)
        return Names(
            mix(mix(mix(base, high), low), number),
            mix(mix(mix(~base, low), high), number),
            self.occurrence[rows],
            self.offset[rows],
        )

    def words(self) -> NDArray[np.uint32]:
        """What draws are keyed by: three 32-bit words a row, uint32 `[n, 3]`.

        The first 96 bits of the key; a row that occurs again, or is a piece, gets them mixed with its number. Two rows share
        their draws with probability 2^-96, which no test can see.
        """
        from sslpipe.kernels.names import name_words

        words = np.empty((len(self), 3), np.uint32)
        name_words(self.high, self.low, self.occurrence, self.offset, words)
        return words

    def texts(self) -> list[str]:
        """Names as they stand in shards: `<key>`, `<key>x<occurrence>`, `<key>[x<occurrence>]-<offset>`.

        32 hex digits first; ASCII, without dots, so that a member's extension starts at the first dot of its name.
        """
        rows = zip(self.high.tolist(), self.low.tolist(), self.occurrence.tolist(), self.offset.tolist(), strict=True)
        return [
            f"{high:016x}{low:016x}" + (f"x{occurrence}" if occurrence else "") + (f"-{offset}" if offset != WHOLE else "")
            for high, low, occurrence, offset in rows
        ]
