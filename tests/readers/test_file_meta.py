"""Readers of files keep the folder that a file lies in, by which rows can be divided."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sslpipe.core.steps import Reader
from sslpipe.readers._file_meta import file_meta
from sslpipe.readers.audio import Audio
from sslpipe.readers.images import Images
from sslpipe.readers.stems import Stems
from sslpipe.readers.text import Text
from tests.badinputs.images import JPEG
from tests.readers.support import everything, write


def kept(reader: Reader) -> list[dict[str, str]]:
    rows, bad = everything(reader)
    assert not bad
    return [json.loads(row[-1]) for row in rows]


@pytest.mark.parametrize("kind", [Text, Images, Stems])
def test_the_folder_is_kept(tmp_path: Path, kind: type[Reader]) -> None:
    pictures = [(f"{name}/a.jpg", JPEG) for name in ("s1", "s2/s3")] if kind is not Text else []
    texts = [(f"{name}/a.txt", b"text") for name in ("s1", "s2/s3")] if kind is not Images else []
    write(tmp_path, [*pictures, *texts])
    assert kept(kind(paths=(str(tmp_path),), keep=("folder",))) == [{"folder": "s1"}, {"folder": "s3"}]


def test_both(tmp_path: Path) -> None:
    write(tmp_path, [("s1/a.txt", b"text")])
    assert kept(Text(paths=(str(tmp_path),), keep=("folder", "path"))) == [{"folder": "s1", "path": f"{tmp_path}/s1/a.txt"}]
    assert Audio(keep=("folder",)).outputs({}).keys() == {"audio", "meta"}


def test_names_of_bytes() -> None:
    assert json.loads(file_meta(os.fsdecode(b"/a/b\xff/c"), ("folder", "stem"))) == {
        "folder": "b\\xff",
        "stem": "/a/b\\xff/c",
    }
    assert json.loads(file_meta("/c", ("folder",))) == {"folder": ""}
