"""Masked patches: the picture, what the encoder sees of it, and what it has to predict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.errors import DataError
from sslpipe.core.steps import Task
from sslpipe.report.pictures.fonts import Fonts
from sslpipe.report.pictures.pixels import fitted, seen
from sslpipe.report.pictures.scene import Sample, Scene
from sslpipe.report.pictures.sheet import INK, MARGIN, PAPER, QUIET, RULE, Colour, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image

HIDDEN: Final[Colour] = (205, 210, 214)
GRID: Final[Colour] = (255, 255, 255)
TILE: Final = 224
COLUMNS: Final = ("the picture", "what is seen", "what is hidden")
_GAP: Final = 12
_BETWEEN: Final = 44
_TEXT: Final = 26


def draw_patches(scene: Scene) -> Image:
    """A block of three pictures for each row, two blocks a line."""
    from PIL import Image

    fonts = Fonts()
    block = len(COLUMNS) * (TILE + _GAP) - _GAP
    columns = min(2, len(scene.samples))
    sheet = Sheet(fonts, columns * (block + _BETWEEN) - _BETWEEN + 2 * MARGIN, scene.title, scene.subtitle())
    sheet.legend([(HIDDEN, "hidden")], f"from left to right: {', '.join(COLUMNS)}")
    for start in range(0, len(scene.samples), columns):
        line = Image.new("RGB", (sheet.inner, TILE + _TEXT), PAPER)
        for place, sample in enumerate(scene.samples[start : start + columns]):
            line.paste(_block(sample, scene, fonts), (place * (block + _BETWEEN), 0))
        sheet.add(line)
    return sheet.drawn()


def _block(sample: Sample, scene: Scene, fonts: Fonts) -> Image:
    from PIL import Image, ImageDraw

    pixels, masked = seen(sample.values["pixel_values"], scene), sample.values["bool_masked_pos"].reshape(-1)
    patch = patch_of(pixels, masked, scene)
    grid = masked.reshape(pixels.shape[0] // patch, pixels.shape[1] // patch)
    hidden = np.repeat(np.repeat(grid, patch, axis=0), patch, axis=1)[..., None]
    image = Image.new("RGB", (len(COLUMNS) * (TILE + _GAP) - _GAP, TILE + _TEXT), PAPER)
    draw, font = ImageDraw.Draw(image), fonts.of(13)
    for place, shown in enumerate((pixels, _without(pixels, hidden), _without(pixels, ~hidden))):
        small, scale = fitted(shown, TILE)
        image.paste(_ruled(small, patch * scale) if place else small, (place * (TILE + _GAP), 0))
        left = place * (TILE + _GAP)
        draw.rectangle((left, 0, left + small.width - 1, small.height - 1), outline=RULE)
    name = sample.name[:16]
    draw.text((0, TILE + 6), name, INK, font)
    told = f"{int(masked.sum())} of {len(masked)} patches of {patch} x {patch} hidden ({100 * masked.mean():.1f} %)"
    draw.text((TILE + _GAP, TILE + 6), told, QUIET, font)
    return image


def _without(pixels: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The pixels with what is hidden in one colour."""
    return np.where(hidden, np.asarray(HIDDEN, np.uint8), pixels)


def patch_of(pixels: NDArray[np.uint8], masked: NDArray[Any], scene: Scene) -> int:
    """The side of a patch: the task's, or what makes as many square ones as there are masks."""
    task = next((step for step in scene.steps if isinstance(step, Task)), None)
    height, width, _ = pixels.shape
    patch = getattr(task, "patch", None) or math.isqrt(height * width // max(1, len(masked)))
    if patch < 1 or (height // patch) * (width // patch) != len(masked) or height % patch or width % patch:
        raise DataError(f"{len(masked)} masks don't divide a picture of {height} x {width} into squares")
    return int(patch)


def _ruled(image: Image, patch: float) -> Image:
    """The image with lines between its patches."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image)
    for line in range(1, round(image.width / patch)):
        draw.line((line * patch, 0, line * patch, image.height), GRID)
    for line in range(1, round(image.height / patch)):
        draw.line((0, line * patch, image.width, line * patch), GRID)
    return image
