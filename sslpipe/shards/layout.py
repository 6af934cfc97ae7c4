"""How fields become members of a tar, and columns of its index."""

from __future__ import annotations

from typing import Final

from sslpipe.core.fields import Field, Fields, Format

_FORMATS: Final[dict[Format, str]] = {"jpeg": "jpg", "png": "png", "flac": "flac"}

INDEX_FOLDER = ".sslpipe/index"


def extension(name: str, field: Field) -> str:
    """The part of a member's name behind the first dot: `txt`, `ids.npy`, `jpg`, `json`.

    The field that is called like its kind has the bare extension, so that readers of WebDataset know what to do with it.
    """
    bare = {"text": "txt", "meta": "json"}.get(field.kind) or (_FORMATS[field.format] if field.format else None)
    if bare is None:
        return f"{name}.npy"
    return bare if name == field.kind else f"{name}.{bare}"


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
