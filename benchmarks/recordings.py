"""Sound for the benchmarks: the demo's spoken sentences, one by one or joined, built by the shipped recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import build_shipped

RATE = 16_000
RECORDINGS, QUICK_RECORDINGS = 192, 32


def write_sentences(raw: Path) -> None:
    """The recordings of the demo, two to four seconds each."""
    from sslpipe._demo.speech import write_speech

    write_speech(raw)


def write_joined(raw: Path, count: int) -> None:
    """Recordings as long as those of audio books cut at pauses (10 to 17 s): sentences in random order, FLAC of 16 bits."""
    import soundfile

    from sslpipe._demo import speech

    files = sorted((Path(speech.__file__).parent / "speech").glob("*.flac"))
    spoken: list[NDArray[np.int16]] = [soundfile.read(file, dtype="int16")[0] for file in files]
    draw = np.random.default_rng(0)
    raw.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        length = int(draw.uniform(10, 17) * RATE)
        joined = np.concatenate([spoken[one] for one in draw.permutation(len(spoken))[:20]])
        soundfile.write(raw / f"{number:06d}.flac", joined[:length], RATE, "PCM_16")


def build_joined(folder: Path, quick: bool) -> None:
    """A finished dataset of joined sentences; they are what the recipe makes already, so the build keeps their bytes."""
    raw = folder.with_name("recordings")
    write_joined(raw, QUICK_RECORDINGS if quick else RECORDINGS)
    build_shipped("audio", raw, folder, "shards.splits={}")


def build_sentences(folder: Path, quick: bool) -> None:
    """A finished dataset of single sentences, a fifth of them held out."""
    raw = folder.with_name("recordings")
    write_sentences(raw)
    build_shipped("audio", raw, folder, "filters.audio_levels.min_s=1", "shards.splits.val=0.2")
