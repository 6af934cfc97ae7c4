"""Small datasets and small steps, to try the stream by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sslpipe.core.documents import Documents
from sslpipe.core.draw import Draw
from sslpipe.core.fields import Field, Fields, Vocabulary
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Filter, Map, Measure, Measures, Pack, Packer, Task, Verdicts
from sslpipe.shards.manifest import FileEntry, Manifest, ShardEntry
from sslpipe.shards.shard_writer import ShardWriter
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.dataset import Dataset

VOCABULARY = Vocabulary(size=1000, pad=0, eos=1, mask=2, control=(0, 1, 2))
IDS = Field(kind="ids", dtype="uint16", vocabulary=VOCABULARY)


def ids_rows(lengths: list[int], first: int = 0) -> Rows:
    """Rows of ids; row `i` holds numbers that no other row near it holds, and its length as a measure."""
    values = [(np.arange(length) * 7 + (first + row) * 13) % 997 + 3 for row, length in enumerate(lengths)]
    joined = np.concatenate(values).astype(np.uint16) if values else np.empty(0, np.uint16)
    keys = np.arange(first, first + len(lengths), dtype=np.uint64)
    names = Names.from_keys(keys * np.uint64(0x9E3779B97F4A7C15), keys)
    measured = np.array(lengths, np.int64)
    return Rows(
        names,
        {
            "ids": Ragged.from_lengths(joined, measured),
            "_source": (np.arange(len(lengths)) % 2).astype(np.uint16),
            "_m.toys.length": measured,
        },
    )


STORED = {"path": "measures.toys", "version": 1, "fields": {"field": "ids"}}
"""What the toy measure is, as a build would write it down."""


def write_dataset(
    folder: Path,
    shards: dict[str, list[Rows]],
    fields: Fields | None = None,
    *,
    measures: tuple[str, ...] = ("toys.length",),
    measured: dict[str, Any] | None = None,
    stream: tuple[Any, ...] = (),
    artefacts: dict[str, bytes] | None = None,
    seed: int = 5,
) -> Dataset:
    """A dataset with these shards, opened."""
    storage, fields = LocalStorage(folder), fields or {"ids": IDS}
    entries = []
    for split, parts in shards.items():
        for number, rows in enumerate(parts):
            writer = ShardWriter(storage, fields, measures)
            writer.append(rows)
            name = f"shards/{split}-{number:06d}.tar"
            tar, index, elements = writer.finish(name)
            entries.append(
                ShardEntry(
                    path=name, bytes=tar.bytes, xxh3_128=tar.digest(), split=split, samples=len(rows), elements=elements,
                    index=FileEntry(path=index.name, bytes=index.bytes, xxh3_128=index.digest()),
                )
            )  # fmt: skip
    files = {}
    for name, data in (artefacts or {}).items():
        storage.put_new(f".sslpipe/{name}", data)
        files[name] = FileEntry(path=f".sslpipe/{name}", bytes=len(data), xxh3_128="0" * 32)
    manifest = Manifest(
        name="toys", seed=seed, recipe="0" * 32, inputs="0" * 32, fields=dict(fields), totals={}, by_source={"a": {}, "b": {}},
        measures=measures,
        measured=measured or ({"toys": STORED} if measures else {}), artefacts=files, shards=tuple(entries), stream=stream,
    )  # fmt: skip
    storage.replace("manifest.json", manifest.model_dump_json().encode())
    return Dataset(folder)


def ids_dataset(folder: Path, lengths: list[list[int]], **options: Any) -> Dataset:
    """A dataset of one field of ids, whose training shards hold documents of these lengths."""
    shards, first = [], 0
    for part in lengths:
        shards.append(ids_rows(part, first))
        first += len(part)
    return write_dataset(folder, {"train": shards}, **options)


class Length(Measure):
    """The length that the toy rows say they have."""

    field: str | None = None

    @classmethod
    def path(cls) -> str:
        return "measures.toys"

    def names(self) -> tuple[str, ...]:
        return ("length",)

    def measure(self, rows: Rows) -> Measures:
        return {"length": rows.ragged("ids").lengths}


class Between(Filter):
    """Keeps documents whose stored length lies in a range."""

    least: int = 0
    most: int = 10**9

    @classmethod
    def path(cls) -> str:
        return "filters.between"

    def needs(self) -> tuple[Measure, ...]:
        return (Length(),)

    def judge(self, measures: Measures) -> Verdicts:
        length = measures["length"]
        codes = np.where(length < self.least, 1, np.where(length > self.most, 2, 0)).astype(np.uint8)
        return Verdicts(codes, ("toy.short", "toy.long"))


class AddOne(Map):
    """Adds one to each id."""

    @classmethod
    def path(cls) -> str:
        return "maps.add_one"

    def map(self, rows: Rows, draw: Draw) -> Rows:
        ids = rows.ragged("ids")
        return rows.with_columns(ids=Ragged(ids.values + np.uint16(1), ids.offsets))


class Stretch(AddOne):
    """Says that it changes lengths."""

    changes_lengths = True

    @classmethod
    def path(cls) -> str:
        return "maps.stretch"


class Cutter(Pack):
    """Lays documents end to end and cuts; plain Python, no separators."""

    length: int = 8

    @classmethod
    def path(cls) -> str:
        return "packs.cutter"

    def outputs(self, fields: Fields) -> Fields:
        shape = (self.length,)
        return {
            "ids": fields["ids"].model_copy(update={"shape": shape}),
            "document_ids": Field(kind="array", dtype="int32", shape=shape),
        }

    def count(self, lengths: Any) -> int:
        return max(0, int(lengths.sum()) // self.length - 1)

    def period(self) -> int:
        return self.length

    def open(self, context: Context) -> Packer:
        return _Cutter(self.length)


class _Cutter:
    def __init__(self, length: int) -> None:
        self._length = length
        self._tapes: dict[int, tuple[Any, Any, Names]] = {}

    def add(self, shard: int, documents: Documents) -> None:
        assert shard not in self._tapes, "a shard was added twice"
        size = documents.dtype.itemsize
        pieces = [
            documents.data[start : start + length * size].view(documents.dtype)
            for start, length in zip(documents.starts.tolist(), documents.lengths.tolist(), strict=True)
        ]
        self._tapes[shard] = np.concatenate(pieces), np.cumsum(documents.lengths), documents.names

    def pack(self, shards: Any, rows: Any, shifts: Any) -> Rows:
        ids = np.empty((len(shards), self._length), np.uint16)
        numbers = np.empty((len(shards), self._length), np.int32)
        names = []
        for place, (shard, row, shift) in enumerate(zip(shards.tolist(), rows.tolist(), shifts.tolist(), strict=True)):
            tape, ends, documents = self._tapes[shard]
            start = row * self._length + shift
            ids[place] = tape[start : start + self._length]
            held = np.searchsorted(ends, np.arange(start, start + self._length), side="right")
            numbers[place] = np.unique(held, return_inverse=True)[1]
            first = int(held[0])
            names.append(documents.pieces(np.array([first]), np.array([start - (int(ends[first - 1]) if first else 0)])))
        return Rows(Names.concat(names), {"ids": ids, "document_ids": numbers})


class Flip(Task):
    """Marks each element with a drawn bit; needs no context."""

    least: int = 1

    @classmethod
    def path(cls) -> str:
        return "tasks.flip"

    def outputs(self, fields: Fields) -> Fields:
        shape = fields["ids"].shape
        made = {name: Field(kind="array", dtype="int64", shape=shape) for name in ("labels", "input_ids")}
        return {**made, **{name: field for name, field in fields.items() if name == "document_ids"}}

    def minimum(self) -> int:
        return self.least

    def label(self, rows: Rows, draw: Draw) -> Rows:
        ids = rows["ids"]
        lengths = ids.lengths if isinstance(ids, Ragged) else np.full(len(ids), ids.shape[1])
        draws = draw.uint32(rows.names, int(lengths.max(initial=1)))
        chosen = np.concatenate([row[:length] for row, length in zip(draws % 4 == 0, lengths, strict=True)] or [[]])
        values = (ids.values[ids.offsets[0] :] if isinstance(ids, Ragged) else ids.reshape(-1)).astype(np.int64)
        labels, inputs = np.where(chosen, values, -100), np.where(chosen, 2, values)
        if isinstance(ids, Ragged):
            return Rows(rows.names, {"input_ids": Ragged(inputs, ids.offsets), "labels": Ragged(labels, ids.offsets)})
        others = {name: column for name, column in rows.columns.items() if name != "ids"}
        return Rows(rows.names, {"input_ids": inputs.reshape(ids.shape), "labels": labels.reshape(ids.shape), **others})
