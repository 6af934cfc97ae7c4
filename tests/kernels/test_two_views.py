"""Views: the draws that the file promises, torchvision's laws, and pictures made step by step."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sslpipe.kernels.blur import SIGMA_ONE, blur
from sslpipe.kernels.colour import FACTOR, TURN, brighten, contrast, desaturate, saturate, turn_hue
from sslpipe.kernels.draw_crop import crop_law, draw_box
from sslpipe.kernels.resize import crop_resize, resize_room
from sslpipe.kernels.two_views import ORDERS, PARAMETERS, UNITS, draw_views, make_views, view_law, views_room
from tests.support_draws import P_VALUE, even, happens, philox, same_law, uniform
from tests.support_images import noise
from tests.support_torchvision import Pixels, apart, by_torchvision, from_lines, functional, modes, photographs, transforms

CROP = crop_law((0.08, 1.0), (3 / 4, 4 / 3))
STRENGTHS = (0.8, 0.8, 0.8, 0.2)
LAW = view_law((0.5, 0.8, 0.2, 0.5), STRENGTHS, (0.1, 2.0))
AT = {name: place for place, name in enumerate(PARAMETERS)}
COUNT = 4000


def draws(words: Any, keys: list[int], law: np.ndarray = LAW, size: tuple[int, int] = (375, 500)) -> np.ndarray:
    drawn = np.full((len(keys), len(PARAMETERS)), -7, np.int64)
    draw_views(np.array(words, np.uint32), np.array(keys, np.uint64), *size, CROP, law, drawn)
    return drawn


@given(st.tuples(*[st.integers(0, 2**32 - 1)] * 3), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=3))
def test_draws_are_laid_out_as_promised(words: tuple[int, int, int], keys: list[int]) -> None:
    for key, found in zip(keys, draws(words, keys).tolist(), strict=True):
        flip, jitter, grey, blurs = philox((0, *words), key)
        amounts = philox((1, *words), key)
        order, sigma, _, _ = philox((2, *words), key)
        box = draw_box(*(np.uint64(part) for part in (*words, key % 2**32, key >> 32)), 375, 500, CROP)
        ends = LAW.tolist()[4:]
        factors = [ends[2 * i] + (amounts[i] * (ends[2 * i + 1] - ends[2 * i] + 1) >> 32) for i in range(4)]
        jittered = jitter < LAW[1]
        wanted = [
            *map(int, box),
            int(flip < 2**31),
            *(factors if jittered else [FACTOR] * 3 + [0]),
            order * 24 >> 32,
            int(grey < LAW[2]),
            (ends[8] + (sigma * (ends[9] - ends[8] + 1) >> 32)) if blurs < 2**31 else 0,
        ]
        assert found == wanted


@lru_cache(maxsize=1)
def many() -> dict[str, np.ndarray]:
    """What is drawn for two views of many rows, each parameter `[n, 2]`."""
    rows = np.random.default_rng(3).integers(0, 2**32, (COUNT, 3))
    drawn = np.stack([draws(words, [5, 6]) for words in rows]) / UNITS
    return {name: drawn[..., place] for name, place in AT.items()}


def test_what_happens_has_its_share() -> None:
    found = many()
    happens(found["flip"], 0.5)
    happens(found["gray"], 0.2)
    happens(found["sigma"] > 0, 0.5)
    happens(found["brightness"] != 1, 0.8)
    assert ((found["brightness"] != 1) == (found["hue"] != 0)).mean() > 0.999


def test_amounts_have_torchvisions_laws() -> None:
    torch.manual_seed(2)
    jitter = transforms.ColorJitter(*STRENGTHS)
    theirs = [jitter.make_params([]) for _ in range(COUNT)]
    found = many()
    jittered = found["brightness"] != 1
    for name in ("brightness", "contrast", "saturation", "hue"):
        same_law(found[name][jittered], np.array([float(params[f"{name}_factor"]) for params in theirs]))
    for name in ("brightness", "contrast", "saturation"):
        uniform(found[name][jittered], 0.1999, 1.8001)
    uniform(found["hue"][jittered], -0.2001, 0.2001)
    orders = np.array([params["fn_idx"].tolist() for params in theirs])
    even(found["order"].reshape(-1), 24)
    for place in range(4):
        counts = [np.bincount(made[:, place], minlength=4) for made in (ORDERS[found["order"].astype(int).reshape(-1)], orders)]
        assert stats.chi2_contingency(counts).pvalue > P_VALUE
    blurs = transforms.GaussianBlur(23, (0.1, 2.0))
    sigmas = found["sigma"][found["sigma"] > 0]
    same_law(sigmas, np.array([blurs.make_params([])["sigma"][0] for _ in range(COUNT)]))
    uniform(sigmas, 0.0999, 2.0001)


def test_two_views_of_a_row_and_two_parameters_of_a_view_are_unrelated() -> None:
    found = many()
    for name, values in found.items():
        assert abs(np.corrcoef(values[:, 0], values[:, 1])[0, 1]) < 4.5 / COUNT**0.5, name
    related = np.corrcoef(
        np.stack([found[name][:, 0] for name in PARAMETERS if name not in ("height", "width", "top", "left")])
    )
    jittered = related - np.eye(len(related))
    jittered[1:5, 1:5] = 0  # all four factors are 1 together
    assert np.abs(jittered).max() < 4.5 / COUNT**0.5


def make(picture: Pixels, drawn: np.ndarray, size: int, radius: int, bicubic: bool = False) -> list[Pixels]:
    room = np.full(views_room(*picture.shape[:2], size), 0xA5, np.uint8)
    views = np.full((len(drawn), 3 * size * size), 7, np.uint8)
    make_views(picture, drawn, bicubic, size, radius, room, views)
    return [from_lines(view) for view in views]


def step_by_step(picture: Pixels, drawn: np.ndarray, size: int, radius: int, bicubic: bool) -> Pixels:
    """The order of steps, each by its own kernel."""
    lines, room = np.empty(3 * size * size, np.uint8), np.empty(resize_room(*picture.shape[:2], size), np.uint8)
    top, left, height, width, flip, brightness, contrasts, saturation, hue, order, grey, sigma = drawn.tolist()
    crop_resize(picture, top, left, height, width, bool(flip), bicubic, size, room, lines)
    for what in ORDERS[order]:
        if what == 0:
            brighten(lines, brightness)
        elif what == 1:
            contrast(lines, size, contrasts)
        elif what == 2:
            saturate(lines, size, saturation)
        else:
            turn_hue(lines, size, hue)
    if grey:
        desaturate(lines, size)
    out = lines.copy()
    if sigma:
        blur(lines, size, sigma, radius, out)
    return from_lines(out)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(2, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_views_are_made_in_the_order_of_simclr(height: int, width: int, size: int, seed: int, bicubic: bool) -> None:
    picture, radius = noise(height, width, seed % 100), min(3, size - 1)
    drawn = draws((seed, 1, 2), [3, 4, 5], size=(height, width))
    for found, now in zip(make(picture, drawn, size, radius, bicubic), drawn, strict=True):
        assert (found == step_by_step(picture, now, size, radius, bicubic)).all()


def by_pieces(picture: Pixels, drawn: np.ndarray, size: int) -> Pixels:
    """The same view by torchvision's functions."""
    values = dict(zip(PARAMETERS, (drawn / UNITS).tolist(), strict=True))

    def operation(image: Any) -> Any:
        box = [int(values[name]) for name in ("top", "left", "height", "width")]
        image = functional.resized_crop(image, *box, [size, size], interpolation=modes.BILINEAR, antialias=True)
        image = functional.horizontal_flip(image) if values["flip"] else image
        for what in ORDERS[int(values["order"])]:
            name = ("brightness", "contrast", "saturation", "hue")[what]
            image = getattr(functional, f"adjust_{name}")(image, values[name])
        image = functional.rgb_to_grayscale(image, 3) if values["gray"] else image
        kernel = size // 10 | 1
        return functional.gaussian_blur(image, [kernel] * 2, [values["sigma"]] * 2) if values["sigma"] else image

    return by_torchvision(operation, picture)


