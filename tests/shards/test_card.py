"""The card's front matter lists the shards, all of them, and nothing else."""

from __future__ import annotations

from typing import Any

import yaml
from shards_support import a_manifest

from sslpipe.shards.card import dataset_card


def _front(card: str) -> Any:
    head, matter, body = card.split("---\n", 2)
    assert head == "" and body.startswith("\n# ")
    return yaml.safe_load(matter)


def test_every_shard_is_listed_by_name() -> None:
    manifest = a_manifest()
    (config,) = _front(dataset_card(manifest))["configs"]
    assert config["config_name"] == "default"
    listed = {entry["split"]: entry["path"] for entry in config["data_files"]}
    assert listed == {
        "train": ["shards/train-000000.tar", "shards/train-000001.tar"],
        "validation": ["shards/val-000000.tar"],
    }
    assert not any("*" in path for paths in listed.values() for path in paths)


def test_a_split_without_shards_is_left_out() -> None:
    manifest = a_manifest(shards=a_manifest().split("train"))
    (config,) = _front(dataset_card(manifest))["configs"]
    assert [entry["split"] for entry in config["data_files"]] == ["train"]


def test_the_page_says_what_there_is() -> None:
    card = dataset_card(a_manifest())
    assert "# a-name\n" in card and "- `ids`: ids, uint16\n" in card
    assert "| read | 12,345 |\n| kept | 9 |\n" in card
    assert card.endswith("|\n")
