"""Masked frames: sound as wave and spectrum, with what is hidden shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.steps import Task
from sslpipe.report.payloads import envelope
from sslpipe.report.pictures.fonts import Fonts
from sslpipe.report.pictures.scene import Sample, Scene
from sslpipe.report.pictures.sheet import PAPER, QUIET, RULE, Colour, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH: Final = 1400
WAVE: Final = 64
SPECTRUM: Final = 150
WINDOW: Final = 512
"""Samples of one transform."""
DECIBELS: Final = 70
"""What is fainter than the loudest by more is drawn as silence."""
HIDDEN: Final[Colour] = (214, 66, 84)
SOUND: Final[Colour] = (42, 120, 160)
PADDING: Final[Colour] = (236, 238, 240)
NEGATIVE: Final[Colour] = (90, 60, 160)
_SCALE: Final = np.array(
    [(12, 14, 38), (58, 24, 96), (130, 38, 110), (206, 72, 74), (246, 142, 60), (252, 240, 170)], np.float64
)
"""Colours of loudness, from silence up."""
_AXIS: Final = 22
_TICKS: Final = 14


def draw_frames(scene: Scene) -> Image:
    """A block for each row: wave, spectrum, time, and the negatives of one hidden frame where there are some."""
    fonts = Fonts()
    sheet = Sheet(fonts, WIDTH, scene.title, scene.subtitle())
    marks = [(HIDDEN, "hidden frames")]
    if any("sampled_negative_indices" in sample.values for sample in scene.samples):
        marks.append((NEGATIVE, "negatives of one hidden frame, which is drawn taller"))
    if any((_heard(sample) < len(sample.values["input_values"])) for sample in scene.samples):
        marks.append((PADDING, "padding"))
    sheet.legend(marks)
    for sample in scene.samples:
        sheet.text(sample.name, _said(sample, scene))
        sheet.add(_block(sample, _rate(scene), fonts, sheet.inner))
    return sheet.drawn()


def spectrum(samples: NDArray[Any], columns: int) -> NDArray[np.float64]:
    """Loudness of samples `[n]` over time and frequency, 0 to 1, `[frequencies, columns]`, low frequencies first."""
    padded = np.pad(np.nan_to_num(samples.astype(np.float64)), (WINDOW // 2, WINDOW))
    starts = np.linspace(0, max(0, len(samples) - 1), columns).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[starts] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    loud = 10 * np.log10(np.maximum(power, 1e-12))
    return np.asarray(np.clip((loud - loud.max()) / DECIBELS + 1, 0, 1).T, np.float64)


def _heard(sample: Sample) -> int:
    """How many of the samples are sound; what is behind them is padding."""
    mask = sample.values.get("attention_mask")
    return len(sample.values["input_values"]) if mask is None else int(mask.sum())


def _rate(scene: Scene) -> int:
    """Samples a second, as the task has them; 0 where that is not known."""
    return next((int(step.rate) for step in scene.steps if isinstance(step, Task) and hasattr(step, "rate")), 0)


def _said(sample: Sample, scene: Scene) -> str:
    masked, samples, rate = sample.values["mask_time_indices"], len(sample.values["input_values"]), _rate(scene)
    heard = round(len(masked) * _heard(sample) / samples)
    spans = int((np.diff(masked.astype(np.int8), prepend=0) == 1).sum())
    long = f"{_heard(sample) / rate:.1f} s at {rate:,} Hz, " if rate else ""
    share = 100 * int(masked.sum()) / max(1, heard)
    return f"{long}{int(masked.sum())} of {heard} frames hidden ({share:.0f} %) in {spans} run{'s' * (spans != 1)}"


def _block(sample: Sample, rate: int, fonts: Fonts, width: int) -> Image:
    from PIL import Image, ImageDraw

    samples, masked = sample.values["input_values"], sample.values["mask_time_indices"]
    negatives = sample.values.get("sampled_negative_indices")
    ticks = _TICKS if negatives is not None and negatives.shape[1] and masked.any() else 0
    image = Image.new("RGB", (width, WAVE + SPECTRUM + ticks + _AXIS), PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    end = round(width * _heard(sample) / len(samples))
    draw.rectangle((0, 0, width, WAVE + SPECTRUM), PADDING)
    if end:
        heard = samples[: _heard(sample)]
        image.paste(_coloured(spectrum(heard, end)), (0, WAVE))
        _wave(draw, heard, end)
    _shade(draw, masked, width)
    if ticks and negatives is not None:
        _negatives(draw, masked, negatives, width)
    _times(draw, fonts, len(samples) / rate if rate else 0.0, width, WAVE + SPECTRUM + ticks)
    return image


def _coloured(loudness: NDArray[np.float64]) -> Image:
    """A spectrum as an image, high frequencies on top."""
    from PIL import Image

    places = loudness[::-1] * (len(_SCALE) - 1)
    below = np.minimum(places.astype(np.int64), len(_SCALE) - 2)
    part = (places - below)[..., None]
    pixels = np.rint(_SCALE[below] * (1 - part) + _SCALE[below + 1] * part).astype(np.uint8)
    return Image.fromarray(pixels).resize((pixels.shape[1], SPECTRUM), Image.Resampling.BOX)


def _wave(draw: ImageDraw, samples: NDArray[Any], width: int) -> None:
    """The envelope of a sound, as high as there is room."""
    loudest = float(np.abs(np.nan_to_num(samples)).max()) or 1.0
    low, high = envelope((samples / loudest).astype(np.float32), width)
    middle = (WAVE - 4) / 2
    draw.rectangle((0, 0, width - 1, WAVE - 1), PAPER)
    for x, (bottom, top) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        at = x * width / len(low)
        draw.line((at, middle - top * middle, at, middle - bottom * middle), SOUND)


def _runs(masked: NDArray[Any]) -> list[tuple[int, int]]:
    """Where hidden frames begin, and where they end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], masked.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _shade(draw: ImageDraw, masked: NDArray[Any], width: int) -> None:
    """A veil over what is hidden, with a solid band between wave and spectrum."""
    for start, stop in _runs(masked):
        left, right = width * start / len(masked), width * stop / len(masked) - 1
        draw.rectangle((left, 0, right, WAVE - 5), (*HIDDEN, 40))
        draw.rectangle((left, WAVE, right, WAVE + SPECTRUM - 1), (255, 255, 255, 150))
        draw.rectangle((left, WAVE - 4, right, WAVE - 1), HIDDEN)


