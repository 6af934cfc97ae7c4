"""A few of the rows that a dataset holds, with what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from sslpipe.core.errors import DataError
from sslpipe.core.fields import Kind
from sslpipe.core.hashes import mix, purpose_hash
from sslpipe.report.payloads import Decode, Payload, payload
from sslpipe.report.smallest import Smallest
from sslpipe.shards.manifest import Manifest, ShardEntry
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage

MAX_KEPT: Final = 24
"""Of all sources together, but one of each at least."""

_ORDER: Final[tuple[Kind, ...]] = ("image", "audio", "text", "ids", "array", "meta")

Place = tuple[ShardEntry, int]


@dataclass(frozen=True)
class Kept:
    """One row of the dataset: its name, where it lies, and an extract of each field."""

    name: str
    source: str
    split: str
    shard: str
    payloads: dict[str, Payload]


class KeptRows:
    """Rows chosen by hash, so many of each source, and rows of keys that were asked for; found in one pass over the indexes."""

    def __init__(
        self, storage: LocalStorage, manifest: Manifest, decode: Decode | None, each: int, keys: Iterable[str]
    ) -> None:
        self._storage, self._manifest, self._decode = storage, manifest, decode
        sources = sorted(manifest.by_source)
        each = max(1, min(each, MAX_KEPT // max(1, len(sources))))
        chosen = [Smallest[Place](each) for _ in sources]
        wanted = {(int(key[:16], 16), int(key[16:], 16)): key for key in keys}
        highs = np.array(sorted({high for high, _ in wanted}), np.uint64)
        self._found: dict[str, Place] = {}
        for entry in manifest.shards:
            shard = Shard(storage, entry, manifest.fields)
            names, numbers = shard.names, shard.column("_source")
            if int(numbers.max()) >= len(sources):
                raise DataError(f"{entry.index.path} names source {int(numbers.max())}, the manifest {len(sources)} sources")
            hashes = mix(purpose_hash("sample", names.high, names.low, manifest.seed), names.occurrence.astype(np.uint64))
            hashes = mix(hashes, names.offset.view(np.uint64))
            for number, few in enumerate(chosen):
                mine = np.flatnonzero(numbers == number)
                for row in mine[few.wanted(hashes[mine])].tolist():
                    few.offer(int(hashes[row]), (entry, row))
            for row in np.flatnonzero(np.isin(names.high, highs)).tolist():
                key = wanted.get((int(names.high[row]), int(names.low[row])))
                if key is not None:
                    self._found.setdefault(key, (entry, row))
        self.samples = [self._look(place) for few in chosen for place in few.items()]

    def of(self, key: str) -> Kept | None:
        """The row of a key that was asked for; None where it didn't stay, or was packed behind another."""
        place = self._found.get(key)
        return self._look(place) if place is not None else None

    def _look(self, place: Place) -> Kept:
        entry, row = place
        shard = Shard(self._storage, entry, self._manifest.fields)
        named = [(name, field) for name, field in self._manifest.fields.items() if not name.startswith("_")]
        fields = dict(sorted(named, key=lambda item: _ORDER.index(item[1].kind)))
        decode = None if any(field.kind == "text" for field in fields.values()) else self._decode  # the text is there already
        return Kept(
            shard.names.take(slice(row, row + 1)).texts()[0],
            sorted(self._manifest.by_source)[int(shard.column("_source")[row])],
            entry.split,
            entry.path,
            {name: payload(shard, name, field, row, decode) for name, field in fields.items()},
        )
