"""The wav2vec 2.0 of transformers as an oracle; nothing is downloaded."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch


def _load() -> Any:
    """The module, also beside a torchvision whose compiled operators don't load, which it imports and doesn't use.

    torchvision registers shapes for them at import, which fails then; those registrations are left out.
    """
    real = torch.library.register_fake

    def register(name: str, *arguments: Any, **options: Any) -> Callable[[Any], Any]:
        return (lambda made: made) if name.startswith("torchvision::") else real(name, *arguments, **options)

    torch.library.register_fake = register  # type: ignore[assignment]
    try:
        return importlib.import_module("transformers.models.wav2vec2.modeling_wav2vec2")
    finally:
        torch.library.register_fake = real


wav2vec2: Any = _load()
