"""Unicode normal forms in linear time."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal

Form = Literal["NFC", "NFKC"]

_LONG: Final = 256
"""The interpreter sorts a run of combining marks by insertion, so its time grows with the square of the run; from this length
on the run is sorted here first. No written language has runs longer than about ten."""

_FOREIGN: Final = re.compile(rf"[^\x00-\x7f]{{{_LONG}}}")

_DECOMPOSED: Final[dict[Form, Literal["NFD", "NFKD"]]] = {"NFC": "NFD", "NFKC": "NFKD"}

_PLANES: Final = (0x0, 0x1, 0xE)
"""Where combining characters can stand; the other planes hold ideographs and private characters."""


def normal_form(text: str, form: Form) -> str:
    """The text in a normal form; equal to `unicodedata.normalize`, in time linear in the text whatever marks it holds."""
    if _FOREIGN.search(text):  # the search for long runs is slow, and few texts can have one
        text = _long_runs(form).sub(lambda run: _sorted_marks(run.group(), form), text)
    return text if unicodedata.is_normalized(form, text) else unicodedata.normalize(form, text)


def _sorted_marks(run: str, form: Form) -> str:
    """A run of marks, decomposed one by one and put into canonical order: a stable sort by combining class."""
    decomposed = {mark: unicodedata.normalize(_DECOMPOSED[form], mark) for mark in set(run)}
    return "".join(sorted("".join(decomposed[mark] for mark in run), key=unicodedata.combining))


@lru_cache(maxsize=2)
def _long_runs(form: Form) -> re.Pattern[str]:
    """Long runs of characters that decompose into nothing but combining marks."""
    marks = []
    for plane in _PLANES:
        for code in range(plane << 16, (plane + 1) << 16):
            character = chr(code)
            if unicodedata.combining(character) or (
                unicodedata.category(character)[0] in "ML"
                and unicodedata.decomposition(character)
                and all(map(unicodedata.combining, unicodedata.normalize(_DECOMPOSED[form], character)))
            ):
                marks.append(character)
    return re.compile(f"[{''.join(map(re.escape, marks))}]{{{_LONG},}}")
