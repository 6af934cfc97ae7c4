"""Bars, waves and thumbnails of the page; drawings are SVG in the colours of its style sheet."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from sslpipe.report.html import Html, tag
from sslpipe.report.payloads import Picture, Wave

_WAVE: Final = 40
"""Half the height of a wave."""


def stacked(parts: Mapping[str, int], height: int) -> Html:
    """One bar divided into parts, each in the colour of its name."""
    total, at, bars = sum(parts.values()) or 1, 0.0, []
    for name, count in parts.items():
        width = 100 * count / total
        if count:
            bars.append(
                tag(
                    "rect",
                    tag("title", f"{name}: {count:,}"),
                    x=f"{at:.3f}%",
                    width=f"{width:.3f}%",
                    height=height,
                    class_=name,
                )
            )
        at += width
    return tag("svg", bars, class_="bar", role="img", width="100%", height=height)


def single(share: float, colour: str, height: int) -> Html:
    """A bar that is as long as a share of the room there is, and never too short to be seen."""
    bar = tag("rect", width=f"{max(100 * share, 0.4):.3f}%", height=height, class_=colour)
    return tag("svg", bar, class_="bar", role="img", width="100%", height=height)


def thumbnail(picture: Picture) -> Html:
    """A picture as it is inside of the page."""
    data = base64.b64encode(picture.jpeg).decode()
    return tag("img", src=f"data:image/jpeg;base64,{data}", width=picture.size[0], height=picture.size[1], alt="")


def wave(sound: Wave) -> Html:
    """The envelope of a sound as one shape."""
    tops = [round(_WAVE - value * _WAVE) for value in sound.high.tolist()]
    bottoms = [round(_WAVE - value * _WAVE) + 1 for value in sound.low.tolist()]
    there = " ".join(f"{x} {y}" for x, y in enumerate(tops))
    back = " ".join(f"{x} {y}" for x, y in reversed(list(enumerate(bottoms))))
    shape = tag("path", d=f"M{there} {back}z")
    return tag("svg", shape, viewBox=f"0 0 {len(tops)} {2 * _WAVE + 1}", preserveAspectRatio="none", class_="wave", role="img")
