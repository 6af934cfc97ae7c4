"""Sound made by code, small and nasty enough for every law: all outcomes, duplicates of every kind, one large row."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sslpipe.dedups.exact import Exact
from sslpipe.filters.audio_levels import AudioLevels
from sslpipe.maps.encode_flac import EncodeFlac
from sslpipe.maps.resample_audio import ResampleAudio
from sslpipe.readers.audio import Audio
from sslpipe.recipe.recipe import Limits, Recipe, Shards
from sslpipe.recipe.splits import Splits
from sslpipe.tasks.masked_frames import MaskedFrames
from tests.laws.modality import Modality, Records

SOURCES = ("alpha", "beta", "gamma")
RATE = 8000
FRAMES = MaskedFrames(rate=RATE, crop_s=0.25, min_s=0.25, length=2, negatives=20)
"""The task on clips as short as these."""


def _noise(rng: np.random.Generator, seconds: float = 0.3, channels: int = 1, rate: int = RATE) -> NDArray[np.int16]:
    """Steps of random height, each followed by its opposite: not silent, not clipped, around zero, and short once encoded."""
    steps = rng.integers(-9000, 9000, (int(seconds * rate) // 80 + 1, channels), dtype=np.int16)
    return np.stack([steps, -steps], 1).reshape(-1, channels).repeat(40, 0)[: int(seconds * rate)]


def _file(samples: NDArray[np.int16], kind: str = "WAV", rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype="PCM_16")
    return file.getvalue()


_CUT = _file(_noise(np.random.default_rng(1)), "FLAC")[:-300]
_TEXT = b"Not Found\n"
_DAMAGED = bytearray(_file(_noise(np.random.default_rng(2)), "FLAC"))
_DAMAGED[26] ^= 0xFF  # the checksum of all samples
_WRONG = bytes(_DAMAGED)
BAD = frozenset({_CUT, _TEXT.rstrip(), _WRONG})


def records() -> Records:
    """The files of every source; the same ones at every call."""
    rng = np.random.default_rng(5)
    found: Records = {}
    shared = [_noise(rng) for _ in range(15)]
    for source in SOURCES:
        made = [_file(_noise(rng)) for _ in range(41)]
        made += [_file(_noise(rng), "FLAC") for _ in range(30)]
        made += [_file(_noise(rng, rate=11_025), "WAV", 11_025) for _ in range(12)]
        made += [_file(_noise(rng, channels=2), "FLAC") for _ in range(12)]
        for samples in shared:
            made += [_file(samples), _file(samples), _file(samples, "FLAC")]  # equal bytes, and equal once decoded
        for _ in range(12):
            made.append(_file(_noise(rng, 0.05)))
            made.append(_file(np.zeros((int(rng.integers(2400, 2900)), 1), np.int16)))
            made.append(_file(np.clip(_noise(rng).astype(np.int32) * 30, -32768, 32767).astype(np.int16)))
            made += [_CUT, _TEXT, _WRONG]
        if source == "beta":
            made.append(_file(_noise(rng, 40.0)))  # larger than a batch
        random.Random(5).shuffle(made)
        found[source] = made
    return found


def lay(folder: Path, *, files: int = 7, packing: str = ".wav", seed: int | None = None) -> Path:
    """Write the corpus into so many folders a source, the files shuffled over them by a seed, all named with one suffix."""
    for source, made in records().items():
        if seed is not None:
            random.Random(seed).shuffle(made)
        for number, data in enumerate(made):
            target = folder / source / f"{number % files:03d}" / f"{number:04d}{packing or '.wav'}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return folder


def law_recipe(folder: Path, **changes: object) -> Recipe:
    """Every kind of step for sound, seven training shards."""
    fields: dict[str, object] = {
        "name": "law",
        "seed": 17,
        "sources": {source: Audio(paths=(str(folder / source),)) for source in SOURCES},
        "build": (ResampleAudio(rate=RATE), AudioLevels(min_s=0.2, max_s=60), Exact(), EncodeFlac()),
        "shards": Shards(count=7, splits=Splits(val=0.05, test=0.05)),
        "limits": Limits(part_bytes=200_000, memory_bytes=1_000_000, max_bad=0.5, max_duplicate=0.9),
    }
    return Recipe(**{**fields, **changes})  # type: ignore[arg-type]


AUDIO = Modality(
    name="audio",
    records=records,
    lay=lay,
    recipe=law_recipe,
    drawing=lambda salt: (FRAMES.model_copy(update={"salt": salt}),),
    divisions=((1, ".wav", 1), (3, ".flac", 2), (20, ".ogg", 3)),
    bad=BAD,
    survivors=15,
    copies=135,
)
