"""A finished dataset, row by row or as a stream."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from sslpipe.codecs.encoded import codec_of
from sslpipe.core.errors import DataError
from sslpipe.core.fields import ENCODED
from sslpipe.core.steps import Step
from sslpipe.shards.manifest import SPLITS, Manifest, ShardEntry
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage

if TYPE_CHECKING:
    from sslpipe.stream.order import Shuffle
    from sslpipe.stream.stream import Stream
    from sslpipe.stream.windows import Tail


class Dataset:
    """A finished dataset opened for reading; rows are numbered through train, val and test, in stored order.

    Opening reads the manifest and nothing else; a shard is mapped when one of its rows is first asked for. `dataset[i]` is for
    looking, `stream` for training.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._storage = LocalStorage(Path(path).expanduser().resolve())
        self.manifest: Manifest = Manifest.load(self._storage)
        """What the dataset holds."""
        self._entries: list[ShardEntry] = [entry for split in SPLITS for entry in self.manifest.split(split)]
        self._ends: list[int] = np.cumsum([entry.samples for entry in self._entries], dtype=np.int64).tolist()
        self._shards: dict[int, Shard] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_shards": {}}

    def __repr__(self) -> str:
        parts = [repr(str(self._storage.root)), *(f"{split}: {count:,}" for split, count in self.splits.items())]
        return f"Dataset({', '.join(parts)})"

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, row: int) -> dict[str, Any]:
        """One row: `__key__`, ids as they are stored, text as str, meta as dict, arrays in their shape.

        Pictures come as uint8 `[height, width, 3]`, sound as float32 `[channels, samples]`.
        """
        shard, number = self._find(row)
        values: dict[str, Any] = {"__key__": _key(shard, number)}
        for name, field in self.manifest.fields.items():
            if name.startswith("_"):
                continue
            stored = shard.row(name, number)
            if field.kind == "text":
                values[name] = stored.tobytes().decode()
            elif field.kind == "meta":
                values[name] = json.loads(stored.tobytes())
            elif field.kind in ENCODED:
                value = codec_of(field.kind).decode(stored.tobytes())[0]
                values[name] = value if field.kind == "image" else value.samples
            else:
                values[name] = stored
        return values

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(len(self)))

    @property
    def keys(self) -> Sequence[str]:
        """The names of all rows, read when asked for."""
        return _Keys(self)

    @property
    def splits(self) -> dict[str, int]:
        """Rows by split, in the order of their numbers."""
        found = {split: sum(entry.samples for entry in self.manifest.split(split)) for split in SPLITS}
        return {split: count for split, count in found.items() if self.manifest.split(split)}

    @property
    def tokenizer(self) -> Any:
        """The `tokenizers.Tokenizer` that made the ids; None where the dataset has none."""
        file = self.manifest.artefacts.get("tokenizer.json")
        if file is None:
            return None
        found = self._storage.size(file.path)
        if found != file.bytes:
            what = "is missing" if found is None else f"has {found} bytes"
            raise DataError(f"{self._storage.path(file.path)} {what}, the manifest says {file.bytes}; run `sslpipe verify`")
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._storage.path(file.path)))

    def source(self, row: int) -> str:
        """The name of the source that a row came from."""
        shard, number = self._find(row)
        names = sorted(self.manifest.by_source)
        place = int(shard.column("_source")[number])
        if not 0 <= place < len(names):
            raise DataError(
                f"{shard.entry.index.path}: row {number} has source {place}, the manifest names {len(names)} sources"
            )
        return names[place]

    def stream(
        self,
        *steps: Step,
        split: str = "train",
        batch_size: int | None = None,
        global_batch_size: int | None = None,
        seed: int | None = None,
        rank: int | None = None,
        world: int | None = None,
        threads: int | None = None,
        shuffle: Shuffle = "full",
        tail: Tail = "carry",
        producer: Any = "auto",
        pin_memory: bool = False,
        with_keys: bool = False,
    ) -> Stream:
        """Batches for training: a `Stream`, which says how epochs, places and states go.

        `steps`: filters, maps, a pack, a task, in that order, each optional; they replace the recipe's `stream:` half.
        `split`: `train`, `val` or `test`.
        `batch_size`: rows a rank; or `global_batch_size`: rows over all ranks, which the world must divide. One of the two.
        `seed`: of the order and of every draw; by default the recipe's.
        `rank`, `world`: of data parallelism; by default the process group's or the launcher's. Ranks that share one replica of
        the model (tensor or pipeline parallelism) should see the same rows: give them the same rank.
        `threads`: how many make batches; by default 4, fewer on fewer processors. A worker of a loader makes its own, alone.
        `shuffle`: `"full"`, any row may follow any other; `{"window_shards": K}`, only rows of K shards mix, for storage in
        which jumping about is slow; None, the stored order.
        `tail`: rows behind the last whole step of an epoch are carried into the next one (`"carry"`), or left out (`"drop"`).
        `producer`: where batches are made; `"auto"` and `"threads"` are the same today.
        `pin_memory`: put batches where an accelerator fetches them fast; without one they stay, with a warning.
        `with_keys`: add `__key__`, the names of a batch's rows.

        Raises RecipeError for options that don't fit, also where an epoch would have no step.
        """
        from sslpipe.stream.stream import Stream

        return Stream(
            self._storage, self.manifest, steps, split=split, batch_size=batch_size, global_batch_size=global_batch_size,
            seed=seed, rank=rank, world=world, threads=threads, shuffle=shuffle, tail=tail, producer=producer,
            pin_memory=pin_memory, with_keys=with_keys,
        )  # fmt: skip

    def _find(self, row: int) -> tuple[Shard, int]:
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of a dataset of {len(self)} rows")
        place = row % len(self)
        number = bisect_right(self._ends, place)
        if number not in self._shards:
            self._shards[number] = Shard(self._storage, self._entries[number], self.manifest.fields)
        return self._shards[number], place - (self._ends[number - 1] if number else 0)


def _key(shard: Shard, number: int) -> str:
    return shard.names.take(slice(number, number + 1)).texts()[0]


class _Keys(Sequence[str]):
    """Names as a sequence, so that a million of them aren't made for the sake of one."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        return _key(*self._dataset._find(row))
