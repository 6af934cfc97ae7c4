"""What messages are put together from: the nearest name, and a value on one line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """`did you mean `x`?` for the nearest valid name, or nothing where none is near."""
    names = list(valid)
    folded = {valid_name.lower(): valid_name for valid_name in names}
    if name.lower() in folded:
        return f"did you mean `{folded[name.lower()]}`?"
    import difflib

    near = difflib.get_close_matches(name[:200], names, 1, 0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def counted(number: int, word: str) -> str:
    """`1 file`, `2,000 files`."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def show(value: Any) -> str:
    """A value in a message: short, on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        listed = f"[{', '.join(map(show, value))}]"
        plain = len(listed) <= 40 and not any(isinstance(item, dict | list | tuple) for item in value)
        return "an empty list" if not value else listed if plain else "a list"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool | int | float) else repr(value)
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return text if len(text) <= 60 else f"{text[:57]}..."
