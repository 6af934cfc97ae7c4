"""What is deflated, zlib inflates; and the bits are golden."""

from __future__ import annotations

import hashlib
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.deflate import BLOCK, deflate


def inflated(data: np.ndarray) -> bytes:
    inflate = zlib.decompressobj(-15)
    out = inflate.decompress(deflate(data).tobytes())
    assert inflate.eof and not inflate.unused_data
    return out


@given(
    st.lists(st.tuples(st.integers(0, 255), st.sampled_from([1, 2, 3, 4, 10, 11, 12, 257, 258, 259, 260, 300])), max_size=40)
)
def test_runs_of_every_length(runs: list[tuple[int, int]]) -> None:
    data = np.repeat(np.array([byte for byte, _ in runs], np.uint8), [size for _, size in runs])
    assert inflated(data) == data.tobytes()


@given(st.integers(0, 99), st.sampled_from([0, 1, 2, 255, 256, 5000, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7]))
def test_noise_of_every_sort(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    noise = np.minimum(random.geometric(random.choice([0.004, 0.02, 0.1, 0.5, 0.9]), size), 256) - 1
    data = noise.astype(np.uint8)
    assert inflated(data) == data.tobytes()
    assert inflated(data[::-2]) == data[::-2].tobytes()
    assert len(deflate(data)) <= size * 9 // 8 + 400 * (size // BLOCK + 1)


def test_codes_that_would_be_too_long() -> None:
    counts = [1, 1]
    while sum(counts) < BLOCK - 1:
        counts.append(min(counts[-1] + counts[-2], BLOCK - 1 - sum(counts)))
    data = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    data = data[np.random.default_rng(0).permutation(len(data))]
    assert len(counts) > 20 and inflated(data) == data.tobytes()


def test_every_length_and_byte_at_once() -> None:
    runs = [piece for size in range(1, 262) for piece in ([size % 7] * size, [200 + size % 50])]
    data = np.array([byte for run in runs for byte in run], np.uint8)
    assert inflated(data) == data.tobytes()


def test_as_small_as_zlib_without_its_search() -> None:
    random = np.random.default_rng(3)
    data = np.abs(np.cumsum(random.integers(-2, 3, 300_000)) - np.cumsum(random.integers(-2, 3, 300_000)))
    residual = np.diff(data, prepend=0).astype(np.uint8)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_RLE)
    assert len(deflate(residual)) < 1.01 * len(packer.compress(residual.tobytes()) + packer.flush())


@pytest.mark.parametrize(("seed", "digest"), [(0, "443e0cbb0b5f0c1c"), (1, "7f1c24b2438118c5")])
def test_golden_bits(seed: int, digest: str) -> None:
    data = np.random.default_rng(seed).integers(0, 256, (4, 200_000)).min(axis=0).astype(np.uint8)
    data[5000:9000] = 0
    assert hashlib.sha256(deflate(data).tobytes()).hexdigest()[:16] == digest
