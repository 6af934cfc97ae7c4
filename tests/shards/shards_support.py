"""Fields and rows for shards, and a shard written and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from sslpipe.core.fields import Field, Fields
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.shards.manifest import FileEntry, Manifest, ShardEntry
from sslpipe.shards.shard import Shard
from sslpipe.shards.shard_writer import ShardWriter
from sslpipe.shards.storage import LocalStorage, UniqueFile

FIELDS: dict[str, Field] = {
    "text": Field(kind="text"),
    "title": Field(kind="text"),
    "ids": Field(kind="ids", dtype="uint16"),
    "long": Field(kind="ids", dtype="uint32"),
    "meta": Field(kind="meta"),
    "labels": Field(kind="array", dtype="int64"),
    "grid": Field(kind="array", dtype="int64", shape=(2, 3)),
    "mask": Field(kind="array", dtype="bool", shape=(4,)),
    "score": Field(kind="array", dtype="float32", shape=()),
}
NAME = "shards/train-000000.tar"


@st.composite
def sample_rows(draw: st.DrawFn, least: int = 1, most: int = 8) -> tuple[dict[str, Field], Rows]:
    """Some fields and some rows of them, with names of all kinds."""
    fields = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=5, unique=True))
    count = draw(st.integers(least, most))
    lengths = draw(st.lists(st.lists(st.integers(0, 700), min_size=count, max_size=count), min_size=1, max_size=3))
    rows = make_rows(count, fields, draw(st.integers(0, 999)), lengths)
    return {field: FIELDS[field] for field in fields}, rows


def make_rows(count: int, fields: list[str], seed: int = 0, lengths: list[list[int]] | None = None) -> Rows:
    """Rows with random content; every third name is one that occurs again, every fourth a piece."""
    random = np.random.default_rng(seed)
    columns: dict[str, Column] = {"_source": np.arange(count, dtype=np.int32) % 3, "_m.words": np.arange(count) * 7}
    for place, name in enumerate(fields):
        field = FIELDS[name]
        if field.ragged:
            sizes = np.array(lengths[place % len(lengths)] if lengths else random.integers(0, 50, count), np.int64)
            columns[name] = Ragged.from_lengths(_values(random, field.dtype, (int(sizes.sum()),)), sizes)
        else:
            columns[name] = _values(random, field.dtype, (count, *[axis or 0 for axis in field.shape]))
    places = np.arange(count)
    names = Names(
        random.integers(0, 2**64, count, np.uint64),
        random.integers(0, 2**64, count, np.uint64),
        (places % 3 == 1).astype(np.uint32) * 2,
        np.where(places % 4 == 3, places * 100, -1),
    )
    return Rows(names, columns)


def _values(random: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Any:
    return random.integers(0, 2 if dtype == "bool" else 128, shape).astype(dtype)


def write_shard(folder: Path, fields: Fields, batches: list[Rows], measures: tuple[str, ...] = ()) -> ShardEntry:
    """A published shard as the manifest has it."""
    writer = ShardWriter(LocalStorage(folder), fields, measures)
    for batch in batches:
        writer.append(batch)
    tar, index, elements = writer.finish(NAME)
    entry = FileEntry(path=index.name, bytes=index.bytes, xxh3_128=index.digest())
    return ShardEntry(
        path=NAME, bytes=tar.bytes, xxh3_128=tar.digest(), split="train", samples=writer.samples, elements=elements, index=entry
    )


def open_shard(folder: Path, fields: Fields, entry: ShardEntry) -> Shard:
    """The shard behind an entry."""
    return Shard(LocalStorage(folder), entry, fields)


def published(storage: LocalStorage, name: str, *pieces: bytes) -> UniqueFile:
    """A file with these bytes."""
    file = UniqueFile(storage, name)
    for piece in pieces:
        file.write(piece)
    assert file.publish()
    return file


def a_manifest(**changes: Any) -> Manifest:
    """A manifest of three shards."""

    def shard(split: str, number: int) -> ShardEntry:
        stem = f"{split}-{number:06d}"
        index = FileEntry(path=f".sslpipe/index/{stem}-abc.arrow", bytes=9, xxh3_128="1" * 32)
        path = f"shards/{stem}.tar"
        return ShardEntry(path=path, bytes=10, xxh3_128="0" * 32, split=split, samples=3, elements={"ids": 7}, index=index)

    made: dict[str, Any] = {
        "name": "a-name",
        "seed": 3,
        "recipe": "r",
        "inputs": "i",
        "fields": {"ids": FIELDS["ids"], "grid": FIELDS["grid"]},
        "totals": {"read": 12_345, "kept": 9},
        "by_source": {"main": {"read": 12_345, "kept": 9}},
        "shards": (shard("train", 0), shard("train", 1), shard("val", 0)),
    }
    return Manifest(**{**made, **changes})
