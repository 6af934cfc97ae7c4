"""What the law tests share: the corpus, laid once, and its build."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sslpipe.building.driver import Builder
from sslpipe.engines.inline import Inline
from sslpipe.shards.manifest import Manifest
from tests.laws.corpus import law_recipe, lay


def shard_hashes(out: Path) -> dict[str, str]:
    """The sha256 of every shard by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((out / "shards").glob("*.tar"))}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The law corpus in 7 files a source."""
    return lay(tmp_path_factory.mktemp("laws") / "corpus")


@pytest.fixture(scope="session")
def built(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """An undisturbed inline build of the law corpus: its folder and its manifest."""
    out = tmp_path_factory.mktemp("laws") / "built"
    return out, Builder(law_recipe(corpus), out, Inline()).run()
