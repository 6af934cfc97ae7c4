"""`sslpipe status`: from commits alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sslpipe.building.progress import Silent
from sslpipe.recipe.load import load_recipe
from tests.building.corpora import run
from tests.commands.conftest import Sslpipe


class StopsAtShards(Silent):
    """Ends a build when all but the shards is done."""

    def stage(self, name: str, total: int, done: int) -> None:
        if name == "1-shards":
            raise KeyboardInterrupt


SO_FAR = """\
  reading and filtering    1 of 1 tasks
  finding duplicates       1 of 1 tasks
  writing shards           0 of 3 tasks

so far
  read           17
  filtered        2  11.8 %
    short         2  11.8 %
  duplicate       1  5.9 %
  quarantined     2  11.8 %
    json.syntax   2  11.8 %
  kept            0
"""


def stopped(work: Path, **changes: object) -> None:
    made = load_recipe(work / "small.yaml").model_copy(update=changes)
    with pytest.raises(KeyboardInterrupt):
        run(made, work / "out", StopsAtShards(), update=True)


def test_not_finished(work: Path, sslpipe: Sslpipe) -> None:
    stopped(work)
    ended = sslpipe("status", "out")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "not finished; the build's command, run again, goes on from here\n" + SO_FAR
    told = json.loads(sslpipe("status", "out", "--json").out)
    assert told == {
        "finished": False,
        "updating": False,
        "stages": [["0-read", 1, 1], ["0-resolve", 1, 1], ["1-shards", 0, 3]],
        "by_source": {"main": {"read": 17, "filtered:short": 2, "duplicate": 1, "quarantined:json.syntax": 2}},
    }


def test_finished(work: Path, sslpipe: Sslpipe) -> None:
    table = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline").out
    ended = sslpipe("status", "out")
    assert ended.code == 0
    assert ended.out.splitlines() == ["finished", *table.splitlines()[:-1], "dataset in out"]
    told = json.loads(sslpipe("status", "out", "--json").out)
    assert told["finished"] and not told["updating"]
    assert told["stages"] == [["0-read", 1, 1], ["0-resolve", 1, 1], ["1-shards", 3, 3]]
    assert told["by_source"]["main"]["kept"] == 12


def test_an_update_that_is_not_finished(work: Path, sslpipe: Sslpipe) -> None:
    sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    stopped(work, seed=9)
    ended = sslpipe("status", "out")
    first, second = ended.out.split(
        "\na build that will replace it is not finished; its command, run again, goes on from here\n"
    )
    assert first.startswith("finished\n") and second == SO_FAR
    told = json.loads(sslpipe("status", "out", "--json").out)
    assert told["finished"] and told["updating"] and told["stages"][-1] == ["1-shards", 0, 3]
    assert sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline").code == 0
    assert "will replace it" not in sslpipe("status", "out").out, "the update was given up"


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_no_build(more: tuple[str, ...], work: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("status", "nowhere", *more)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "sslpipe: nowhere holds no build; `sslpipe build RECIPE -o nowhere` starts one\n"
    assert not (work / "nowhere").exists()
