"""`sslpipe verify`: every byte that is not what it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sslpipe.shards.layout import rollup_name
from sslpipe.shards.manifest import FileEntry, Manifest
from sslpipe.shards.storage import LocalStorage
from tests.commands.conftest import RECIPE, Sslpipe

STEPS = "  - dedups.exact\n  - fits.byte_level_bpe: {vocab_size: 300}\n  - maps.tokenize\n"
KINDS = ("shard", "index", "tokenizer", "ledger", "quarantine", "decisions")


@pytest.fixture
def entries(work: Path, sslpipe: Sslpipe) -> dict[str, FileEntry]:
    (work / "small.yaml").write_text(RECIPE.replace("  - dedups.exact\n", STEPS))
    assert sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline").code == 0
    manifest = Manifest.load(LocalStorage(work / "out"))
    shard = manifest.shards[0]
    found = {"shard": shard, "index": shard.index, "tokenizer": manifest.artefacts["tokenizer.json"]}
    stages = json.loads((work / "out" / rollup_name(manifest.build)).read_text())
    for output in (output for commits in stages.values() for commit in commits for output in commit["outputs"]):
        if output["role"] in KINDS[3:]:
            found[output["role"]] = FileEntry(path=output["name"], bytes=output["bytes"], xxh3_128=output["xxh3_128"])
    return found


def test_whole(entries: dict[str, FileEntry], sslpipe: Sslpipe) -> None:
    ended = sslpipe("verify", "out")
    assert (ended.code, ended.out, ended.err) == (0, "7 files and 12 rows are whole\n", "")


def problem(sslpipe: Sslpipe) -> str:
    ended = sslpipe("verify", "out")
    assert (ended.code, ended.out) == (2, "")
    first, line, last = ended.err.splitlines()
    assert first == "sslpipe: 1 problems in out:"
    assert last == "Build again into another folder, or restore these files"
    return line.strip()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_one_flipped_bit(kind: str, place: float, entries: dict[str, FileEntry], sslpipe: Sslpipe, work: Path) -> None:
    path = work / "out" / entries[kind].path
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 1
    path.write_bytes(data)
    said = problem(sslpipe)
    assert said.startswith(f"{entries[kind].path} has other bytes than the manifest says: its xxh3 is ")
    assert said.endswith(f", not {entries[kind].xxh3_128}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file(kind: str, entries: dict[str, FileEntry], sslpipe: Sslpipe, work: Path) -> None:
    (work / "out" / entries[kind].path).unlink()
    assert problem(sslpipe) == f"{entries[kind].path} is missing"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [-1, 1])
def test_another_size(kind: str, change: int, entries: dict[str, FileEntry], sslpipe: Sslpipe, work: Path) -> None:
    path, size = work / "out" / entries[kind].path, entries[kind].bytes
    path.write_bytes((path.read_bytes() + b"x")[: size + change])
    assert problem(sslpipe) == f"{entries[kind].path} has {size + change} bytes, the manifest says {size}"


def test_a_manifest_that_is_none(entries: dict[str, FileEntry], sslpipe: Sslpipe, work: Path) -> None:
    file = work / "out/manifest.json"
    data = json.loads(file.read_text())
    del data["shards"]
    file.write_text(json.dumps(data))
    ended = sslpipe("verify", "out")
    assert (ended.code, ended.err) == (2, "sslpipe: out/manifest.json: shards: Field required\n")
    file.unlink()
    ended = sslpipe("verify", "out")
    assert ended.code == 2 and ended.err.startswith(
        "sslpipe: out has no manifest.json: it is not a finished dataset. Run `sslpipe build`"
    )
