"""`sslpipe peek` says which pictures there are, and why others are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.building.corpora import lay, records
from tests.commands.conftest import Sslpipe

RECIPE = """\
name: tokens
source:
  readers.jsonl: {paths: in}
build:
  - fits.byte_level_bpe: {vocab_size: 300}
  - maps.tokenize
stream:
  - packs.concatenate: {length: 32}
  - tasks.next_token
shards: {count: 1}
"""


@pytest.fixture
def out(work: Path, sslpipe: Sslpipe) -> Path:
    lay(work, {"in": records(30)})
    (work / "tokens.yaml").write_text(RECIPE)
    assert sslpipe("build", "tokens.yaml", "-o", "out", "--engine", "inline").code == 0
    return work / "out"


def test_pictures(out: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("peek", "out", "--rows", 2)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "wrote out/peek/masked_tokens.png\nwrote out/peek/next_token.png\n"
    ended = sslpipe("peek", "out", "--task", "next_token", "-o", "here", "--seed", 3)
    assert (ended.code, ended.out) == (0, "wrote here/next_token.png\n")
    assert (out.parent / "here/next_token.png").read_bytes()[:4] == b"\x89PNG"


def test_what_does_not_fit(out: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("peek", "out", "--task", "masked_frames")
    assert (ended.code, ended.out) == (2, "") and ended.err.endswith("; these fit: masked_tokens, next_token\n")
    ended = sslpipe("peek", "nowhere")
    assert (ended.code, ended.err) == (2, "sslpipe: nowhere does not exist\n")


def test_rows_are_bounded(out: Path, sslpipe: Sslpipe) -> None:
    for rows in (0, 65):
        ended = sslpipe("peek", "out", "--rows", rows)
        assert ended.code == 2 and "--rows" in ended.err


def test_help_ends_in_examples(sslpipe: Sslpipe) -> None:
    lines = sslpipe("peek", "--help").out.rstrip().splitlines()
    assert [line.strip() for line in lines[-2:]] == [
        "sslpipe peek out",
        "sslpipe peek out --task masked_tokens --rows 8 -o pictures",
    ]
