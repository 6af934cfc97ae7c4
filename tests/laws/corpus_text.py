"""A corpus made by code, small and nasty enough for every law: all outcomes, duplicates of every kind, one huge row."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import zstandard

from sslpipe.dedups.exact import Exact
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.normalize_text import NormalizeText
from sslpipe.maps.tokenize import Tokenize
from sslpipe.packs.concatenate import Concatenate
from sslpipe.readers.jsonl import Jsonl
from sslpipe.recipe.recipe import Limits, Recipe, Shards
from sslpipe.recipe.splits import Splits
from sslpipe.tasks.masked_tokens import MaskedTokens
from tests.laws.modality import Modality

SOURCES = ("alpha", "beta", "gamma")
STOP = ("the", "be", "to", "of", "and", "that", "have", "with")
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "ki", "lo", "mu", "ne", "pa", "ri", "so", "tu", "ve")

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def _word(rng: random.Random) -> str:
    return rng.choice(STOP) if rng.random() < 0.3 else "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4)))


def _prose(rng: random.Random, words: int) -> str:
    made = [_word(rng) for _ in range(words)]
    return "\n".join(" ".join(made[i : i + 9]) for i in range(0, words, 9))


def records() -> dict[str, list[bytes]]:
    """The raw lines of every source; the same ones at every call."""
    rng = random.Random(5)
    lines: dict[str, list[bytes]] = {}
    shared = [_prose(rng, rng.randint(60, 90)) for _ in range(30)]
    for source in SOURCES:
        made: list[bytes] = []

        def line(text: str, url: str, made: list[bytes] = made) -> None:
            made.append(json.dumps({"text": text, "url": url}, ensure_ascii=False).encode())

        for number in range(120):
            line(_prose(rng, rng.randint(55, 160)), f"https://{source}.example/{number}")
        for number, text in enumerate(shared):
            line(text, f"https://{source}.example/shared/{number}")  # equal payload, other metadata
            line(text, f"https://{source}.example/shared/{number}")  # equal in everything
            line(text.replace("\n", "\r\n"), "")  # equal once normalised
        for number in range(12):
            line(_prose(rng, 20), f"short/{number}")
            line(" ".join("zzz" for _ in range(80)), f"no stop words/{number}")
            line("# " * 40 + _prose(rng, 60), f"hashes/{number}")
            line(" \n\t ", f"empty/{number}")
            made.append(b'{"text": "cut off')
            made.append(b'{"text": 5}')
            made.append(b'{"text": "\xff\xfe"}')
        if source == "beta":
            line(_prose(rng, 60_000), "one row larger than a batch")
        rng.shuffle(made)
        lines[source] = made
    return lines


def lay(folder: Path, *, files: int = 7, packing: str = "", seed: int | None = None) -> Path:
    """Write the corpus into a folder: so many files a source, packed so, the lines shuffled over them by a seed."""
    for source, lines in records().items():
        if seed is not None:
            random.Random(seed).shuffle(lines)
        target = folder / source
        target.mkdir(parents=True)
        for number in range(files):
            data = b"".join(line + b"\n" for line in lines[number::files])
            (target / f"{number:03d}.jsonl{packing}").write_bytes(PACKERS[packing](data))
    return folder


def law_recipe(folder: Path, **changes: object) -> Recipe:
    """Every kind of step, seven training shards, parts of about one file."""
    fields: dict[str, object] = {
        "name": "law",
        "seed": 17,
        "sources": {source: Jsonl(paths=(str(folder / source),), keep=("url",)) for source in SOURCES},
        "build": (
            NormalizeText(),
            GopherQuality(),
            Exact(),
            ByteLevelBpe(vocab_size=500, sample_bytes=50_000),
            Tokenize(),
        ),
        "shards": Shards(count=7, splits=Splits(val=0.05, test=0.05)),
        "limits": Limits(part_bytes=20_000, memory_bytes=1_000_000, max_bad=0.5, max_duplicate=0.9),
    }
    return Recipe(**{**fields, **changes})  # type: ignore[arg-type]


TEXT = Modality(
    name="text",
    records=records,
    lay=lay,
    recipe=law_recipe,
    drawing=lambda salt: (Concatenate(length=128), MaskedTokens(salt=salt)),
    divisions=((1, "", 1), (3, ".gz", 2), (20, ".zst", 3), (4, ".xz", 4), (5, ".bz2", 5)),
    bad=frozenset({b'{"text": "cut off', b'{"text": 5}', b'{"text": "\xff\xfe"}'}),
    survivors=30,
    copies=270,
)
