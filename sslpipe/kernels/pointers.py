"""Memory by its address, so that one kernel can read many arrays whose number is known only at run time.

A typed list of arrays would have to be built, and reference-counted, for each batch; a table of addresses is one array. Whoever
makes the table keeps the arrays alive and has checked the bounds: an address is believed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from sslpipe.kernels.jit import kernel


def _pointer_cast(item: Any) -> Any:
    """An intrinsic that takes an address, uint64, as a pointer to `item`."""

    @intrinsic  # type: ignore[untyped-decorator]
    def cast(_typing: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(item)(types.uint64), generate

    return cast


_int64_pointer = _pointer_cast(types.int64)
_uint64_pointer = _pointer_cast(types.uint64)
_uint32_pointer = _pointer_cast(types.uint32)


@intrinsic  # type: ignore[untyped-decorator]
def copy_bytes(_typing: Any, target: Any, source: Any, size: Any) -> Any:
    """Copy `size` bytes between two addresses of any alignment; the two ranges must not overlap."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        to, of, count = arguments
        byte_pointer = ir.IntType(8).as_pointer()
        cgutils.raw_memcpy(builder, builder.inttoptr(to, byte_pointer), builder.inttoptr(of, byte_pointer), count, 1)

    return types.void(types.uint64, types.uint64, types.int64), generate


@kernel
def int64_at(address: np.uint64, count: np.int64) -> Any:
    """The int64 array `[count]` at an address, as a view."""
    return carray(_int64_pointer(address), count)


@kernel
def uint64_at(address: np.uint64, count: np.int64) -> Any:
    """The uint64 array `[count]` at an address, as a view."""
    return carray(_uint64_pointer(address), count)


@kernel
def uint32_at(address: np.uint64, count: np.int64) -> Any:
    """The uint32 array `[count]` at an address, as a view."""
    return carray(_uint32_pointer(address), count)
