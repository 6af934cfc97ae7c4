"""`sslpipe demo`: the whole road, on what every machine has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sslpipe._demo import docstrings, photographs
from sslpipe.stream.dataset import Dataset
from tests.commands.conftest import Sslpipe

BATCHES = {
    "next token": r"labels +torch.int64 \[8, 128\]",
    "masked tokens": r"labels +torch.int64 \[8, 128\]",
    "two views": r"views +torch.float32 \[8, 2, 3, 96, 96\]",
    "masked patches": r"bool_masked_pos +torch.bool \[8, 36\]",
    "masked frames": r"mask_time_indices +torch.bool \[8, 99\]",
}


def test_the_whole_road(tmp_path: Path, sslpipe: Sslpipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docstrings, "MAX_FILES", 60)
    monkeypatch.setattr(photographs, "STEP", 96)
    out = tmp_path / "demo"
    ended = sslpipe("demo", "-o", out, "--engine", "inline")
    assert ended.code == 0, ended.err
    assert re.search(rf"text: [\d,]+ docstrings of installed Python files in {out}/raw/docstrings\.jsonl", ended.out)
    for task, field in BATCHES.items():
        assert re.search(rf"one batch of {task}\n(  .*\n)*?  {field}", ended.out), task
    assert "reading and filtering: 0 of 1 tasks" in ended.err
    text, images, audio = (Dataset(out / name) for name in ("text", "images", "audio"))
    assert len(text) > 100 and text.tokenizer is not None
    assert len(images) == 30 and images[0]["image"].shape == (192, 192, 3)
    assert len(audio) > 40 and audio.manifest.fields["audio"].rate == 16_000
    command = re.search(r"sslpipe (explain \S+ \S+)", ended.out)
    assert command is not None
    assert "kept: " in sslpipe(*command[1].split()).out
    again = sslpipe("demo", "-o", out, "--engine", "inline")
    assert again.code == 0


def test_an_unknown_engine_writes_nothing(tmp_path: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("demo", "-o", tmp_path / "demo", "--engine", "spark")
    assert (ended.code, ended.err) == (2, "sslpipe: got engine `spark`, wanted `ray` or `inline`\n")
    assert not (tmp_path / "demo").exists()
