"""The `.npy` header, so that arrays in a shard can be written by template and read in place."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np


@lru_cache(maxsize=4096)
def npy_header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """The bytes before the data of a C-ordered array in format 1.0, a multiple of 64 long, as numpy writes them."""
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    padding = -(len(text) + 11) % 64
    body = text.encode("latin1") + b" " * padding + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


def npy_bytes(row: np.ndarray[Any, Any]) -> tuple[bytes, memoryview]:
    """Header and data of one array."""
    contiguous = np.asarray(row, order="C")  # Not ascontiguousarray, which makes one axis of none.
    return npy_header(contiguous.dtype.str, contiguous.shape), contiguous.reshape(-1).view(np.uint8).data
