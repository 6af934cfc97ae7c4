"""Raw corpora in, self-supervised training batches out.

Two halves and a fence. A *build* reads raw files once, filters and deduplicates them, and writes WebDataset shards; a *stream*
makes training batches from those shards in every epoch. One recipe has both halves, and a step does the same on either side.

    import sslpipe
    from sslpipe import packs, tasks

    dataset = sslpipe.build("text", "out/", input="~/corpora/text")
    stream = dataset.stream(packs.Concatenate(length=512), tasks.MaskedTokens(), batch_size=64)
    for batch in stream:
        ...

Importing the package is cheap: steps, torch, Ray and numba are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_API = {"open": "api", "build": "api", "load_recipe": "recipe.load", "Recipe": "recipe.recipe", "Dataset": "stream.dataset"}
_ROOMS = ("readers", "measures", "filters", "maps", "cuts", "dedups", "fits", "packs", "tasks", "testing")
__all__ = [*_API, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _API:
        return getattr(importlib.import_module(f"sslpipe.{_API[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"sslpipe.{name}")
    raise AttributeError(f"module 'sslpipe' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
