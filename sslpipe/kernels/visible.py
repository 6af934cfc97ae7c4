"""Whether a row of text has anything but white space in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.jit import helper, kernel
from sslpipe.kernels.unicode_tables import WHITE, character_kinds
from sslpipe.kernels.utf8 import character_at


def visible(values: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Per row of a UTF-8 column, whether some character is not white space as `str.isspace` has it, bool `[n]`.

    Looks no further than the first such character.
    """
    out = np.zeros(len(offsets) - 1, np.bool_)
    values = np.ascontiguousarray(values).view()
    values.flags.writeable = False
    _rows(values, np.array(offsets, np.int64), character_kinds(), out)
    return out


@kernel
def _rows(values: NDArray[np.uint8], offsets: NDArray[np.int64], kinds: NDArray[np.uint8], out: NDArray[np.bool_]) -> None:
    for row in range(len(offsets) - 1):
        out[row] = _row(values, offsets[row], offsets[row + 1], kinds)


@helper
def _row(values: NDArray[np.uint8], at: Any, end: Any, kinds: NDArray[np.uint8]) -> bool:
    while at < end:
        code, size = character_at(values, at, end)
        if not kinds[code] & WHITE:
            return True
        at += size
    return False
