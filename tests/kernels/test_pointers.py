"""Memory by its address."""

import numpy as np
import pytest

from sslpipe.kernels.jit import kernel
from sslpipe.kernels.pointers import copy_bytes, int64_at, uint32_at, uint64_at


@kernel
def _move(target: np.uint64, source: np.uint64, size: int) -> None:
    copy_bytes(target, source, size)


def address(array: np.ndarray) -> np.uint64:
    return np.uint64(array.ctypes.data)


@pytest.mark.parametrize("shift", range(9))
@pytest.mark.parametrize("size", [0, 1, 7, 64, 1001])
def test_copies_exactly_the_bytes_asked_for_at_any_alignment(shift: int, size: int) -> None:
    source = np.random.default_rng(size).integers(0, 256, 2000).astype(np.uint8)
    target = np.zeros(2000, np.uint8)
    _move(address(target[3:]), address(source[shift:]), size)
    assert (target[3 : 3 + size] == source[shift : shift + size]).all()
    assert not target[:3].any()
    assert not target[3 + size :].any()


@pytest.mark.parametrize(("view", "dtype"), [(int64_at, np.int64), (uint64_at, np.uint64), (uint32_at, np.uint32)])
def test_a_view_reads_what_lies_there(view: object, dtype: type) -> None:
    array = np.array([0, 1, np.iinfo(dtype).max, 5], dtype)
    seen = view(address(array), np.int64(3))  # type: ignore[operator]
    assert seen.dtype == dtype
    assert seen.tolist() == array[:3].tolist()
