"""`sslpipe demo`: the whole road, on what every machine has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sslpipe.commands import demo
from sslpipe.stream.dataset import Dataset
from tests.commands.conftest import Sslpipe


def test_the_whole_road(tmp_path: Path, sslpipe: Sslpipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "MAX_FILES", 60)
    out = tmp_path / "demo"
    ended = sslpipe("demo", "-o", out, "--engine", "inline")
    assert ended.code == 0, ended.err
    first = ended.out.splitlines()[0]
    assert re.fullmatch(rf"[\d,]+ docstrings of at most 60 installed Python files in {out}/raw/docstrings\.jsonl", first)
    for said in ("one batch of next token", "one batch of masked tokens", "labels           torch.int64 [8, 128]", "reads: "):
        assert said in ended.out
    assert "reading and filtering: 0 of 1 tasks" in ended.err
    dataset = Dataset(out / "dataset")
    assert len(dataset) > 100 and dataset.tokenizer is not None
    command = re.search(r"next: sslpipe (explain \S+ \S+)", ended.out)
    assert command is not None
    assert "kept: " in sslpipe(*command[1].split()).out
    again = sslpipe("demo", "-o", out, "--engine", "inline")
    assert again.code == 0


def test_an_unknown_engine_writes_nothing(tmp_path: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("demo", "-o", tmp_path / "demo", "--engine", "spark")
    assert (ended.code, ended.err) == (2, "sslpipe: got engine `spark`, wanted `ray` or `inline`\n")
    assert not (tmp_path / "demo").exists()


def test_docstrings_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        '"""Module."""\nraise SystemExit\nclass A:\n    """Class."""\n    def f(self):\n        "Method."\ndef g(): pass\n'
    )
    assert sorted(demo.docstrings(file)) == ["Class.", "Method.", "Module."]
    file.write_bytes(b"def broken(:\n")
    assert list(demo.docstrings(file)) == []
    file.write_bytes(b"\xff\xfe")
    assert list(demo.docstrings(file)) == []
    file.write_text('"""\\ud800 half"""\nx = "\\d"\n')
    assert list(demo.docstrings(file)) == ["? half"]


def test_what_is_written_is_json_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "MAX_FILES", 5)
    count = demo.write_docstrings(tmp_path / "raw/x.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "raw/x.jsonl").read_text().splitlines()]
    assert len(lines) == count > 5 and all(set(line) == {"text", "path"} for line in lines)
