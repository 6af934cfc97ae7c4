"""A stored row by its name."""

from __future__ import annotations

import numpy as np

from sslpipe.shards.manifest import Manifest
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage


def stored_row(storage: LocalStorage, manifest: Manifest, name: str) -> tuple[Shard, int] | None:
    """The shard that holds the row of this name, and its number there; shards are searched one after another."""
    high = np.uint64(int(name[:16], 16))
    for entry in manifest.shards:
        shard = Shard(storage, entry, manifest.fields)
        near = np.flatnonzero(shard.names.high == high)
        for row, text in zip(near.tolist(), shard.names.take(near).texts(), strict=True):
            if text == name:
                return shard, row
    return None
