"""What a build should keep, worked out record by record in plain Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash

from sslpipe.core.hashes import payload_digest, purpose_hash
from tests.building.corpora import Record


@dataclass(frozen=True)
class Row:
    """One record on its way."""

    source: str
    text: str
    url: str
    place: int
    """Its number among all records, in the order of reading."""

    @property
    def key(self) -> bytes:
        """128 bits of the payload as it was read."""
        return payload_digest({"text": self.text.encode()})

    @property
    def turn(self) -> tuple[str, int, int]:
        """Where it stands among records of the same payload."""
        meta = json.dumps({"url": self.url}, separators=(",", ":"), ensure_ascii=False).encode()
        return self.source, xxhash.xxh3_64_intdigest(meta), self.place

    @property
    def strength(self) -> tuple[int, bytes, tuple[str, int, int]]:
        """Of rows that are the same, the one where this is least survives."""
        halves = (np.array([int.from_bytes(half, "big")], np.uint64) for half in (self.key[:8], self.key[8:]))
        return int(purpose_hash("priority", *halves, 0)[0]), self.key, self.turn


def rows_of(sources: Mapping[str, Sequence[Record]]) -> list[Row]:
    """All records; `place` grows within a source, which is all that turns compare it by."""
    return [
        Row(source, line["text"], line["url"], place) for source, lines in sources.items() for place, line in enumerate(lines)
    ]


def numbered(rows: Sequence[Row]) -> dict[str, Row]:
    """Rows by name: equal payloads are numbered by source, metadata and place."""
    by_key: dict[bytes, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    return {
        key.hex() + (f"x{number}" if number else ""): row
        for key, group in by_key.items()
        for number, row in enumerate(sorted(group, key=lambda row: row.turn))
    }


def survivors(rows: Sequence[Row], same: Callable[[str], str]) -> list[Row]:
    """One row of each group of the same normalised text."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(same(row.text), []).append(row)
    return [min(group, key=lambda row: row.strength) for group in groups.values()]
