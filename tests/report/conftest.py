"""Small datasets of every kind, each built once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from sslpipe.building.driver import Builder
from sslpipe.engines.inline import Inline
from sslpipe.packs.concatenate import Concatenate
from sslpipe.tasks.masked_frames import MaskedFrames
from sslpipe.tasks.masked_patches import MaskedPatches
from sslpipe.tasks.next_token import NextToken
from tests.laws.modality import modality

FRAMES = MaskedFrames(rate=8000, crop_s=0.25, min_s=0.1, length=2, negatives=4)
STREAMS = {"text": (Concatenate(length=64), NextToken()), "images": (MaskedPatches(size=32, patch=8),), "audio": (FRAMES,)}


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A dataset of text, images or audio: the corpora of the laws, which have every outcome and duplicates of every kind."""

    def build(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        kind = modality(name)
        recipe = kind.recipe(kind.lay(folder / "in"), stream=STREAMS[name], name=name)
        Builder(recipe, folder / "out", Inline()).run()
        return folder / "out"

    return lru_cache(build)
