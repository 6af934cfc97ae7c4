"""Rows cut from the documents of many shards laid end to end."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel
from sslpipe.kernels.pointers import copy_bytes, int64_at, uint32_at, uint64_at

COLUMNS: Final = ("data", "starts", "ends", "high", "low", "occurrence", "count")
"""What a line of the table holds, uint64 each: six addresses, and the number of documents."""

_DATA, _STARTS, _ENDS, _HIGH, _LOW, _OCCURRENCE, _COUNT = (np.int64(place) for place in range(len(COLUMNS)))


@kernel
def document_at(ends: NDArray[np.int64], position: int) -> int:
    """The document that holds a position of the tape: the first that ends behind it."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if ends[middle] <= position:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def concatenate_rows(
    table: NDArray[np.uint64],
    shards: NDArray[np.int64],
    positions: NDArray[np.int64],
    separators: int,
    separator: int,
    padding: int,
    ids: NDArray[Any],
    documents: NDArray[np.int32],
    high: NDArray[np.uint64],
    low: NDArray[np.uint64],
    occurrence: NDArray[np.uint32],
    offsets: NDArray[np.int64],
) -> None:
    """Fill row `i` of `ids` and `documents`, `[n, L]`, from position `positions[i]` of the tape of shard `shards[i]`.

    `documents` may be `[n, 0]`, and is then left out.
    `table` has the columns of `COLUMNS`, a line a shard. On the tape each document is followed by `separators` (0 or 1) tokens
    of `separator`; `ends` counts them. A document whose start is below 0 is a hole: it and its separator are padding, as is
    all behind the end of the tape. The last four arrays, `[n]`, take the name of the row: that of the document it begins in,
    and the offset there.
    """
    length = ids.shape[1]
    size = np.int64(ids.itemsize)
    marked = documents.shape[1] > 0
    for row in range(len(shards)):
        line = table[shards[row]]
        count = np.int64(line[_COUNT])
        ends = int64_at(line[_ENDS], count)
        starts = int64_at(line[_STARTS], count)
        position = positions[row]
        document = document_at(ends, position)
        begin = ends[document - 1] if document > 0 else np.int64(0)
        high[row] = uint64_at(line[_HIGH], count)[document]
        low[row] = uint64_at(line[_LOW], count)[document]
        occurrence[row] = uint32_at(line[_OCCURRENCE], count)[document]
        offsets[row] = position - begin
        tokens, numbers = ids[row], documents[row]
        here = np.uint64(tokens.ctypes.data)
        filled, number = 0, 0
        while filled < length and document < count:
            whole = ends[document] - begin
            if whole == 0:
                document += 1
                continue
            inside = position - begin
            taken = min(length - filled, whole - inside)
            if starts[document] < 0:
                tokens[filled : filled + taken] = padding
                if marked:
                    numbers[filled : filled + taken] = -1
            else:
                copied = min(taken, whole - separators - inside)
                if copied > 0:
                    source = line[_DATA] + np.uint64(starts[document] + inside * size)
                    copy_bytes(here + np.uint64(filled * size), source, copied * size)
                if taken > copied:
                    tokens[filled + taken - 1] = separator
                if marked:
                    numbers[filled : filled + taken] = number
                number += 1
            filled += taken
            position += taken
            begin = ends[document]
            document += 1
        tokens[filled:] = padding
        if marked:
            numbers[filled:] = -1
