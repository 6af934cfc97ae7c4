"""Files that lists name are input like any other: read once, in any division, and noticed when they change."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sslpipe.building.driver as driver
from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import Part
from sslpipe.readers._files import File
from sslpipe.readers.listing import Listing
from sslpipe.readers.stems import Stems
from sslpipe.recipe.recipe import Recipe, Shards
from sslpipe.shards.ledger import read_ledger
from sslpipe.shards.manifest import Manifest
from tests.badinputs.audio import bad, good
from tests.badinputs.images import PICTURE, PNG, images
from tests.building.corpora import limits, run, sound
from tests.building.foreign.maps.exact import Exact
from tests.readers.support import write

COUNT = 40


def laid(folder: Path) -> Path:
    """Questions in a list and answers in files, and both again side by side."""
    for number in range(COUNT):
        for place, name in ((folder / "listed/answers", f"{number}.a"), (folder / "paired", f"{number}.a")):
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(f"answer {number}, twice: {number}")
        (folder / "paired" / f"{number}.q").write_text(f"question {number}?")
    lines = [{"q": f"question {number}?", "a": f"answers/{number}.a", "n": number} for number in range(COUNT)]
    lines += [{"q": "", "a": "answers/none.a"}, {"q": "", "a": "../paired/0.a"}]
    (folder / "listed/list.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def recipe(folder: Path, part_bytes: int = 1_000_000) -> Recipe:
    sources = {
        "listed": Listing(paths=(f"{folder}/listed",), fields={"question": "q", "answer": "{a}"}, keep=("n",)),
        "paired": Stems(paths=(f"{folder}/paired",), fields={"question": (".q",), "answer": (".a",)}, keep=("stem",)),
    }
    return Recipe(
        name="pairs", sources=sources, shards=Shards(count=2), limits=limits(part_bytes=part_bytes, memory_bytes=1_000_000)
    )


def shown(manifest: Manifest) -> list[tuple[str, str]]:
    return [(shard.path, shard.xxh3_128) for shard in manifest.shards]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return laid(tmp_path / "in")


def test_shards_do_not_depend_on_the_division(corpus: Path, tmp_path: Path) -> None:
    """The bytes are a function of the records, and each line and stem is counted once."""
    manifests = []
    for number, part_bytes in enumerate((1000, 4000, 1_000_000)):
        made = recipe(corpus, part_bytes)
        tasks = [part for reader in made.sources.values() for part in reader.parts(part_bytes)]
        assert (len(tasks) == 2) == (part_bytes == 1_000_000)
        manifests.append(run(made, tmp_path / f"out{number}"))
    assert shown(manifests[0]) == shown(manifests[1]) == shown(manifests[2])
    assert manifests[0].by_source == manifests[1].by_source == manifests[2].by_source
    assert manifests[0].by_source["listed"] == {
        "read": COUNT + 2,
        "kept": COUNT,
        "quarantined:io.vanished": 1,
        "quarantined:path.outside": 1,
    }
    dataset = sound(tmp_path / "out0", manifests[0])
    wanted = [(f"question {number}?", f"answer {number}, twice: {number}") for number in range(COUNT)]
    assert sorted((row["question"], row["answer"]) for row in dataset) == sorted(2 * wanted)


def test_another_division_is_no_other_input(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(recipe(corpus), tmp_path / "out")
    assert run(recipe(corpus, 1000), tmp_path / "out") == first

    def each_time(parts: list[tuple[str, dict[str, Any]]]) -> list[Any]:
        """The mutant: a file as often as parts have it."""
        return [(source, *file) for source, part in parts for file in zip(part["files"], part["sizes"], strict=True)]

    monkeypatch.setattr(driver, "_files", each_time)
    run(recipe(corpus), tmp_path / "mutant")
    with pytest.raises(RecipeError, match="other input files"):
        run(recipe(corpus, 1000), tmp_path / "mutant")


def changes(folder: Path) -> dict[str, tuple[Path, bytes | None]]:
    return {
        "a listed file": (folder / "listed/answers/7.a", b"answer 7, another"),
        "a listed file of the same size": (folder / "listed/answers/7.a", b"ANSWER 7, twice: 7"),
        "a listed file that was missing": (folder / "listed/answers/none.a", b"here now"),
        "a listed file that goes away": (folder / "listed/answers/7.a", None),
        "the list": (folder / "listed/list.jsonl", b""),
        "a partner": (folder / "paired/7.q", b"another question"),
        "a new stem": (folder / "paired/new.q", b"x"),
    }


@pytest.mark.parametrize("change", list(changes(Path())))
def test_every_change_of_what_is_read_is_noticed(change: str, corpus: Path, tmp_path: Path) -> None:
    run(recipe(corpus), tmp_path / "out")
    path, data = changes(corpus)[change]
    path.unlink(missing_ok=True) if data is None else path.write_bytes(data)
    if data is not None:
        os.utime(path, ns=(1, 1))
    with pytest.raises(RecipeError, match="other input files"):
        run(recipe(corpus), tmp_path / "out")


def test_mutant_parts_without_what_their_lines_name(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list alone as input: nobody sees that what it names has changed."""
    real = Listing._divided

    def alone(self: Listing, listing: File, part_bytes: int) -> Iterator[Part]:
        for part in real(self, listing, part_bytes):
            yield Part(part.files[:1], part.sizes[:1], part.stamps[:1], part.span)

    monkeypatch.setattr(Listing, "_divided", alone)
    with pytest.raises(pytest.fail.Exception):
        test_every_change_of_what_is_read_is_noticed("a listed file", corpus, tmp_path)


def test_a_field_that_only_decoding_shows_to_be_damaged_is_named(tmp_path: Path) -> None:
    """A row is told by its first file, so that the place says which of its fields is meant."""
    pixels = {case.name: case.data for case in images()}["half.jpg"]
    samples = {case.name: case.data for case in bad()}["md5.flac"]
    sample = good()["s16.flac"]
    pairs = {"a": (PNG, sample), "b": (pixels, sample), "c": (PNG, samples), "d": (PNG[:-1], sample)}
    for stem, (picture, sound_file) in pairs.items():
        write(tmp_path / "in", [(f"{stem}.png", picture), (f"{stem}.flac", sound_file)])
    reader = Stems(paths=(f"{tmp_path}/in",), fields={"image": (".png",), "audio": (".flac",)})
    made = Recipe(name="pairs", sources={"pairs": reader}, build=(Exact(),), limits=limits())
    manifest = run(made, tmp_path / "out")
    (row,) = sound(tmp_path / "out", manifest)
    assert np.array_equal(row["image"], PICTURE)
    entries = [entry for path in (tmp_path / "out/.sslpipe/ledger").iterdir() for entry in read_ledger(path).to_pylist()]
    told = {Path(entry["file"]).name: (entry["reason"], entry["place"]) for entry in entries if entry["reason"]}
    assert told == {
        "b.png": ("image.decode", f"record 1, byte {told['b.png'][1].split()[3]} of its image"),
        "c.png": ("audio.checksum", f"record 1, byte {told['c.png'][1].split()[3]} of its audio"),
        "d.png": ("image.truncated", f"byte {len(PNG) - 1}"),
    }
