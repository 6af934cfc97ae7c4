"""Does compiled code work on this machine?"""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np

from sslpipe.kernels.philox import philox_row

_WANTED = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
"""The first block of Philox4x32-10 for a counter and a key of zeros, as Random123 publishes it."""


def probe() -> float:
    """Compile one kernel anew, past the cache, and check what it computes; the seconds that it took.

    Raises ArithmeticError where it computes something else, and whatever the compiler raises where there is no code at all.
    """
    out = np.zeros(4, np.uint32)
    start = time.perf_counter()
    kernel: Any = philox_row
    numba.njit(nogil=True, error_model="numpy")(kernel.py_func)(np.zeros(3, np.uint32), np.uint64(0), out)
    seconds = time.perf_counter() - start
    if out.tolist() != list(_WANTED):
        raise ArithmeticError(f"a kernel computed {[hex(word) for word in out.tolist()]}, wanted {[hex(w) for w in _WANTED]}")
    return seconds
