"""Gathering copies what stands at the addresses, and nothing beside it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.kernels.gather import gather_bytes


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_gather_is_slicing(data: st.DataObject) -> None:
    files = [np.frombuffer(data.draw(st.binary(min_size=1, max_size=60)), np.uint8) for _ in range(3)]
    pieces = []
    for _ in range(data.draw(st.integers(0, 8))):
        file = data.draw(st.sampled_from(files))
        start = data.draw(st.integers(0, len(file)))
        pieces.append((file, start, data.draw(st.integers(start, len(file)))))
    addresses = np.array([file.ctypes.data + start for file, start, _ in pieces], np.uint64)
    offsets = np.concatenate([[0], np.cumsum([stop - start for _, start, stop in pieces])]).astype(np.int64)
    guarded = np.full(offsets[-1] + 8, 0xEE, np.uint8)
    gather_bytes(addresses, offsets, guarded[:-8])
    wanted = b"".join(file[start:stop].tobytes() for file, start, stop in pieces)
    assert guarded[:-8].tobytes() == wanted
    assert (guarded[-8:] == 0xEE).all()
