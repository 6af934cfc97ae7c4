"""Masked patches: the draws that the file promises, crops, and targets against MAE's formula."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.draw_crop import crop_law, draw_box
from sslpipe.kernels.masked_patches import draw_patches, make_crop, patch_targets
from sslpipe.kernels.planes import normalise_planes
from sslpipe.kernels.resize import crop_resize, resize_room
from tests.support_draws import philox
from tests.support_images import noise
from tests.support_torchvision import to_lines

WORDS = st.tuples(*[st.integers(0, 2**32 - 1)] * 3)
KEY = st.integers(0, 2**64 - 1)
LAW = crop_law((0.2, 1.0), (3 / 4, 4 / 3))


def drawn(words: tuple[int, int, int], key: int, count: int, visible: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    keep, restore, masked = np.full(visible, -1), np.full(count, -1), np.zeros(count, np.bool_)
    draw_patches(np.array(words, np.uint32), np.uint64(key), keep, restore, masked)
    return keep, restore, masked


@given(WORDS, KEY, st.integers(2, 70).flatmap(lambda count: st.tuples(st.just(count), st.integers(1, count - 1))))
def test_the_shuffle_is_that_of_the_file(words: tuple[int, int, int], key: int, counts: tuple[int, int]) -> None:
    count, visible = counts
    shuffle = list(range(count))
    for step in range(1, count):
        other = philox((2**31 + step // 4, *words), key)[step % 4] * (step + 1) >> 32
        shuffle[step], shuffle[other] = shuffle[other], shuffle[step]
    keep, restore, masked = drawn(words, key, count, visible)
    assert keep.tolist() == shuffle[:visible]
    assert [shuffle[place] for place in restore.tolist()] == list(range(count))
    assert np.flatnonzero(~masked).tolist() == sorted(shuffle[:visible])


@given(WORDS, KEY, st.integers(1, 80), st.integers(1, 80), st.integers(1, 30), st.booleans())
def test_the_crop_is_that_of_the_file(
    words: tuple[int, int, int], key: int, height: int, width: int, size: int, bicubic: bool
) -> None:
    picture = noise(height, width)
    room = np.full(resize_room(height, width, size), 0xA5, np.uint8)
    found, wanted = np.zeros((2, 3 * size * size), np.uint8)
    make_crop(picture, np.array(words, np.uint32), np.uint64(key), 2**31, LAW, bicubic, size, room, found)
    box = draw_box(*(np.uint64(part) for part in (*words, key % 2**32, key >> 32)), height, width, LAW)
    crop_resize(picture, *box, philox((0, *words), key)[0] < 2**31, bicubic, size, room, wanted)
    assert (found == wanted).all()


def targets_of(pixels: np.ndarray, side: int, scale: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets, and the values that they were made from."""
    size = len(pixels)
    planes = pixels.transpose(2, 0, 1).copy()
    values = np.empty((1, 3, size, size), np.float32)
    normalise_planes(to_lines(pixels)[None], scale, offset, values)
    out = np.full(((size // side) ** 2, 3 * side * side), np.nan, np.float32)
    patch_targets(planes, scale, offset, values[0], side, out)
    return out, values[0]


def by_mae(values: np.ndarray, side: int) -> np.ndarray:
    """MAE's patchify and `norm_pix_loss`, in 64 bits: row, column, channel; the variance of n - 1."""
    across = values.shape[1] // side
    grid = torch.from_numpy(values.astype(np.float64)).reshape(3, across, side, across, side)
    patches = torch.einsum("chpwq->hwpqc", grid).reshape(across**2, 3 * side**2)
    mean, var = patches.mean(-1, keepdim=True), patches.var(-1, keepdim=True)
    return ((patches - mean) / (var + 1e-6) ** 0.5).numpy()


@given(st.integers(1, 4), st.integers(1, 9), st.integers(0, 99))
def test_targets_are_those_of_mae(across: int, side: int, seed: int) -> None:
    scale, offset = np.array([0.017, 0.0175, 0.0174], np.float32), np.array([-2.1, -2.0, -1.8], np.float32)
    found, values = targets_of(noise(across * side, across * side, seed), side, scale, offset)
    assert np.abs(found - by_mae(values, side)).max() < 1e-5


def test_flat_patches_have_targets_of_nought() -> None:
    same = np.full(3, 1 / 255, np.float32)
    found, _ = targets_of(np.full((8, 8, 3), 201, np.uint8), 4, same, np.zeros(3, np.float32))
    assert np.isfinite(found).all() and np.abs(found).max() < 1e-3


def test_the_other_variance_and_order_are_caught() -> None:
    """Mutants: dividing by n, and channels before pixels."""
    scale, offset = np.full(3, 1 / 64, np.float32), np.zeros(3, np.float32)
    found, values = targets_of(noise(8, 8), 2, scale, offset)
    exact = by_mae(values, 2)
    assert np.abs(found - exact * (12 / 11) ** 0.5).max() > 1e-2
    assert np.abs(found - exact.reshape(16, 4, 3).transpose(0, 2, 1).reshape(16, 12)).max() > 1e-2
