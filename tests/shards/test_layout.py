"""What members of a tar are called."""

from __future__ import annotations

import pytest
from shards_support import FIELDS

from sslpipe.core.fields import Field
from sslpipe.shards.layout import extension, is_npy, shard_name, stored


@pytest.mark.parametrize(
    ("name", "ending"),
    [("text", "txt"), ("title", "title.txt"), ("meta", "json"), ("ids", "ids.npy"), ("grid", "grid.npy")],
)
def test_extensions(name: str, ending: str) -> None:
    assert extension(name, FIELDS[name]) == ending
    assert is_npy(FIELDS[name]) == ending.endswith("npy")


def test_other_metadata_has_an_extension_of_its_own() -> None:
    assert extension("facts", Field(kind="meta")) == "facts.json"


def test_extensions_are_unique() -> None:
    assert len({extension(name, field) for name, field in FIELDS.items()}) == len(FIELDS)


def test_members_in_the_order_of_their_extensions() -> None:
    order = stored({**FIELDS, "_id": Field(kind="array")})
    endings = [extension(name, FIELDS[name]) for name in order]
    assert endings == sorted(endings) and set(order) == set(FIELDS)


@pytest.mark.parametrize(
    ("split", "number", "revision", "name"),
    [("train", 3, 0, "shards/train-000003.tar"), ("val", 1_000_000, 2, "shards/val-r2-1000000.tar")],
)
def test_names_of_shards(split: str, number: int, revision: int, name: str) -> None:
    assert shard_name(split, number, revision) == name
