"""Colour operations against their formulas in whole numbers, and within 1 of torchvision's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sslpipe.kernels.colour import FACTOR, SIXTH, TURN, brighten, contrast, desaturate, saturate, turn_hue
from tests.support_images import noise
from tests.support_torchvision import Pixels, apart, by_torchvision, from_lines, functional, photographs, to_lines

Kernel = Callable[..., Any]


def small(number: int) -> Pixels:
    """A photograph at 224."""
    return np.asarray(Image.fromarray(photographs()[number]).resize((224, 224)), np.uint8)


def made(kernel: Kernel, pixels: Pixels, *arguments: int) -> Pixels:
    """What a kernel makes of square pixels."""
    lines = to_lines(pixels)
    kernel(lines, *(() if kernel is brighten else (len(pixels),)), *arguments)
    return from_lines(lines)


def grey_of(pixels: Pixels) -> np.ndarray:
    return (pixels.astype(np.int64) @ [19595, 38470, 7471] + 32768) // 65536


def blended(pixels: Pixels, factor: int, rest: Any) -> Pixels:
    return np.clip((pixels.astype(np.int64) * factor + rest) // FACTOR, 0, 255).astype(np.uint8)


pictures = st.builds(noise, st.shared(st.sampled_from([1, 2, 7, 8, 33]), key="side"),
                     st.shared(st.sampled_from([1, 2, 7, 8, 33]), key="side"), st.integers(0, 99))  # fmt: skip
factors = st.one_of(st.sampled_from([0, FACTOR, 2 * FACTOR]), st.integers(0, 2 * FACTOR))


@given(pictures, factors)
def test_factors_are_exact(pixels: Pixels, factor: int) -> None:
    grey = grey_of(pixels)
    mean = int(grey.sum()) * (FACTOR - factor) // grey.size
    assert (made(brighten, pixels, factor) == blended(pixels, factor, 0)).all()
    assert (made(contrast, pixels, factor) == blended(pixels, factor, mean)).all()
    assert (made(saturate, pixels, factor) == blended(pixels, factor, grey[..., None] * (FACTOR - factor))).all()
    assert (made(desaturate, pixels) == grey[..., None]).all()


def turned(red: int, green: int, blue: int, shift: int) -> list[int]:
    """HSV's hexagon in Python's integers."""
    value, chroma = max(red, green, blue), max(red, green, blue) - min(red, green, blue)
    over, start = {red: (green - blue, 0), **({green: (blue - red, 2)} if green > red else {}),
                   **({blue: (red - green, 4)} if blue > max(red, green) else {})}[value]  # fmt: skip
    part = abs(over) * SIXTH // max(chroma, 1) * (1 if over >= 0 else -1)
    out = []
    for channel in (5, 3, 1):
        place = (start * SIXTH + part + shift + channel * SIXTH) % TURN
        share = min(max(min(place, 4 * SIXTH - place), 0), SIXTH)
        out.append(value - (chroma * share + 32768) // 65536)
    return out


@given(pictures, st.one_of(st.integers(-TURN, TURN), st.sampled_from([0, SIXTH, -SIXTH, TURN // 2])))
def test_hue_is_exact(pixels: Pixels, shift: int) -> None:
    wanted = [turned(*colour, shift) for colour in pixels.reshape(-1, 3).tolist()]
    assert made(turn_hue, pixels, shift).reshape(-1, 3).tolist() == wanted


@given(pictures, st.integers(-TURN, TURN))
def test_hue_keeps_the_largest_and_the_smallest_value(pixels: Pixels, shift: int) -> None:
    out = made(turn_hue, pixels, shift)
    assert (out.max(2) == pixels.max(2)).all() and (out.min(2) == pixels.min(2)).all()
    grey = np.repeat(pixels[..., :1], 3, axis=2)
    assert (made(turn_hue, grey, shift) == grey).all()


@given(pictures)
def test_what_changes_nothing(pixels: Pixels) -> None:
    for kernel in (brighten, contrast, saturate):
        assert (made(kernel, pixels, FACTOR) == pixels).all()
    for shift in (0, TURN, -TURN):
        assert (made(turn_hue, pixels, shift) == pixels).all()
    assert (made(turn_hue, pixels, TURN // 3) == pixels[..., [2, 0, 1]]).all()
    assert (made(saturate, pixels, 0) == made(desaturate, pixels)).all()
    assert len(np.unique(made(contrast, pixels, 0))) == 1
    assert not made(brighten, pixels, 0).any()


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("factor", [0.2, 0.61, 1.0, 1.37, 1.8])
def test_factors_are_those_of_torchvision(number: int, factor: float) -> None:
    for kernel, theirs in (
        (brighten, functional.adjust_brightness),
        (contrast, functional.adjust_contrast),
        (saturate, functional.adjust_saturation),
    ):
        largest, mean = apart(
            made(kernel, small(number), round(factor * FACTOR)), by_torchvision(theirs, small(number), factor)
        )
        assert largest <= 1 and mean < 0.6, "grey is rounded here, cut off there"


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("turn", [-0.5, -0.2, -0.07, 0.0, 0.03, 0.2])
def test_hue_is_that_of_torchvision(number: int, turn: float) -> None:
    theirs = by_torchvision(functional.adjust_hue, small(number), turn)
    largest, mean = apart(made(turn_hue, small(number), round(turn * TURN)), theirs)
    assert largest <= 1 and mean < 0.2


def test_grey_is_that_of_pillow_and_nearly_that_of_torchvision() -> None:
    for pixels in (small(0), small(1), np.full((4, 4, 3), 255, np.uint8)):
        grey = made(desaturate, pixels)
        assert (grey[..., 0] == np.asarray(Image.fromarray(pixels).convert("L"))).all()
        assert apart(grey, by_torchvision(functional.rgb_to_grayscale, pixels, 3))[0] <= 1


def test_wrong_operations_are_caught() -> None:
    """Mutants: contrast around 128, and grey as the mean of the channels."""
    pixels = small(1)
    around_middle = blended(pixels, 2 * FACTOR, -128 * FACTOR)
    assert apart(around_middle, by_torchvision(functional.adjust_contrast, pixels, 2.0))[0] > 1
    plain = np.repeat(pixels.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)
    assert apart(plain, by_torchvision(functional.rgb_to_grayscale, pixels, 3))[0] > 1
