"""Markup that can't be broken by what stands in it: texts are escaped where they are put in, never by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_SPECIAL: Final = re.compile("[&<>\"']")
_UNSEEN: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
"""Control characters, halves of surrogate pairs, and marks that turn the direction of a line or can't be seen."""
_VOID: Final = ("meta", "img", "rect", "line", "path", "br", "circle")


class Html(str):
    """Text that is markup already. Only `tag` and `joined` make it out of anything else than literals."""

    __slots__ = ()


Child = str | int | None
"""What stands in an element: markup, or text that is escaped; None is nothing."""


def escaped(text: str) -> Html:
    """A text as markup that shows just it; what can't be seen is spelt out, as in `\\u202e`."""
    text = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return Html(_SPECIAL.sub(lambda found: _ENTITIES[found[0]], text))


def joined(*children: Child | Iterable[Child]) -> Html:
    """Children one after another; lists of them are laid flat."""
    return Html("".join(_flat(children)))


def tag(name: str, *children: Child | Iterable[Child], **attributes: Child | float) -> Html:
    """An element. `class_` is written `class`, `data_source` is `data-source`; an attribute that is None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID and not children:
        return Html(f"<{name}{written}/>" if name not in ("meta", "img", "br") else f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(*children)}</{name}>")


def cut(text: str, limit: int) -> str:
    """A text of at most so many characters, its middle left out where it is longer."""
    return text if len(text) <= limit else f"{text[: limit // 2]} … {text[len(text) - limit // 2 :]}"


def _flat(children: Iterable[Child | Iterable[Child]]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str):
            yield escaped(child)
        elif isinstance(child, int):
            yield f"{child:,}"
        elif child is not None:
            yield from _flat(child)


def _text(value: Child | float) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
