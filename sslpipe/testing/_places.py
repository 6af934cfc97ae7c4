"""How many places are targets, and which: of tokens, patches and frames alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sslpipe.testing._bench import SIGMAS, expect

Places = Sequence[NDArray[np.bool_]]
"""Of each row its eligible places in order, True at targets."""


def check_count(places: Places, share: float | Literal["all"] | None, count: Callable[[int], int] | None) -> None:
    """6: exactly `count`, or `share` on average; a row without any target by chance has one, a row without rest one less."""
    wanted = variance = 0.0
    found = 0
    for index, targets in enumerate(places):
        eligible, chosen = len(targets), int(targets.sum())
        if count is not None:
            expect(6, chosen == count(eligible), f"row {index} has {chosen} targets, declared are {count(eligible)}")
        if isinstance(share, float) and eligible:
            forced = (1 - share) ** eligible - (share**eligible if eligible > 1 else 0)
            wanted += eligible * share + forced
            variance += eligible * share * (1 - share)
        found += chosen
    if isinstance(share, float):
        expect(6, abs(found - wanted) <= SIGMAS * math.sqrt(variance) + 1, f"{found} targets, declared are {wanted:.0f}")


def check_even(places: Places) -> None:
    """7 and 8: first and last place, and the number of runs, against all arrangements of as many targets."""
    sums = {"first": np.zeros(3), "last": np.zeros(3), "runs": np.zeros(3)}
    for targets in places:
        n, k = len(targets), int(targets.sum())
        if n < 2:
            continue
        each = k / n
        sums["first"] += (targets[0], each, each * (1 - each))
        sums["last"] += (targets[-1], each, each * (1 - each))
        spread = k * (k - 1) * (n - k + 1) * (n - k) / (n * n * (n - 1))
        sums["runs"] += (len(runs_of(targets)), k * (n - k + 1) / n, spread)
    for what, (found, wanted, variance) in sums.items():
        holds = abs(found - wanted) <= SIGMAS * math.sqrt(variance) + 1
        number, label = (8, "runs of targets") if what == "runs" else (7, f"targets at the {what} place")
        expect(number, holds, f"{found:.0f} {label}, chance gives {wanted:.0f}")


def runs_of(targets: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], targets, [False]]).astype(np.int8)))
    return edges[1::2] - edges[::2]
