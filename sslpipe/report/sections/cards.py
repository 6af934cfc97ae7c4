"""What is in a row, and where a record lay, wherever the page shows one."""

from __future__ import annotations

from typing import Final

from sslpipe.report.drawing import thumbnail, wave
from sslpipe.report.html import Child, Html, cut, tag
from sslpipe.report.kept import Kept
from sslpipe.report.payloads import Note, Payload, Picture, Text, Wave

PATH: Final = 200
"""Characters of a path."""
DETAIL: Final = 300
"""Characters of a message."""


def contents(kept: Kept) -> list[Html]:
    """The fields of a row, each named if there are several."""
    several = len(kept.payloads) > 1
    return [_payload(name if several else "", payload) for name, payload in kept.payloads.items()]


def card(kept: Kept, where: str) -> Html:
    """A row in a frame, with its name and where it belongs."""
    below = tag("p", tag("code", kept.name), tag("small", where) if where else None, class_="quiet")
    return tag("article", contents(kept), below, class_="card")


def path(file: str, place: str = "") -> Html:
    """Where a record lay. Never a link: nothing that data names is opened from here."""
    return tag("span", tag("bdi", cut(file, PATH)), tag("small", cut(place, PATH)) if place else None, class_="path")


def _payload(name: str, payload: Payload) -> Html:
    said: Child = None
    if isinstance(payload, Text):
        shown, said = tag("pre", payload.text, "…" if payload.cut else None, dir="auto"), payload.size
    elif isinstance(payload, Picture):
        shown, said = thumbnail(payload), payload.said
    elif isinstance(payload, Wave):
        shown, said = wave(payload), payload.said
    else:
        assert isinstance(payload, Note)
        shown = tag("p", cut(payload.text, DETAIL), class_="warning")
    about = [tag("b", name) if name else None, tag("small", said) if said else None]
    return tag("div", shown, tag("p", about, class_="about") if name or said else None)
