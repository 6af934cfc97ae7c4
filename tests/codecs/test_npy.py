"""Headers of `.npy` files are numpy's own, byte for byte."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.codecs.npy import npy_bytes, npy_header

DTYPES = ("|u1", "|b1", "|i1", "<u2", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8")


def _saved(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


@given(st.sampled_from(DTYPES), st.lists(st.integers(0, 5), max_size=4))
def test_bytes_are_those_of_numpy(dtype: str, shape: list[int]) -> None:
    array = np.arange(int(np.prod(shape))).astype(dtype).reshape(shape)
    header, data = npy_bytes(array)
    assert header + bytes(data) == _saved(array)
    assert len(header) % 64 == 0


@pytest.mark.parametrize("length", [0, 1, 9, 10, 99_999, 10**9, 10**15, 10**18])
@pytest.mark.parametrize("dtype", ["<u2", "|u1"])
def test_headers_of_any_length(dtype: str, length: int) -> None:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": False, "shape": (length,)})
    found, wanted = npy_header(dtype, (length,)), out.getvalue()
    assert found == wanted


def test_another_order_is_laid_out_anew() -> None:
    turned = np.arange(6, dtype=np.int64).reshape(2, 3).T
    header, data = npy_bytes(turned)
    assert (np.load(io.BytesIO(header + bytes(data)), allow_pickle=False) == turned).all()
    assert b"'fortran_order': False" in header
    assert header + bytes(data) != _saved(turned), "numpy keeps Fortran order, so the two would differ"


def test_a_header_that_is_not_aligned_is_caught() -> None:
    mutant = npy_header("<u2", (3,)).rstrip(b" \n") + b"\n"
    assert len(mutant) % 64 and mutant != _saved(np.zeros(3, np.uint16))[: len(mutant)]
