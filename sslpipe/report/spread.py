"""How numbers are spread, counted as they stream past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

DIGITS: Final = 8
"""Binary digits behind the first that are told apart: numbers are grouped to within 0.4 %, integers below 512 not at all."""
LARGEST: Final = 1e100
_SHIFT: Final = 52 - DIGITS
_MAGNITUDE: Final = np.int64(2**63 - 1)


class Spread:
    """Counts of numbers by value, one count for each of some classes of rows.

    What is kept is a count for each group of numbers that begin with the same digits, so memory follows from the range of the
    numbers and not from how many there are; the axis of a picture can then be chosen when all have been seen. No group has
    numbers on both sides of one of the `cuts`: those from it on are apart. NaN, infinity, and what comes near it are counted
    apart; what is next to nothing is nothing.
    """

    def __init__(self, classes: int, cuts: Sequence[float] = ()) -> None:
        self._cuts = np.array([-np.inf, *sorted(cuts)], np.float64)
        self._codes = np.empty(0, np.int64)
        self._counts = np.empty((0, classes), np.int64)
        self.strange = 0
        """What is no number that can be drawn."""
        self.whole = True
        """Whether all of them are integers."""

    def add(self, numbers: NDArray[Any], classes: NDArray[np.int64]) -> None:
        """Count numbers `[n]`, each of which belongs to one class `[n]`."""
        values = numbers.astype(np.float64)
        finite = np.abs(values) <= LARGEST
        self.strange += int(len(values) - finite.sum())
        values, classes = values[finite], classes[finite]
        values[np.abs(values) < 1 / LARGEST] = 0
        self.whole = self.whole and bool((values == np.floor(values)).all())
        side = np.searchsorted(self._cuts, values, side="right") - 1
        codes, places = np.unique(_codes(values) * len(self._cuts) + side, return_inverse=True)
        fresh = np.zeros((len(codes), self._counts.shape[1]), np.int64)
        np.add.at(fresh, (places, classes), 1)
        merged, places = np.unique(np.concatenate([self._codes, codes]), return_inverse=True)
        counts = np.zeros((len(merged), self._counts.shape[1]), np.int64)
        np.add.at(counts, places, np.concatenate([self._counts, fresh]))
        self._codes, self._counts = merged, counts

    def __len__(self) -> int:
        return int(self._counts.sum())

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many numbers there are of each class, int64 `[classes]`."""
        return np.asarray(self._counts.sum(axis=0), np.int64)

    @property
    def values(self) -> NDArray[np.float64]:
        """The least number of each group, ascending."""
        codes, side = np.divmod(self._codes, len(self._cuts))
        return np.maximum(_values(codes), self._cuts[side])

    def quantile(self, share: float) -> float:
        """A number that about this share of all lies below."""
        sums = np.cumsum(self._counts.sum(axis=1))
        at = int(np.searchsorted(sums, share * sums[-1])) if len(sums) else 0
        return float(self.values[min(at, len(sums) - 1)]) if len(sums) else 0.0

    def binned(self, edges: Sequence[float]) -> NDArray[np.int64]:
        """Counts between edges, int64 `[edges + 1, classes]`: below the first, between two, from the last on."""
        bins = np.zeros((len(edges) + 1, self._counts.shape[1]), np.int64)
        np.add.at(bins, np.searchsorted(np.asarray(edges, np.float64), self.values, side="right"), self._counts)
        return bins


def _codes(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The first digits of numbers as integers that are ordered as they are."""
    bits = values.view(np.int64)
    return np.where(bits < 0, -(bits & _MAGNITUDE), bits) >> _SHIFT


def _values(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    shifted = codes << _SHIFT
    magnitude = np.abs(shifted).view(np.float64)
    return np.asarray(np.where(shifted < 0, -magnitude, magnitude), np.float64)
