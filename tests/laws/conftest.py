"""What the law tests share: the corpus, laid once, its build, and one Ray for the session."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One local Ray with two workers for all tests that need it; engines join it and leave it running."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
