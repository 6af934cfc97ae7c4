"""Tiles of two photographs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslpipe._demo import photographs
from sslpipe.codecs.image import ImageCodec
from sslpipe.core.errors import EnvironmentFault


def test_tiles_are_pictures_of_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "STEP", 120)
    count = photographs.write_photographs(tmp_path / "tiles")
    files = sorted((tmp_path / "tiles").iterdir())
    assert len(files) == count == 2 * 2 * 4
    assert {ImageCodec().decode(file.read_bytes())[0].shape for file in files} == {(192, 192, 3)}
    assert len({file.read_bytes() for file in files}) == count


def test_without_scikit_learn_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault, match="pip install scikit-learn"):
        photographs.write_photographs(tmp_path)
