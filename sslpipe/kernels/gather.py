"""Rows of many mapped files into one array, without the GIL."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel
from sslpipe.kernels.pointers import copy_bytes, int64_at


@kernel
def gather_bytes(addresses: NDArray[np.uint64], offsets: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    """Copy row `i`, `offsets[i + 1] - offsets[i]` bytes from `addresses[i]`, to `out[offsets[i] :]`.

    Addresses are believed: the caller has checked the bounds of the files and keeps them mapped.
    """
    here = np.uint64(out.ctypes.data)
    for row in range(len(addresses)):
        size = offsets[row + 1] - offsets[row]
        if size > 0:
            copy_bytes(here + np.uint64(offsets[row]), addresses[row], size)


@kernel
def look_up(
    tables: NDArray[np.uint64],
    counts: NDArray[np.int64],
    shards: NDArray[np.int64],
    rows: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Fill line `i` of `out`, `[n, columns]`, with line `rows[i]` of the table of shard `shards[i]`.

    Tables are int64 `[counts[shard], columns]`, C-ordered, at the addresses `tables`.
    """
    columns = out.shape[1]
    for place in range(len(shards)):
        shard, row = shards[place], rows[place]
        line = int64_at(tables[shard], counts[shard] * columns)[row * columns : (row + 1) * columns]
        for column in range(columns):
            out[place, column] = line[column]
