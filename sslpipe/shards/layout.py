"""How fields become members of a tar, and columns of its index."""

from __future__ import annotations

from sslpipe.core.fields import Field, Fields

INDEX_FOLDER = ".sslpipe/index"


def extension(name: str, field: Field) -> str:
    """The part of a member's name behind the first dot: `txt`, `ids.npy`, `json`."""
    if field.kind == "text":
        return "txt" if name == "text" else f"{name}.txt"
    if field.kind == "meta":
        return "json" if name == "meta" else f"{name}.json"
    return f"{name}.npy"


def stored(fields: Fields) -> list[str]:
    """The fields that go into shards, in the order of their members' names, as tar readers want them."""
    return sorted((name for name in fields if not name.startswith("_")), key=lambda name: extension(name, fields[name]))


def is_npy(field: Field) -> bool:
    """Whether a field's members are `.npy` arrays, whose data starts behind a header."""
    return field.kind in ("ids", "array")


def shard_name(split: str, number: int, revision: int) -> str:
    """`shards/train-000003.tar`; a later revision of the whole dataset, or a look by `--limit` (-1), has names of its own."""
    mark = "" if not revision else f"r{revision}-" if revision > 0 else "limited-"
    return f"shards/{split}-{mark}{number:06d}.tar"


def rollup_name(build: str) -> str:
    """Where all commit records of a finished build lie, as one file."""
    return f".sslpipe/builds/{build}.json"
