"""What the tests of steps for sound share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sslpipe.codecs.audio import AudioCodec, Sound
from sslpipe.core.fields import Field, Fields
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import AnyColumn, Rows
from sslpipe.core.steps import Context

AUDIO: Fields = {"audio": Field(kind="audio"), "text": Field(kind="text")}


def audio_context(fields: Fields = AUDIO) -> Context:
    """A context with these fields."""
    return Context(fields)


def noise(frames: int, channels: int = 1, seed: int = 0, scale: float = 0.1) -> np.ndarray:
    """Noise on the 16-bit grid, float32 `[channels, frames]`."""
    made = np.random.default_rng([seed, frames, channels]).normal(0, scale, (channels, frames))
    return (np.clip(np.rint(made * 2**15), -(2**15), 2**15 - 1) / 2**15 + 0.0).astype(np.float32)


def audio_rows(sounds: Sequence[Sound | bytes], **columns: AnyColumn) -> Rows:
    """Rows of sound, each as given or encoded, with a text that says which it is."""
    data = [each if isinstance(each, bytes) else AudioCodec().encode(each) for each in sounds]
    high, low = np.random.default_rng(len(data)).integers(0, 2**63, (2, len(data))).astype(np.uint64)
    texts = Ragged.from_texts([f"row {row}" for row in range(len(data))])
    return Rows(Names.from_keys(high, low), {"audio": Ragged.from_bytes(data), "text": texts, **columns})
