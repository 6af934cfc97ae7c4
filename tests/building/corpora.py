"""Small corpora, and what must be true of every dataset that is made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sslpipe.building.driver import Builder, check_sum
from sslpipe.building.progress import Progress
from sslpipe.core.steps import Step
from sslpipe.engines.inline import Inline
from sslpipe.readers.jsonl import Jsonl
from sslpipe.recipe.recipe import Limits, Recipe, Shards
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage
from sslpipe.shards.verify import verify
from sslpipe.stream.dataset import Dataset

Record = Mapping[str, str]
WORDS = ["the", "river", "runs", "and", "a", "bird", "of", "that", "valley", "sings", "with", "them", "to", "be", "heard"]


def records(count: int, start: int = 0) -> list[Record]:
    """Different texts of a few words."""
    return [
        {
            "text": f"{number} " + " ".join(WORDS[(number * step) % 14] for step in range(1, 12 + number % 8)),
            "url": f"u/{number}",
        }
        for number in range(start, start + count)
    ]


def lay(folder: Path, sources: Mapping[str, Sequence[Record | bytes]], files: int = 1) -> Path:
    """Write each source into so many files of JSON lines; bytes are lines as they are."""
    for source, lines in sources.items():
        (folder / source).mkdir(parents=True, exist_ok=True)
        for number in range(files):
            made = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines[number::files]]
            (folder / source / f"{number}.jsonl").write_bytes(b"".join(line + b"\n" for line in made))
    return folder


def recipe(folder: Path, *build: Step, **changes: Any) -> Recipe:
    """A recipe over all sources of a folder."""
    sources = {path.name: Jsonl(paths=(str(path),), keep=("url",)) for path in sorted(folder.iterdir())}
    fields = {"name": "small", "seed": 3, "sources": sources, "build": build, "shards": Shards(count=2)} | changes
    return Recipe(**fields)


def run(
    made: Recipe, out: Path, progress: Progress | None = None, *, limit: int | None = None, update: bool = False
) -> Manifest:
    """Build inline."""
    return Builder(made, out, Inline(), progress, limit=limit, update=update).run()


def sound(out: Path, manifest: Manifest) -> Dataset:
    """The dataset, after the checks that every one has to pass."""
    check_sum(manifest.by_source)
    totals = manifest.totals
    assert totals["read"] == sum(count for outcome, count in totals.items() if outcome != "read")
    assert all(shard.samples for shard in manifest.shards)
    assert [problem for _, found in verify(LocalStorage(out), manifest) for problem in found] == []
    dataset = Dataset(out)
    assert dataset.manifest == manifest
    keys = list(dataset.keys)
    assert len(dataset) == len(keys) == len(set(keys)) == sum(shard.samples for shard in manifest.shards)
    assert sum(1 for _ in dataset) == len(keys)
    assert not list(LocalStorage(out).temporaries())
    on_disk = {str(path.relative_to(out)) for path in (out / "shards").glob("*")}
    assert on_disk == {shard.path for shard in manifest.shards}
    return dataset


def limits(**changes: Any) -> Limits:
    """Limits that stop nothing."""
    return Limits(**{"max_bad": 1.0, "max_duplicate": 1.0, **changes})
