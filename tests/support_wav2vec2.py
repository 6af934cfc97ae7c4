"""The wav2vec 2.0 of transformers as an oracle; nothing is downloaded."""

from __future__ import annotations

from typing import Any

from tests.support_torchvision import beside_torchvision

wav2vec2: Any = beside_torchvision("transformers.models.wav2vec2.modeling_wav2vec2")
