"""The kinds of corpora that the laws are held to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sslpipe.core.steps import Step
from sslpipe.recipe.recipe import Recipe

Records = dict[str, list[bytes]]
"""The raw records of every source."""


@dataclass(frozen=True)
class Modality:
    """A corpus made by code, and the recipe that the laws run on it.

    Every corpus has three sources with every outcome at least ten times each, duplicates within and between sources, and one
    row larger than a batch; the recipe has a map, a filter, a dedup, and seven training shards.
    """

    name: str
    records: Callable[[], Records]
    lay: Callable[..., Path]
    """`lay(folder, files=7, packing="", seed=None)`: write it in so many files or folders a source, shuffled by a seed."""
    recipe: Callable[..., Recipe]
    """`recipe(folder, **changes)`: the recipe for a corpus that was laid there."""
    drawing: Callable[[str], tuple[Step, ...]]
    """Steps of a stream that draws, its task with this salt."""
    divisions: tuple[tuple[int, str, int], ...]
    """Other ways to lay the same records: files, packing, seed."""
    bad: frozenset[bytes]
    """What the quarantine holds."""
    survivors: int
    """Rows that stay of the records that are equal once they are what the dedup compares."""
    copies: int
    """How many such records there are."""


@lru_cache
def modality(name: str) -> Modality:
    """The modality of that name; only its own libraries are loaded."""
    if name == "text":
        from tests.laws.corpus_text import TEXT

        return TEXT
    if name == "images":
        from tests.laws.corpus_images import IMAGES

        return IMAGES
    from tests.laws.corpus_audio import AUDIO

    return AUDIO


NAMES = ("text", "images", "audio")
