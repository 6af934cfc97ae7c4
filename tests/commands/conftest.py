"""The command line, run in this process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.building.corpora import lay, records

RECIPE = """\
name: small
seed: 3
source:
  readers.jsonl: {paths: in, keep: [url]}
build:
  - maps.normalize_text
  - tests.building.foreign.filters.long_enough: {least: 10}
  - dedups.exact
shards: {count: 2, splits: {val: 0.2}}
limits: {max_bad: 0.5}
"""
LINES = [*records(12), records(1)[0], {"text": "short", "url": ""}, {"text": "brief", "url": ""}, b"{broken", b"{"]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Sslpipe = Callable[..., Ended]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a recipe and its input."""
    lay(tmp_path, {"in": LINES})
    (tmp_path / "small.yaml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sslpipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Sslpipe]:
    """Runs `sslpipe` with these arguments, as the script does."""
    from sslpipe.cli import main

    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["sslpipe", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, before)
