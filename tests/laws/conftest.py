"""What the law tests share: the corpus, laid once, and its build."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from sslpipe.building.driver import Builder
from sslpipe.engines.inline import Inline
from sslpipe.shards.manifest import Manifest
from tests.laws.modality import NAMES, Modality, modality

Built = tuple[Path, Manifest]


def shard_hashes(out: Path) -> dict[str, str]:
    """The sha256 of every shard by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((out / "shards").glob("*.tar"))}


@pytest.fixture(scope="session", params=NAMES)
def law(request: pytest.FixtureRequest) -> Modality:
    """The corpora that a law is held to, one after another."""
    return modality(request.param)


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The law corpus of a modality in 7 files, or folders, a source; laid when first asked for."""
    return lru_cache(lambda name: modality(name).lay(tmp_path_factory.mktemp("laws") / "corpus"))


@pytest.fixture(scope="session")
def builds(corpora: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """An undisturbed inline build of that corpus: its folder and its manifest."""

    def build(name: str) -> Built:
        out = tmp_path_factory.mktemp("laws") / "built"
        return out, Builder(modality(name).recipe(corpora(name)), out, Inline()).run()

    return lru_cache(build)


@pytest.fixture
def corpus(law: Modality, corpora: Callable[[str], Path]) -> Path:
    """The corpus of the modality that the test is at."""
    return corpora(law.name)


@pytest.fixture
def built(law: Modality, builds: Callable[[str], Built]) -> Built:
    """Its build."""
    return builds(law.name)
