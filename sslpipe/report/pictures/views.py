"""Views of one picture side by side, beside the picture that they were cut from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from sslpipe.report.pictures.fonts import Fonts
from sslpipe.report.pictures.pixels import LARGEST, NOTHING, fitted, seen
from sslpipe.report.pictures.scene import Sample, Scene
from sslpipe.report.pictures.sheet import INK, MARGIN, PAPER, QUIET, RULE, Colour, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

VIEWS: Final[tuple[Colour, ...]] = ((229, 118, 34), (36, 113, 190), (42, 157, 120), (150, 80, 190))
"""The colours of views: their frames, and their crops in the picture."""
MOST: Final = 8
"""Views of one picture that are shown."""
_WIDEST: Final = 1500
_GAP: Final = 12
_BETWEEN: Final = 44
_TEXT: Final = 56


def draw_views(scene: Scene) -> Image:
    """A block for each row: the picture with the crops in it, then the views."""
    from PIL import Image

    fonts = Fonts()
    count = min(MOST, len(scene.samples[0].values["views"]))
    block = (count + 1) * (LARGEST + _GAP) - _GAP
    columns = max(1, min(len(scene.samples), (_WIDEST + _BETWEEN) // (block + _BETWEEN)))
    width = columns * (block + _BETWEEN) - _BETWEEN
    sheet = Sheet(fonts, max(width, 700) + 2 * MARGIN, scene.title, scene.subtitle())
    note = "frames in the picture: what each view was cut from" if "view_params" in scene.samples[0].values else ""
    sheet.legend([(VIEWS[view % len(VIEWS)], f"view {view + 1}") for view in range(count)], note)
    for start in range(0, len(scene.samples), columns):
        line = Image.new("RGB", (sheet.inner, LARGEST + _TEXT), PAPER)
        for place, sample in enumerate(scene.samples[start : start + columns]):
            line.paste(_block(sample, scene, fonts, count), (place * (block + _BETWEEN), 0))
        sheet.add(line)
    return sheet.drawn()


def _block(sample: Sample, scene: Scene, fonts: Fonts, count: int) -> Image:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", ((count + 1) * (LARGEST + _GAP) - _GAP, LARGEST + _TEXT), PAPER)
    draw, font = ImageDraw.Draw(image), fonts.of(13)
    parameters = sample.values.get("view_params")
    pixels = scene.original(sample.name)
    if pixels is None:
        draw.rectangle((0, 0, LARGEST - 1, LARGEST - 1), NOTHING)
        draw.text((LARGEST / 2, LARGEST / 2), "not stored", QUIET, font, anchor="mm")
    else:
        small, scale = fitted(pixels)
        image.paste(small, (0, 0))
        draw.rectangle((0, 0, small.width - 1, small.height - 1), outline=RULE)
        for view, drawn in enumerate(parameters[:count] if parameters is not None else ()):
            _crop(draw, drawn, scale, VIEWS[view % len(VIEWS)])
        draw.text((0, small.height + 6), f"{pixels.shape[1]} x {pixels.shape[0]}", QUIET, font)
        draw.text((0, small.height + 22), sample.name[:16], QUIET, font)
    for view in range(count):
        left = (view + 1) * (LARGEST + _GAP)
        small, _ = fitted(seen(sample.values["views"][view], scene))
        image.paste(small, (left, 0))
        draw.rectangle((left, 0, left + small.width - 1, small.height - 1), outline=VIEWS[view % len(VIEWS)], width=3)
        for number, words in enumerate(_told(parameters[view]) if parameters is not None else ()):
            draw.text((left, small.height + 6 + 16 * number), words, INK if number == 0 else QUIET, font)
    return image


def _crop(draw: ImageDraw, parameters: NDArray[Any], scale: float, colour: Colour) -> None:
    """A frame in the picture, with a light line inside so that it shows on any ground."""
    top, left, height, width = (float(value) * scale for value in parameters[:4])
    draw.rectangle((left, top, left + max(width - 1, 1), top + max(height - 1, 1)), outline=colour, width=3)
    if min(width, height) > 12:
        draw.rectangle((left + 3, top + 3, left + width - 4, top + height - 4), outline=PAPER)


def _told(parameters: NDArray[Any]) -> tuple[str, ...]:
    """What was drawn for a view, in words: its crop, its colours, and what blurred them (`docs/tasks.md`)."""
    _, _, height, width, flip, *factors, hue, _, gray, sigma = (float(value) for value in parameters)
    names = ("light", "contrast", "colour")
    colours = [f"{name} {value:.2f}" for name, value in zip(names, factors, strict=True) if value != 1]
    more = [f"hue {360 * hue:+.0f}°"] if hue else []
    more += ["grey"] if gray else []
    more += [f"blur {sigma:.1f}"] if sigma else []
    return f"{width:.0f} x {height:.0f}{', mirrored' * bool(flip)}", ", ".join(colours), ", ".join(more)
