"""Where records came from: their entries in the ledger of the read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from sslpipe.building.pieces import parent
from sslpipe.report.outputs import outputs
from sslpipe.shards.commits import Commit
from sslpipe.shards.ledger import PIECES, ledger_batches
from sslpipe.shards.storage import LocalStorage

ROWS: Final = 1 << 15
ALIKE: Final = 64
"""Records of one key that are remembered; more are as good as these."""
COLUMNS: Final = ("id", "key", "file", "place", "outcome")

Entry = Mapping[str, Any]


class Origins:
    """Files and places of records, looked up by number or by key in one pass over the entries of the read."""

    def __init__(self, storage: LocalStorage, commits: Sequence[Commit], ids: Iterable[int], keys: Iterable[str]) -> None:
        self._by_id: dict[int, Entry] = {}
        self._by_key: dict[bytes, list[Entry]] = {bytes.fromhex(key): [] for key in keys}
        numbers = np.array(sorted({number & ~PIECES for number in ids}), np.uint64)
        read = [commit for commit in commits if commit.stage == "0-read"]
        if not len(numbers) and not self._by_key:
            return
        for _, output in outputs(storage, read, "ledger"):
            for batch in ledger_batches(storage.path(output.name), ROWS, COLUMNS):
                found = batch.column("id").to_numpy(zero_copy_only=False)
                for entry in batch.take(np.flatnonzero(np.isin(parent(found), numbers))).to_pylist():
                    self._by_id[entry["id"]] = entry
                keys_here = batch.column("key").to_pylist()
                for place in [place for place, key in enumerate(keys_here) if key in self._by_key]:
                    alike = self._by_key[keys_here[place]]
                    if len(alike) < ALIKE:
                        alike += [entry for entry in batch.slice(place, 1).to_pylist() if entry["outcome"] == "passed"]

    def of(self, number: int) -> Entry | None:
        """The entry of a record, or of the one that it was cut out of."""
        return self._by_id.get(number, self._by_id.get(number & ~PIECES))

    def alike(self, key: str) -> list[Entry]:
        """Rows of a key that passed the read."""
        return self._by_key.get(bytes.fromhex(key), [])
