"""A few of the records that could not be read, with the beginning of their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import xxhash

from sslpipe.report.outputs import outputs
from sslpipe.report.smallest import Smallest
from sslpipe.shards.commits import Commit
from sslpipe.shards.ledger import ledger_batches
from sslpipe.shards.storage import LocalStorage

ROWS: Final = 128
"""Entries in memory at a time: each has up to 64 KiB of raw bytes."""
BYTES: Final = 96
"""What is shown of them."""


@dataclass(frozen=True)
class BadRecord:
    """A record that could not be read."""

    source: str
    file: str
    place: str
    detail: str
    start: str
    """Its first bytes: as text where they are text, else in hex."""


def quarantined(
    storage: LocalStorage, commits: Sequence[Commit], reasons: Sequence[str], each: int
) -> dict[str, list[BadRecord]]:
    """So many records of each of these reasons, chosen by hash."""
    kept = {reason: Smallest[BadRecord](each) for reason in reasons}
    for _, output in outputs(storage, commits, "quarantine"):
        for batch in ledger_batches(storage.path(output.name), ROWS):
            columns = {name: batch.column(name).to_pylist() for name in ("file", "place", "reason", "xxh3_128")}
            named = ["\0".join(texts).encode() for texts in zip(*columns.values(), strict=True)]
            hashes = np.array(list(map(xxhash.xxh3_64_intdigest, named)), np.uint64)
            for place, reason in enumerate(columns["reason"]):
                few = kept.get(reason)
                if few is not None and few.wanted(hashes[place : place + 1]):
                    few.offer(int(hashes[place]), _record(batch.slice(place, 1).to_pylist()[0]))
    return {reason: few.items() for reason, few in kept.items()}


def _record(entry: dict[str, str | bytes]) -> BadRecord:
    raw = entry["raw"]
    assert isinstance(raw, bytes)
    facts = {name: str(entry[name]) for name in ("source", "file", "place", "detail")}
    return BadRecord(**facts, start=first_bytes(raw))


def first_bytes(raw: bytes) -> str:
    """The beginning of some bytes: as it reads if it is text, as hex if not."""
    some = raw[:BYTES]
    text = some.decode("utf-8", "replace")
    strange = sum(letter == "\N{REPLACEMENT CHARACTER}" or not (letter.isprintable() or letter in "\n\t") for letter in text)
    if strange * 8 > len(text):
        text = some[: BYTES // 3].hex(" ")
    return text + ("…" if len(raw) > BYTES else "")
