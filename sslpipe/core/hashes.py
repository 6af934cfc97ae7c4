"""The hashes that decide where a row goes: its key, and one hash for each purpose.

A key is the 128-bit xxh3 of the payload. Every decision that follows (order, split, sample, priority, the ranges of a shuffle)
uses a hash of that key of its own, so that no two decisions are correlated: a sample taken by the order hash would be the first
shards. `PURPOSES` names them all; what is not named there is not hashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
import xxhash
from numpy.typing import NDArray

Purpose = Literal["order", "split", "sample", "priority"]

PURPOSES: Final[Mapping[Purpose, bool]] = {"order": True, "split": False, "sample": True, "priority": False}
"""Whether the recipe's seed enters. Splits and priorities never move with the seed: a test set stays a test set."""

_MULTIPLIERS: Final = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
_SHIFT: Final = np.uint64(33)


def mix(state: NDArray[np.uint64], word: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """Fold a word into a state: the 64-bit finaliser of MurmurHash3 over their sum; elementwise, uint64."""
    with np.errstate(over="ignore"):
        state = state + word * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x2545F4914F6CDD1D)
        for multiplier in _MULTIPLIERS:
            state = (state ^ (state >> _SHIFT)) * multiplier
    return state ^ (state >> _SHIFT)


def purpose_hash(purpose: Purpose, high: NDArray[np.uint64], low: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """The hash of keys for one purpose, uint64 `[n]`; the seed counts only where `PURPOSES` says so."""
    base = xxhash.xxh3_64_intdigest(f"sslpipe.{purpose}.1".encode(), seed=seed if PURPOSES[purpose] else 0)
    return mix(mix(np.full(len(high), base, np.uint64), high), low)


def payload_digest(fields: Mapping[str, bytes | memoryview]) -> bytes:
    """The 128-bit key of one row, 16 bytes big-endian: xxh3 over its fields in the order of their names.

    Each field is preceded by the length of its name, its name, and the length of its bytes, so that no two different sets of
    fields read the same.
    """
    state = xxhash.xxh3_128()
    for name in sorted(fields):
        payload, label = fields[name], name.encode()
        state.update(len(label).to_bytes(4, "little") + label + len(payload).to_bytes(8, "little"))
        state.update(payload)
    return state.digest()


def split_digests(digests: list[bytes]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """16-byte digests as two uint64 columns, high and low."""
    pairs = np.frombuffer(b"".join(digests), ">u8").reshape(-1, 2)
    return pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)


def fingerprint(*parts: object) -> str:
    """A short name for a value: 32 hex digits of xxh3 over the canonical JSON of the parts."""
    import json

    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogateescape"))  # file names need not be UTF-8
