"""Rows in the making."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows

_BYTES = 8 << 20
_ROWS = 4096


class Batch:
    """Collects records until they are 8 MiB or 4096 rows; a larger record is a batch of its own."""

    def __init__(self, fields: Sequence[str], has_meta: bool) -> None:
        self._columns: dict[str, list[bytes]] = {name: [] for name in (*fields, *(["meta"] if has_meta else []))}
        self._files: list[int] = []
        self._places: list[int] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._files)

    def has_room(self, payloads: Sequence[bytes]) -> bool:
        """Whether a record of these fields (and meta) may join those that are here."""
        return not self._files or (len(self._files) < _ROWS and self._bytes + sum(map(len, payloads)) <= _BYTES)

    def add(self, file: int, place: int, payloads: Sequence[bytes]) -> None:
        """One record: its fields in order, then its metadata if the batch has any."""
        for column, payload in zip(self._columns.values(), payloads, strict=True):
            column.append(payload)
            self._bytes += len(payload)
        self._files.append(file)
        self._places.append(place)

    def flush(self) -> Rows:
        """The rows so far; the batch is empty afterwards."""
        count = len(self._files)
        columns: dict[str, Column] = {name: Ragged.from_bytes(values) for name, values in self._columns.items()}
        columns["_file"] = np.array(self._files, np.int32)
        columns["_place"] = np.array(self._places, np.int64)
        self._columns = {name: [] for name in self._columns}
        self._files, self._places, self._bytes = [], [], 0
        return Rows(Names.from_keys(np.zeros(count, np.uint64), np.zeros(count, np.uint64)), columns)


Record = tuple[int, int, list[bytes]]
"""A record: the position of its file in the part, its place there, and its fields in order, then its metadata."""


def batched(fields: Sequence[str], has_meta: bool, records: Iterable[Record]) -> Iterator[Rows]:
    """Records as rows, in batches of at most 8 MiB or 4096 of them, a larger record alone."""
    batch = Batch(fields, has_meta)
    for file, place, payloads in records:
        if not batch.has_room(payloads):
            yield batch.flush()
        batch.add(file, place, payloads)
    if len(batch):
        yield batch.flush()


def meta_json(values: Mapping[str, str]) -> bytes:
    """Kept metadata in canonical form: sorted keys, no spaces, UTF-8. Raises UnicodeEncodeError for a lone surrogate."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
