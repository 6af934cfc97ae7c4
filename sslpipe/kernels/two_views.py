"""Augmented views of one picture (SimCLR, arXiv 2002.05709): what is drawn, and what is made of it.

The draws of a row in one view (see `philox.py` for counter and key; each view has a key of its own) are used like this:

    block 0           flip, jitter, grey, blur: each happens if its word is below a threshold
    block 1           factors of brightness, contrast and saturation, shift of hue
    block 2           word 0 the order of these four, one of 24; word 1 sigma of the blur
    blocks 4 to 13    the crop, see `draw_crop.py`

A picture passes as bytes through crop, flip, jitter, grey and blur, in this order; each rounds to bytes as its own file says.
"""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.kernels.blur import SIGMA_ONE, blur
from sslpipe.kernels.colour import FACTOR, TURN, brighten, contrast, desaturate, saturate, turn_hue
from sslpipe.kernels.draw_crop import Law, draw_box
from sslpipe.kernels.jit import kernel
from sslpipe.kernels.philox import below, philox_block
from sslpipe.kernels.resize import crop_resize, resize_room

PARAMETERS: Final = (
    "top", "left", "height", "width", "flip", "brightness", "contrast", "saturation", "hue", "order", "gray", "sigma",
)  # fmt: skip
"""What is drawn for a view, in this order."""
UNITS: Final = np.array([1, 1, 1, 1, 1, FACTOR, FACTOR, FACTOR, TURN, 1, 1, SIGMA_ONE], np.float64)
"""By what the numbers of `draw_views` are divided to be pixels, factors, turns."""

ORDERS: Final = np.array(list(itertools.permutations(range(4))), np.int64)
"""Orders of brightness, contrast, saturation and hue (0 to 3), by their number."""

_TOP, _LEFT, _HEIGHT, _WIDTH, _FLIP, _BRIGHTNESS, _HUE, _ORDER, _GREY, _SIGMA = 0, 1, 2, 3, 4, 5, 8, 9, 10, 11


def view_law(
    shares: tuple[float, float, float, float], strengths: tuple[float, float, float, float], sigma: tuple[float, float]
) -> NDArray[np.int64]:
    """The law of views as numbers, int64 `[14]`: four thresholds of 2^32, then lowest and highest of factors, hue and sigma.

    `shares` are those of flip, jitter, grey and blur; `strengths` those of brightness, contrast, saturation and hue.
    """
    *factors, hue = strengths
    ends = [(round((1 - strength) * FACTOR), round((1 + strength) * FACTOR)) for strength in factors]
    ends += [(-round(hue * TURN), round(hue * TURN)), (round(sigma[0] * SIGMA_ONE), round(sigma[1] * SIGMA_ONE))]
    return np.array([*(round(share * 2**32) for share in shares), *itertools.chain(*ends)], np.int64)


@kernel
def draw_views(
    words: NDArray[np.uint32], keys: NDArray[np.uint64], height: int, width: int, crop: Law, law: Law, drawn: NDArray[np.int64]
) -> None:
    """Fill `drawn`, int64 `[views, 12]`, with what `PARAMETERS` says, for one row; `keys` has one key a view.

    What doesn't happen has the number that changes nothing: factor 1, shift 0, sigma 0.
    """
    n0, n1, n2 = np.uint64(words[0]), np.uint64(words[1]), np.uint64(words[2])
    for view in range(len(keys)):
        k0, k1 = keys[view] & np.uint64(0xFFFFFFFF), keys[view] >> np.uint64(32)
        happens = philox_block(np.uint64(0), n0, n1, n2, k0, k1)
        amounts = philox_block(np.uint64(1), n0, n1, n2, k0, k1)
        order, sigma, _, _ = philox_block(np.uint64(2), n0, n1, n2, k0, k1)
        out = drawn[view]
        out[_TOP], out[_LEFT], out[_HEIGHT], out[_WIDTH] = draw_box(n0, n1, n2, k0, k1, height, width, crop)
        out[_FLIP] = np.int64(happens[0]) < law[0]
        for index in range(4):
            low, high = law[4 + 2 * index], law[5 + 2 * index]
            out[_BRIGHTNESS + index] = low + below(amounts[index], high - low + 1)
        out[_ORDER] = below(order, len(ORDERS))
        if np.int64(happens[1]) >= law[1]:
            out[_BRIGHTNESS:_HUE] = FACTOR
            out[_HUE] = 0
        out[_GREY] = np.int64(happens[2]) < law[2]
        out[_SIGMA] = law[12] + below(sigma, law[13] - law[12] + 1) if np.int64(happens[3]) < law[3] else 0


def views_room(height: int, width: int, size: int) -> int:
    """Bytes of working memory that `make_views` needs for a picture of this size."""
    return resize_room(height, width, size) + 3 * size * size


@kernel
def _jitter(lines: NDArray[np.uint8], size: int, drawn: NDArray[np.int64]) -> None:
    for what in ORDERS[drawn[_ORDER]]:
        amount = drawn[_BRIGHTNESS + what]
        if what == 0 and amount != FACTOR:
            brighten(lines, amount)
        elif what == 1 and amount != FACTOR:
            contrast(lines, size, amount)
        elif what == 2 and amount != FACTOR:
            saturate(lines, size, amount)
        elif what == 3 and amount != 0:
            turn_hue(lines, size, amount)


@kernel
def make_views(
    picture: NDArray[np.uint8], drawn: NDArray[np.int64], bicubic: bool, size: int, radius: int,
    room: NDArray[np.uint8], views: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Fill `views`, uint8 `[views, 3 * size * size]` in lines, from `picture`, uint8 `[H, W, 3]`, and `drawn`.

    `radius` is that of the blur's kernel. `room`, uint8, has at least `views_room` bytes, of any content.
    """
    spare, rest = room[: 3 * size * size], room[3 * size * size :]
    for view in range(len(drawn)):
        now = drawn[view]
        blurred = now[_SIGMA] > 0 and radius > 0
        lines = spare if blurred else views[view]
        crop_resize(picture, now[_TOP], now[_LEFT], now[_HEIGHT], now[_WIDTH], now[_FLIP] == 1, bicubic, size, rest, lines)
        _jitter(lines, size, now)
        if now[_GREY]:
            desaturate(lines, size)
        if blurred:
            blur(lines, size, now[_SIGMA], radius, views[view])
