"""Arithmetic that stays 32 bits wide, as SIMD code wants it.

Numba makes a sum or product of two int32 an int64. LLVM narrows it again where its result is cut to int32 at once, as in
`np.int32(a + b)`, but neither across a shift to the right nor where a factor came in as int64; then lanes are half as many, and
products of 64 bits slow. These are one instruction each. What doesn't fit into 32 bits is cut off.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from sslpipe.kernels.jit import inlined


def _instruction(name: str) -> Any:
    """An intrinsic of two int32 that is one instruction of LLVM."""

    @intrinsic  # type: ignore[untyped-decorator]
    def instruction(_typing: Any, one: Any, other: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments)

        return types.int32(types.int32, types.int32), generate

    return instruction


shifted = _instruction("ashr")
"""A number shifted to the right by so many bits: divided by a power of two and rounded down."""
times = _instruction("mul")
"""The product of two numbers."""
plus = _instruction("add")
"""The sum of two numbers."""


@inlined
def byte(number: Any) -> Any:
    """An int32 held within 0 to 255, uint8."""
    return np.uint8(min(max(np.int32(number), np.int32(0)), np.int32(255)))
