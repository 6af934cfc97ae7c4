"""Labels and positions of the next-token task."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel

IGNORED = -100
"""The label that every trainer leaves out of its loss."""


@kernel
def _piece_end(documents: NDArray[np.int32], start: int, stop: int) -> int:
    """Where the run of one number in `documents` that begins at `start` ends, at `stop` at the latest."""
    piece = documents[start:stop]
    number = piece[0]
    for place in range(len(piece)):
        if piece[place] != number:
            return start + place
    return stop


@kernel
def _copy(source: NDArray[Any], target: NDArray[np.int64]) -> None:
    """Widen numbers. Views that begin at 0 keep numba's care for negative places out of the loop, which then is SIMD code."""
    for place in range(len(source)):
        target[place] = source[place]


@kernel
def _count(target: NDArray[np.int64]) -> None:
    """0, 1, 2, ..."""
    for place in range(len(target)):
        target[place] = place


@kernel
def count_positions(documents: NDArray[np.int32], offsets: NDArray[np.int64], positions: NDArray[np.int64]) -> None:
    """Count from 0 in every piece: a run of one number in `documents`, within one row. Padding counts as a piece."""
    for row in range(len(offsets) - 1):
        first, stop = offsets[row], offsets[row + 1]
        while first < stop:
            end = _piece_end(documents, first, stop)
            _count(positions[first:end])
            first = end


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
    place of the row. Padding (`documents` below 0) is ignored by position. Pieces are walked as wholes, so that the loops over
    their tokens have no branch.
    """
    step = 1 if shifted else 0
    for row in range(len(offsets) - 1):
        first, stop = offsets[row], offsets[row + 1]
        while first < stop:
            end = _piece_end(documents, first, stop)
            _copy(ids[first:end], inputs[first:end])
            _count(positions[first:end])
            if documents[first] >= 0:
                _copy(ids[first + 1 : end], labels[first + 1 - step : end - step])
                labels[end - 1 if shifted else first] = IGNORED
            else:
                labels[first:end] = IGNORED
            first = end


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
