"""The manifest is the only way into a dataset, and says so where it isn't one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from shards_support import a_manifest

from sslpipe.core.errors import DataError
from sslpipe.shards.manifest import NAME, FileEntry, Manifest
from sslpipe.shards.storage import LocalStorage


def _stored(folder: Path, data: bytes) -> LocalStorage:
    storage = LocalStorage(folder)
    storage.put_new(NAME, data)
    return storage


def test_round_trip(tmp_path: Path) -> None:
    manifest = a_manifest(stream=({"packs.concatenate": {"length": 4}},), measures=("words",), limited=True)
    assert Manifest.load(_stored(tmp_path, manifest.model_dump_json().encode())) == manifest


def test_splits_in_order() -> None:
    assert [shard.path for shard in a_manifest().split("train")] == ["shards/train-000000.tar", "shards/train-000001.tar"]
    assert len(a_manifest().split("val")) == 1 and a_manifest().split("test") == []


def test_a_folder_without_one(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Manifest.load(LocalStorage(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path} has no manifest.json: it is not a finished dataset."
        " Run `sslpipe build`; an interrupted build goes on when the same command runs again"
    )
    assert caught.value.exit_code == 2


def _changed(**changes: Any) -> bytes:
    return json.dumps({**a_manifest().model_dump(mode="json"), **changes}).encode()


WRONG = {
    "unknown field": (_changed(colour="red"), "colour: Extra inputs are not permitted"),
    "unknown field of a field": (
        _changed(fields={"ids": {"kind": "ids", "size": 3}}),
        "fields.ids.size: Extra inputs are not permitted",
    ),
    "unknown kind": (
        _changed(fields={"ids": {"kind": "id"}}),
        "fields.ids.kind: Input should be 'text', 'ids', 'image', 'audio', 'meta' or 'array'",
    ),
    "wrong type": (_changed(seed="x"), "seed: Input should be a valid integer, unable to parse string as an integer"),
    "empty": (b"", "the file: Invalid JSON: EOF while parsing a value at line 1 column 0"),
    "cut short": (_changed()[:40], "the file: Invalid JSON: EOF while parsing a string at line 1 column 40"),
    "a list": (b"[]", "the file: Input should be an object"),
    "a later format": (_changed(format=2), "format: Input should be 1"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_damaged_one_says_where(tmp_path: Path, wrong: str) -> None:
    data, message = WRONG[wrong]
    with pytest.raises(DataError) as caught:
        Manifest.load(_stored(tmp_path, data))
    assert str(caught.value) == f"{tmp_path}/manifest.json: {message}"


def test_manifests_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        a_manifest().version = 2  # type: ignore[misc]


def test_the_domain_is_what_positions_depend_on() -> None:
    base = a_manifest()
    shards = list(base.shards)
    moved = [shard.model_copy(update={"path": "elsewhere.tar", "bytes": 99, "xxh3_128": "f" * 32}) for shard in shards]
    for same in ({"name": "b"}, {"seed": 4}, {"totals": {}}, {"shards": tuple(moved)}):
        assert a_manifest(**same).domain() == base.domain()
    longer = shards[0].model_copy(update={"samples": 4})
    index = shards[0].index.model_copy(update={"xxh3_128": "e" * 32})
    denser = shards[0].model_copy(update={"index": index})
    other = [(longer, *shards[1:]), (denser, *shards[1:]), tuple(shards[::-1]), tuple(shards[:2])]
    domains = {a_manifest(shards=changed).domain() for changed in other}
    assert len(domains | {base.domain()}) == 5


@pytest.mark.parametrize("path", ["../x.tar", "/etc/passwd", "shards/../../x.tar", "", "a\0b", "..\\x.tar"])
def test_a_path_that_leads_out_of_the_folder_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="does not lie in the dataset's own folder"):
        FileEntry(path=path, bytes=1, xxh3_128="")
