"""`sslpipe plan`: what would be done, and what is wrong, without doing it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.commands.conftest import RECIPE, Sslpipe

TEXT = """\
text, seed 0

sources
  main: 2 files, 0.0 MB, read in 1 task
    not read: 1 file (.png 1)

build
  0  maps.normalize_text · filters.gopher_quality  ─  dedups.exact · fits.byte_level_bpe
  1  maps.tokenize  ─  shards

stream
  packs.concatenate
  tasks.next_token

a batch holds
  document_ids: int32 [1024]
  input_ids: int64 [1024]
  labels: int64 [1024]
  position_ids: int64 [1024]

input 0.0 MB; while it runs a build takes about the decompressed input in temporary files; N GB are free
"""


@pytest.fixture
def texts(work: Path) -> Path:
    (work / "texts").mkdir()
    for name in ("a.txt", "b.md", "c.png"):
        (work / "texts" / name).write_text("text")
    return work


def test_the_shipped_recipe(texts: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("plan", "text", "-i", "texts")
    assert (ended.code, ended.err) == (0, "")
    assert re.sub(r"[\d.,]+ GB", "N GB", ended.out) == TEXT
    assert not [path for path in texts.iterdir() if path.name not in ("in", "small.yaml", "texts")]


def test_a_folder_with_nothing_to_read(work: Path, sslpipe: Sslpipe) -> None:
    (work / "films").mkdir()
    (work / "films" / "a.mp4").write_text("")
    ended = sslpipe("plan", "images", "-i", "films")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[0] == (
        f"sslpipe: -i:1:1: source `main`: no file under {work}/films is one that readers.images reads"
        " (.jpg, .jpeg, .jpe, .png, .webp, .gif); found 1 file (.mp4 1). `sslpipe list readers.images` says which it does"
    )


def test_free_space_is_that_of_the_output(texts: Path, sslpipe: Sslpipe, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    usage = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or usage(path))
    assert sslpipe("plan", "text", "-i", "texts", "-o", "far/out").code == 0
    assert sslpipe("plan", "text", "-i", "texts", "-o", texts / "in" / "out").code == 0
    assert asked == [texts, texts / "in"]


def test_json(texts: Path, sslpipe: Sslpipe) -> None:
    told = json.loads(sslpipe("plan", "text", "-i", "texts", "--json").out)
    assert told["sources"] == {"main": [1, 2, 8]}
    assert len(told["segments"]) == 2 and told["fields"]["labels"] == {"kind": "array", "dtype": "int64", "shape": [1024]}


def test_the_folder_one_stands_in(texts: Path, sslpipe: Sslpipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(texts / "texts")
    assert sslpipe("plan", "text", "-i", ".").code == 0


def test_beside_an_earlier_build(work: Path, sslpipe: Sslpipe) -> None:
    sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    ended = sslpipe("plan", "small.yaml", "-o", "out")
    assert ended.code == 0
    assert ended.out.partition("are free\n\n")[2].splitlines() == sslpipe("status", "out").out.splitlines()
    inside = sslpipe("plan", "small.yaml", "-o", "in/out")
    assert inside.code == 2 and f"the output {work}/in/out lies inside the input {work}/in" in inside.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "least: 10",
            "leats: 10",
            "small.yaml:7:50: got `leats`, wanted a field of `tests.building.foreign.filters.long_enough`: least, field\n"
            "      - tests.building.foreign.filters.long_enough: {leats: 10}\n"
            "                                                     ^ did you mean `least`?\n",
        ),
        (
            "  - dedups.exact",
            "  - maps.tokenize",
            "small.yaml:8:5: maps.tokenize needs tokenizer.json, and no step before it learns one; put fits.byte_level_bpe"
            " before it, or give a file: `maps.tokenize: {tokenizer: path/to/tokenizer.json}`\n"
            "      - maps.tokenize\n"
            "        ^\n",
        ),
        (
            "paths: in",
            "paths: nin",
            "small.yaml:4:26: `{work}/nin` doesn't exist; edit `paths`, or give it with -i\n"
            "      readers.jsonl: {paths: nin, keep: [url]}\n"
            "                             ^ did you mean `in`?\n",
        ),
    ],
)
def test_what_is_wrong_is_shown_at_its_place(old: str, new: str, message: str, work: Path, sslpipe: Sslpipe) -> None:
    (work / "small.yaml").write_text(RECIPE.replace(old, new))
    ended = sslpipe("plan", "small.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "sslpipe: " + message.replace("{work}", str(work))
