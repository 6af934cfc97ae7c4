"""Labels and positions of the next-token task."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel

IGNORED = -100
"""The label that every trainer leaves out of its loss."""


@kernel
def count_positions(documents: NDArray[np.int32], offsets: NDArray[np.int64], positions: NDArray[np.int64]) -> None:
    """Count from 0 in every piece: a run of one number in `documents`, within one row. Padding counts as a piece."""
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        first = start
        if stop > start:
            positions[start] = 0
        for here in range(start + 1, stop):
            first = first if documents[here] == documents[here - 1] else here
            positions[here] = here - first


@kernel
def next_token_packed(
    ids: NDArray[Any],
    documents: NDArray[np.int32],
    offsets: NDArray[np.int64],
    shifted: bool,
    inputs: NDArray[np.int64],
    labels: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> None:
    """Inputs, labels and positions of rows that hold several documents, laid end to end; `offsets` cuts the rows.

    Unshifted, the first token of each piece is ignored where it stands; shifted, the place before it is, and so is the last
    place of the row. Padding (`documents` below 0) is ignored by position.
    """
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        if stop == start:
            continue
        first = start
        inputs[start] = ids[start]
        positions[start] = 0
        labels[stop - 1 if shifted else start] = IGNORED
        step = 1 if shifted else 0
        for here in range(start + 1, stop):
            token = np.int64(ids[here])
            same = documents[here] == documents[here - 1]
            first = first if same else here
            inputs[here] = token
            positions[here] = here - first
            labels[here - step] = token if same and documents[here] >= 0 else np.int64(IGNORED)


@kernel
def next_token_whole(
    ids: NDArray[Any],
    offsets: NDArray[np.int64],
    shifted: bool,
    inputs: NDArray[np.int64],
    labels: NDArray[np.int64],
    positions: NDArray[np.int64],
) -> None:
    """As `next_token_packed` for rows that are one document each, without padding."""
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        for here in range(start, stop):
            inputs[here] = ids[here]
            positions[here] = here - start
        step = 1 if shifted else 0
        for here in range(start + 1, stop):
            labels[here - step] = ids[here]
        if stop > start:
            labels[stop - 1 if shifted else start] = IGNORED
