"""The few rows of many that are shown."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")


class Smallest(Generic[Item]):
    """Keeps the items of the smallest hashes: the same few, and spread over all, in whatever order they come."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._seen = 0
        self._held: list[tuple[int, int, Item]] = []
        """A heap with the largest hash on top: hash and arrival, both negated, and the item, which is never compared."""

    def wanted(self, hashes: NDArray[np.uint64]) -> list[int]:
        """The positions of those of many hashes `[n]` that would be kept, so that only their items need be made."""
        if self._count < len(hashes):
            near = np.sort(np.argpartition(hashes, self._count)[: self._count]).tolist()
        else:
            near = list(range(len(hashes)))
        return [place for place in near if self._fits(int(hashes[place]))]

    def offer(self, hashed: int, item: Item) -> None:
        """Keep an item if its hash is among the smallest so far; of equal ones the first."""
        self._seen += 1
        if self._fits(hashed):
            heapq.heappush(self._held, (-hashed, -self._seen, item))
        if len(self._held) > self._count:
            heapq.heappop(self._held)

    def _fits(self, hashed: int) -> bool:
        return len(self._held) < self._count or hashed < -self._held[0][0]

    def items(self) -> list[Item]:
        """What was kept, by hash."""
        return [item for _, _, item in sorted(self._held, key=lambda entry: (-entry[0], -entry[1]))]
