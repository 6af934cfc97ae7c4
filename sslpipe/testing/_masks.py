"""What holds for tasks whose targets are a mask over patches or frames."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.rows import Rows
from sslpipe.testing._bench import expect

MASKS: Final = ("bool_masked_pos", "mask_time_indices")
"""Outputs that are True where something is hidden."""


def masks_of(made: Rows) -> list[NDArray[np.bool_]]:
    """The mask of each row, none where the task makes no mask."""
    name = next((name for name in MASKS if name in made.columns), None)
    return [] if name is None else [made[name][row].reshape(-1) for row in range(len(made))]


def check_masks(made: Rows) -> None:
    """4 and 5: something is hidden in every row, and something stays visible; 11: the order of patches can be undone."""
    for index, mask in enumerate(masks_of(made)):
        expect(4, mask.any(), f"row {index}: nothing is hidden")
        expect(5, not mask.all(), f"row {index}: nothing stays visible")
        if "ids_restore" not in made.columns:
            continue
        keep, restore = made["ids_keep"][index], made["ids_restore"][index]
        permuted = np.array_equal(np.sort(restore), np.arange(len(mask)))
        expect(11, permuted, f"row {index}: `ids_restore` is no permutation")
        shuffle = np.argsort(restore)
        expect(11, np.array_equal(shuffle[: len(keep)], keep), f"row {index}: `ids_restore` doesn't undo `ids_keep`")
        expect(11, np.array_equal(np.sort(keep), np.flatnonzero(~mask)), f"row {index}: `ids_keep` isn't what the mask leaves")
