"""What depends on a whole batch: padding, and where its documents end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import kernel


@kernel
def pad_rows(values: NDArray[Any], offsets: NDArray[np.int64], padding: int, out: NDArray[Any]) -> None:
    """Fill row `i` of `out`, `[n, L]`, with `values[offsets[i] : offsets[i + 1]]`, and with padding behind them."""
    for row in range(len(out)):
        length = offsets[row + 1] - offsets[row]
        out[row, :length] = values[offsets[row] : offsets[row + 1]]
        out[row, length:] = padding


@kernel
def document_ends(documents: NDArray[np.int32], ends: NDArray[np.int32]) -> tuple[int, int]:
    """Write where the documents of `documents`, `[n, L]` with -1 on padding, end when laid end to end without it.

    `ends`, int32, has room for one more than there are places; its first entry is 0. Returns how many entries were written,
    and the length of the longest document.
    """
    ends[0] = 0
    written, real, longest = 1, 0, 0
    for row in range(documents.shape[0]):
        last = np.int32(-1)
        for place in range(documents.shape[1]):
            number = documents[row, place]
            if number == -1:
                continue
            if number != last and real > ends[written - 1]:
                longest = max(longest, real - ends[written - 1])
                ends[written] = real
                written += 1
            last = number
            real += 1
        if real > ends[written - 1]:
            longest = max(longest, real - ends[written - 1])
            ends[written] = real
            written += 1
    return written, longest
