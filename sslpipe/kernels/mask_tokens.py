"""The masked-token task in one pass: select, replace, label.

The draws of a row (see `philox.py` for counter and key) are used like this:

    block p // 8           the selection draw of position p: half of word (p % 8) // 2, the low half for even p, else the high
    block 2^31 + k // 2    the fate of the k-th selected position, k = 0, 1, ...: words 0 and 1 for even k, 2 and 3 for odd;
                           the first of the two decides what becomes of it, the second is its random token

A selection costs an eighth of a block, and only the selected seventh of the positions pays for half a block more. Nothing
depends on what stands behind a position, so a row that is longer than its neighbour, or padded, draws the same at the same
position.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import inlined, kernel
from sslpipe.kernels.philox import philox_block

SELECTION_RANGE: Final = 2**16
"""Selection draws are below this, so the probability is a multiple of its inverse."""

FATE_RANGE: Final = 2**32
"""Draws for the fate of a selected token are below this."""

_FATES = np.uint64(2**31)
_MASK = np.uint64(0xFFFFFFFF)
_LOW_HALF = np.uint64(0xFFFF)
_IGNORED = np.int64(-100)


@kernel
def _selection_draws(
    n0: np.uint64, n1: np.uint64, n2: np.uint64, k0: np.uint64, k1: np.uint64, blocks: int, draws: NDArray[np.uint16]
) -> None:
    """The selection draws of the first `8 * blocks` positions of a row."""
    n0, n1, n2, k0, k1 = n0 & _MASK, n1 & _MASK, n2 & _MASK, k0 & _MASK, k1 & _MASK
    for block in range(blocks):
        a, b, c, d = philox_block(np.uint64(block) & _MASK, n0, n1, n2, k0, k1)
        draws[8 * block] = a & _LOW_HALF
        draws[8 * block + 1] = a >> np.uint64(16)
        draws[8 * block + 2] = b & _LOW_HALF
        draws[8 * block + 3] = b >> np.uint64(16)
        draws[8 * block + 4] = c & _LOW_HALF
        draws[8 * block + 5] = c >> np.uint64(16)
        draws[8 * block + 6] = d & _LOW_HALF
        draws[8 * block + 7] = d >> np.uint64(16)


@kernel
def _fate_draws(
    n0: np.uint64,
    n1: np.uint64,
    n2: np.uint64,
    k0: np.uint64,
    k1: np.uint64,
    blocks: int,
    fates: NDArray[np.uint32],
    others: NDArray[np.uint32],
) -> None:
    """The two words of each of the first `2 * blocks` selected positions: what becomes of it, and which random token."""
    n0, n1, n2, k0, k1 = n0 & _MASK, n1 & _MASK, n2 & _MASK, k0 & _MASK, k1 & _MASK
    for block in range(blocks):
        a, b, c, d = philox_block((_FATES + np.uint64(block)) & _MASK, n0, n1, n2, k0, k1)
        fates[2 * block] = a
        others[2 * block] = b
        fates[2 * block + 1] = c
        others[2 * block + 1] = d


@inlined
def _eligible(tokens: NDArray[Any], place: int, ordinary: NDArray[np.bool_], documents: NDArray[np.int32]) -> bool:
    """Whether a token may be selected: ordinary, and not on padding (`documents` is empty for a row that has none)."""
    return ordinary[tokens[place]] and (len(documents) == 0 or documents[place] >= 0)


@kernel
def _padded(documents: NDArray[np.int32]) -> bool:
    """Whether a row holds padding; most don't, and then its documents needn't be looked up token by token."""
    smallest = np.int32(0)
    for place in range(len(documents)):
        smallest = min(smallest, documents[place])
    return bool(smallest < 0)


@kernel
def _keep_eligible(
    tokens: NDArray[Any], ordinary: NDArray[np.bool_], documents: NDArray[np.int32], places: NDArray[np.uint32], count: int
) -> int:
    """Drop the selected places that may not be; returns how many stay."""
    kept = 0
    for index in range(count):
        place = places[index]
        places[kept] = place
        kept += _eligible(tokens, place, ordinary, documents)
    return kept


@kernel
def _force(
    tokens: NDArray[Any],
    ordinary: NDArray[np.bool_],
    documents: NDArray[np.int32],
    draws: NDArray[np.uint16],
    threshold: int,
    places: NDArray[np.uint32],
    count: int,
) -> int:
    """See to one target and one visible token; returns the new number of targets.

    With no target the eligible token of the smallest draw becomes one; with none visible the one of the largest is released,
    unless it is the only one. The first wins between equals.
    """
    if count == 0:
        smallest = np.int64(SELECTION_RANGE)
        for place in range(len(tokens)):
            if draws[place] < smallest and _eligible(tokens, place, ordinary, documents):
                smallest = np.int64(draws[place])
                places[0] = place
        return 1 if smallest < SELECTION_RANGE else 0
    for place in range(len(tokens)):
        if draws[place] >= threshold and _eligible(tokens, place, ordinary, documents):
            return count
    if count == 1:
        return count
    largest = 0
    for index in range(1, count):
        if draws[places[index]] > draws[places[largest]]:
            largest = index
    for index in range(largest, count - 1):
        places[index] = places[index + 1]
    return count - 1


@kernel
def _copy(tokens: NDArray[Any], inputs: NDArray[np.int64], labels: NDArray[np.int64]) -> Any:
    """Write the row as it is, all labels ignored; returns the largest id."""
    largest = tokens[0]
    for place in range(len(tokens)):
        token = tokens[place]
        largest = max(largest, token)
        inputs[place] = token
        labels[place] = _IGNORED
    return largest


@kernel
def mask_tokens(
    ids: NDArray[Any],
    offsets: NDArray[np.int64],
    documents: NDArray[np.int32],
    words: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    ordinary: NDArray[np.bool_],
    random_ids: NDArray[np.uint32],
    mask: int,
    threshold: int,
    mask_below: int,
    random_below: int,
    inputs: NDArray[np.int64],
    labels: NDArray[np.int64],
) -> int:
    """Corrupt and label rows laid end to end; returns the first row that holds an id outside the vocabulary, or -1.

    `offsets` cuts the rows; `documents` is -1 on padding, or empty where there is none. `words` and `keys` name the draws.
    `ordinary` is True at ids that may be selected, `random_ids` lists those that may replace. Selected below `threshold` of
    `SELECTION_RANGE`; then masked below `mask_below`, random below `random_below`, itself from there, of `FATE_RANGE`.
    """
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    draws = np.empty((longest + 7) // 8 * 8, np.uint16)
    places = np.empty(longest + 1, np.uint32)  # unsigned: numba then needs no care for negative places
    fates = np.empty(longest + 2, np.uint32)
    others = np.empty(longest + 2, np.uint32)
    choices = np.uint64(len(random_ids))
    for row in range(len(offsets) - 1):
        start, stop = offsets[row], offsets[row + 1]
        if stop == start:
            continue
        tokens, inputs_row, labels_row = ids[start:stop], inputs[start:stop], labels[start:stop]
        padding = documents[start:stop] if _padded(documents[start:stop]) else documents[:0]
        if _copy(tokens, inputs_row, labels_row) >= len(ordinary):
            return row
        k0, k1 = np.uint64(keys[row]) & _MASK, np.uint64(keys[row]) >> np.uint64(32)
        n0, n1, n2 = np.uint64(words[row, 0]), np.uint64(words[row, 1]), np.uint64(words[row, 2])
        _selection_draws(n0, n1, n2, k0, k1, (len(tokens) + 7) // 8, draws)
        count = 0
        for place in range(len(tokens)):
            places[count] = place
            count += draws[place] < threshold
        count = _keep_eligible(tokens, ordinary, padding, places, count)
        count = _force(tokens, ordinary, padding, draws, threshold, places, count)
        _fate_draws(n0, n1, n2, k0, k1, (count + 1) // 2, fates, others)
        for index in range(count):
            place = places[index]
            labels_row[place] = tokens[place]
            if fates[index] < mask_below:
                inputs_row[place] = mask
            elif fates[index] < random_below:
                inputs_row[place] = random_ids[(np.uint64(others[index]) * choices) >> np.uint64(32)]
    return -1