def _negatives(draw: ImageDraw, masked: NDArray[Any], negatives: NDArray[Any], width: int) -> None:
    """Ticks below the spectrum at the negatives of the hidden frame in the middle, and a taller one at that frame."""
    hidden = np.flatnonzero(masked)
    frame = int(hidden[len(hidden) // 2])
    top = WAVE + SPECTRUM
    for other in np.unique(negatives[frame]).tolist():
        at = width * (other + 0.5) / len(masked)
        draw.line((at, top + 6, at, top + _TICKS - 2), NEGATIVE)
    at = width * (frame + 0.5) / len(masked)
    draw.rectangle((at - 1, top, at + 1, top + _TICKS - 2), NEGATIVE)


def _times(draw: ImageDraw, fonts: Fonts, seconds: float, width: int, top: int) -> None:
    """Seconds below all of it; nothing where the rate is not known."""
    if not seconds:
        return
    step = next((step for step in (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800) if seconds / step <= 16), 3600.0)
    for number in range(int(seconds / step) + 1):
        at = width * number * step / seconds
        draw.line((at, top, at, top + 4), RULE)
        anchor = "la" if number == 0 else "ra" if at > width - 30 else "ma"
        draw.text((min(at, width - 1), top + 6), f"{number * step:g} s", QUIET, fonts.of(13), anchor=anchor)
