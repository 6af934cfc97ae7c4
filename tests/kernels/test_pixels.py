"""Blending is exact: the nearest 8-bit value of what the rational numbers say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.kernels.pixels import inks_to_rgb, over_white, to_eight_bits
from tests.support_images import composed


def test_all_of_eight_bits() -> None:
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256))
    samples = np.dstack([colour, alpha]).astype(np.uint8)
    wanted = composed(samples, 255)
    np.testing.assert_array_equal(over_white(samples), wanted)
    floor = (colour * alpha + 255 * (255 - alpha)) // 255
    assert (floor != wanted[..., 0]).any()


@given(st.integers(0, 99), st.sampled_from([2, 4]), st.sampled_from([np.uint8, np.uint16]))
def test_of_every_kind(seed: int, channels: int, dtype: type) -> None:
    largest = int(np.iinfo(dtype).max)
    samples = np.random.default_rng(seed).integers(0, largest + 1, (3, 5, channels)).astype(dtype)
    samples[0, 0], samples[0, 1], samples[0, 2, -1] = 0, largest, largest // 2
    out = over_white(samples)
    np.testing.assert_array_equal(out, composed(samples, largest))
    np.testing.assert_array_equal(over_white(samples[::-1, ::2]), out[::-1, ::2])


def test_all_of_sixteen_bits() -> None:
    samples = np.arange(65536, dtype=np.uint16).reshape(1, -1, 1)
    wanted = np.array([(2 * value * 255 + 65535) // (2 * 65535) for value in range(65536)], np.uint8)
    np.testing.assert_array_equal(to_eight_bits(samples)[0, :, 1], wanted)
    assert ((samples[0, :, 0] >> 8) != wanted).any()
    assert to_eight_bits(np.array([[[0, 257, 65535]]], np.uint16)).tolist() == [[[0, 1, 255]]]


def test_inks() -> None:
    ink, black = np.meshgrid(np.arange(256), np.arange(256))
    samples = np.dstack([ink, ink[::-1], ink, black]).astype(np.uint8)
    wanted = (2 * samples[..., :3].astype(int) * black[..., None] + 255) // 510
    np.testing.assert_array_equal(inks_to_rgb(samples), wanted)
