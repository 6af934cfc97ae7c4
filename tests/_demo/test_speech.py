"""Recordings that lie in the package."""

from __future__ import annotations

from pathlib import Path

from sslpipe._demo.speech import write_speech
from sslpipe.codecs.audio import frames_of


def test_recordings_are_copied_and_small(tmp_path: Path) -> None:
    count = write_speech(tmp_path / "speech")
    files = sorted((tmp_path / "speech").iterdir())
    assert len(files) == count >= 50
    assert sum(file.stat().st_size for file in files) < 3_000_000
    assert {frames_of(file.read_bytes())[1:] for file in files} == {(16_000, 1)}