@pytest.mark.parametrize("number", [0, 1])
def test_views_look_as_by_torchvision(number: int) -> None:
    """Each step is within 1; saturation and contrast then magnify what came before them up to 1.8 times each."""
    picture = photographs()[number]
    for seed in range(5):
        drawn = draws((seed, number, 0), [8, 9], size=picture.shape[:2])
        for found, now in zip(make(picture, drawn, 224, 11), drawn, strict=True):
            largest, mean = apart(found, by_pieces(picture, now, 224))
            assert largest <= 8 and mean < 2.0, now.tolist()


def test_another_order_is_caught() -> None:
    """The mutant: brightness, contrast, saturation, hue always in this order."""
    picture = photographs()[1]
    drawn = draws((1, 1, 1), [8], law=view_law((0, 1, 0, 0), STRENGTHS, (0.1, 2.0)), size=picture.shape[:2])
    drawn[0, AT["brightness"]], drawn[0, AT["contrast"]] = int(1.7 * FACTOR), int(0.4 * FACTOR)
    drawn[0, AT["order"]] = 23
    wrong = drawn.copy()
    wrong[0, AT["order"]] = 0
    (found,) = make(picture, wrong, 96, 4)
    assert apart(found, by_pieces(picture, drawn[0], 96))[0] > 8


def test_what_does_not_happen_changes_nothing() -> None:
    picture = noise(50, 60)
    drawn = draws((1, 2, 3), [4, 5], law=view_law((0, 0, 0, 0), STRENGTHS, (0.1, 2.0)), size=(50, 60))
    assert (drawn[:, AT["flip"] :] == [0, FACTOR, FACTOR, FACTOR, 0, *[0] * 3]).sum() >= 14
    for found, now in zip(make(picture, drawn, 32, 1), drawn, strict=True):
        top, left, height, width = now[:4].tolist()
        lines, room = np.empty(3 * 32 * 32, np.uint8), np.empty(resize_room(50, 60, 32), np.uint8)
        crop_resize(picture, top, left, height, width, False, False, 32, room, lines)
        assert (found == from_lines(lines)).all()


def test_units() -> None:
    assert len(UNITS) == len(PARAMETERS) and UNITS[AT["hue"]] == TURN and UNITS[AT["sigma"]] == SIGMA_ONE
