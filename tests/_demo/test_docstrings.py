"""Docstrings are read from files that nobody imports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sslpipe._demo import docstrings


def test_docstrings_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        '"""Module."""\nraise SystemExit\nclass A:\n    """Class."""\n    def f(self):\n        "Method."\ndef g(): pass\n'
    )
    assert sorted(docstrings.docstrings(file)) == ["Class.", "Method.", "Module."]
    file.write_bytes(b"def broken(:\n")
    assert list(docstrings.docstrings(file)) == []
    file.write_bytes(b"\xff\xfe")
    assert list(docstrings.docstrings(file)) == []
    file.write_text('"""\\ud800 half"""\nx = "\\d"\n')
    assert list(docstrings.docstrings(file)) == ["? half"]


def test_what_is_written_is_json_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docstrings, "MAX_FILES", 5)
    count = docstrings.write_docstrings(tmp_path / "raw/x.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "raw/x.jsonl").read_text().splitlines()]
    assert len(lines) == count > 5 and all(set(line) == {"text", "path"} for line in lines)
