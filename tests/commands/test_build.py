"""`sslpipe build`: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sslpipe.building.lock import BuildLock
from sslpipe.stream.dataset import Dataset
from tests.commands.conftest import RECIPE, Sslpipe

ROOT = Path(__file__).parents[2]
TABLE = """\
  read                      17
  filtered                   2  11.8 %
    short                    2  11.8 %
  duplicate                  1  5.9 %
  quarantined                2  11.8 %
    json.syntax              2  11.8 %
  kept                      12  70.6 %
"""


def test_a_build_ends_in_its_table(work: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    assert ended.code == 0
    lines = [re.sub(" +", " ", line) for line in ended.out.splitlines()]
    assert lines[:7] == [re.sub(" +", " ", line) for line in TABLE.splitlines()]
    assert re.fullmatch(r" train shards \d \d+ samples, 0\.0 MB", lines[7])
    assert re.fullmatch(r" val shards \d \d+ samples, 0\.0 MB", lines[8])
    assert re.fullmatch(r"dataset in out, \d+\.\d s, \d+\.\d MB/s of input", lines[10])
    assert re.fullmatch(r"\[ +\d+\.\d s\] reading and filtering: 0 of 1 tasks", ended.err.splitlines()[0])
    assert [line.partition("] ")[2] for line in ended.err.splitlines()[1:]] == [
        "reading and filtering: 1 of 1 tasks",
        "finding duplicates: 0 of 1 tasks",
        "finding duplicates: 1 of 1 tasks",
        "writing shards: 0 of 3 tasks",
        "writing shards: 3 of 3 tasks",
    ]
    again = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    assert (again.code, again.err) == (0, "") and re.search(r"dataset in out, \d+\.\d s$", again.out)


def test_files_that_are_not_read_are_counted_once_built(work: Path, sslpipe: Sslpipe) -> None:
    build = ("build", "small.yaml", "-o", "out", "--engine", "inline")
    assert "not read" not in sslpipe(*build).out and Dataset("out").manifest.unread == {}
    for name in ("a.png", "b.png", "notes", ".hidden"):
        (work / "in" / name).write_text("")
    again = sslpipe(*build)
    assert "not read" not in again.out, "the dataset is as it was; what has come since is no part of it"
    told = json.loads(sslpipe(*build[:3], "other", *build[4:], "--json").out)
    assert told["unread"] == {"main": {".png": 2, "hidden": 1, "no suffix": 1}}
    line = "not read 4 files (.png 2, hidden 1, no suffix 1)"
    for command in (("build", "small.yaml", "-o", "other", "--engine", "inline"), ("status", "other")):
        assert line in [" ".join(said.split()) for said in sslpipe(*command).out.splitlines()]


def test_json(work: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline", "--json")
    assert (ended.code, ended.err) == (0, "")
    told = json.loads(ended.out)
    assert told["by_source"] == {
        "main": {"read": 17, "kept": 12, "duplicate": 1, "filtered:short": 2, "quarantined:json.syntax": 2}
    }
    assert told["totals"]["kept"] == 12 and told["shards"] == 3 and told["out"] == "out"


def test_a_look(work: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline", "--limit", 5, "--set", "limits.max_bad=1")
    assert ended.code == 0
    assert ended.out.endswith("made with --limit: a look at the recipe, not a dataset; run it without to build the whole\n")
    manifest = Dataset("out").manifest
    assert manifest.totals["read"] - manifest.totals["quarantined"] == 5 and manifest.limited
    assert all("limited-" in shard.path for shard in manifest.shards)
    whole = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    assert whole.code == 0
    assert Dataset("out").manifest.split("train")[0].path == "shards/train-000000.tar"


def test_nothing_kept_is_said(work: Path, sslpipe: Sslpipe) -> None:
    step = "tests.building.foreign.filters.long_enough.least=1000"
    ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline", "--set", step)
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == (
        "no row was kept, so there is nothing to train on; `sslpipe explain out PATH` tells why for a file of yours"
    )


@pytest.mark.parametrize(("words", "told"), [(500, True), (1, False)])
def test_the_threshold_that_drops_most_is_named(words: int, told: bool, work: Path, sslpipe: Sslpipe) -> None:
    step = f"filters.gopher_quality: {{min_words: {words}, min_stop_words: 0, min_alphabetic_words: 0}}"
    (work / "small.yaml").write_text(RECIPE.replace("tests.building.foreign.filters.long_enough: {least: 10}", step))
    ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    line = (
        "most rows are gopher.too_few_words: filters.gopher_quality drops what is below its min_words, 500. To move it, build"
        " again with `--update --set filters.gopher_quality.min_words=...`"
    )
    assert ended.code == 0 and (ended.out.splitlines()[-1] == line) == told, ended.out


def test_too_much_bad_data_ends_in_3_behind_the_finished_dataset(work: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline", "--set", "limits.max_bad=0.1")
    assert ended.code == 3
    assert ended.err.splitlines()[-1] == (
        "sslpipe: the dataset is finished, but 2 of 17 records of source `main` could not be read, more than"
        " `limits: {max_bad: 0.1}` allows. `sslpipe status out` lists the reasons, `sslpipe report out` files too;"
        " if they are as you expect, run it again with `--set limits.max_bad=0.12`"
    )
    assert "dataset in out" in ended.out and len(Dataset("out")) == 12
    again = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline", "--set", "limits.max_bad=0.12")
    assert again.code == 0, "limits change nothing of what is made"


def test_errors_in_a_recipe_end_in_2_and_write_nothing(work: Path, sslpipe: Sslpipe) -> None:
    (work / "small.yaml").write_text(RECIPE.replace("dedups.exact", "dedups.exakt"))
    ended = sslpipe("build", "small.yaml", "-o", "out")
    assert ended.code == 2 and ended.out == ""
    assert ended.err == (
        "sslpipe: small.yaml:8:5: there is no step `dedups.exakt`; `sslpipe list dedups` shows all\n"
        "      - dedups.exakt\n"
        "        ^ did you mean `dedups.exact`?\n"
    )
    assert not (work / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--engine", "spark"), "got engine `spark`, wanted `ray` or `inline`"),
        (
            ("--engine", "inline", "--address", "x"),
            "--address joins a Ray cluster, and --engine inline uses none; leave one of them out",
        ),
        (
            ("--engine", "inline", "--workers", "2"),
            "got 2 workers for the engine inline, which is this process alone; use `ray`",
        ),
    ],
)
def test_wrong_engines(arguments: tuple[str, ...], message: str, work: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("build", "small.yaml", "-o", "out", *arguments)
    assert (ended.code, ended.err) == (2, f"sslpipe: {message}\n")
    assert not (work / "out").exists()


def test_a_locked_output_ends_in_5(work: Path, sslpipe: Sslpipe) -> None:
    with BuildLock(work / "out"):
        ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    assert ended.code == 5
    assert ended.err.startswith(f"sslpipe: another build works on {work}/out: process {os.getpid()} on ")
    assert ended.err.endswith(". Wait for it, or stop it and run this again\n")


def test_an_output_that_cannot_be_written_ends_in_4(work: Path, sslpipe: Sslpipe) -> None:
    (work / "file").write_text("")
    ended = sslpipe("build", "small.yaml", "-o", "file/out", "--engine", "inline")
    assert ended.code == 4
    assert ended.err.startswith(f"sslpipe: could not lock {work}/file/out/.sslpipe/lock: Not a directory;")


def test_a_bug_in_a_step_ends_in_1(work: Path, sslpipe: Sslpipe) -> None:
    (work / "small.yaml").write_text(RECIPE.replace("dedups.exact", "tests.building.foreign.filters.poison"))
    ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    assert ended.code == 1
    assert f"sslpipe: task 0-read-00000 failed while reading {work}/in/0.jsonl:\n" in ended.err
    assert ended.err.endswith("ValueError: a bug in somebody's step\n")


HINT = "interrupted; what is committed is kept. To go on, run the same command again\n"


def test_ctrl_c_ends_in_130_with_a_hint(work: Path, sslpipe: Sslpipe, monkeypatch: pytest.MonkeyPatch) -> None:
    from sslpipe.commands.progress import Lines

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lines, "tick", interrupted)
        ended = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    assert ended.code == 130
    assert HINT in ended.err
    assert sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline").code == 0


def test_sigterm_ends_in_143_with_a_hint_and_frees_the_lock(work: Path, sslpipe: Sslpipe) -> None:
    (work / "small.yaml").write_text(RECIPE.replace("dedups.exact", "tests.building.foreign.filters.stopped"))
    script = "from sslpipe.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "build", "small.yaml", "-o", "out", "--engine", "inline"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (143, "")
    assert done.stderr.endswith(HINT)
    assert done.returncode == 128 + signal.SIGTERM
    (work / "small.yaml").write_text(RECIPE)
    assert sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline", "--update").code == 0
    assert len(Dataset("out")) == 12
