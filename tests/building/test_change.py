"""A recipe or an input that changes: what is refused, what is built again, and what is free."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sslpipe.building.progress import Silent
from sslpipe.core.errors import RecipeError
from sslpipe.dedups.exact import Exact
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.normalize_text import NormalizeText
from sslpipe.maps.tokenize import Tokenize
from sslpipe.packs.concatenate import Concatenate
from sslpipe.recipe.recipe import Shards
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.dataset import Dataset
from sslpipe.tasks.next_token import NextToken
from tests.building.corpora import lay, limits, recipe, records, run, sound
from tests.building.foreign.filters.long_enough import LongEnough

KEPT = "To build again, run the same command with --update, or choose another output folder."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay(tmp_path / "in", {"a": records(20), "b": [*records(10, start=15), b"{"]}, files=2)


def files(out: Path) -> dict[str, tuple[int, int]]:
    """What each file of an output is: its inode and its time; the lock aside, which every run writes."""
    found = {str(path.relative_to(out)): path.stat() for path in out.rglob("*") if path.is_file() and path.name != "lock"}
    return {name: (status.st_ino, status.st_mtime_ns) for name, status in found.items()}


class Stages(Silent):
    """Notes how many tasks of each stage were left to do."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}

    def stage(self, name: str, total: int, done: int) -> None:
        self.left[name] = total - done


class Stop(Exception):
    """The end of a build, wherever a test wants it."""


class StopsAt(Stages):
    """Ends a build where a stage begins."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    def stage(self, name: str, total: int, done: int) -> None:
        if name == self._at:
            raise Stop
        super().stage(name, total, done)


def test_a_rerun_of_a_finished_build_touches_nothing(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, Exact(), limits=limits())
    manifest = run(made, tmp_path / "out")
    before = files(tmp_path / "out")
    assert run(made, tmp_path / "out") == run(made, tmp_path / "out", update=True) == manifest
    assert files(tmp_path / "out") == before


@pytest.mark.parametrize("changed", [limits(part_bytes=1000), limits(memory_bytes=1_000_000), limits(max_bad=0.0)])
def test_limits_are_free(folder: Path, tmp_path: Path, changed: Any) -> None:
    manifest = run(recipe(folder, Exact(), limits=limits()), tmp_path / "out")
    before = files(tmp_path / "out")
    assert run(recipe(folder, Exact(), limits=changed), tmp_path / "out") == manifest
    assert files(tmp_path / "out") == before


def test_another_stream_rewrites_only_the_manifest(folder: Path, tmp_path: Path) -> None:
    steps = (ByteLevelBpe(vocab_size=300), Tokenize())
    manifest = run(recipe(folder, *steps, limits=limits()), tmp_path / "out")
    before = files(tmp_path / "out")
    other = run(recipe(folder, *steps, limits=limits(), stream=(Concatenate(length=16), NextToken())), tmp_path / "out")
    after = files(tmp_path / "out")
    assert [name for name in after if after[name] != before.get(name)] == ["manifest.json"] and len(after) == len(before)
    assert other == manifest.model_copy(update={"stream": other.stream})
    assert [next(iter(step)) for step in other.stream] == ["packs.concatenate", "tasks.next_token"]
    assert next(iter(sound(tmp_path / "out", other).stream(batch_size=1)))["input_ids"].shape == (1, 16)


def test_another_name_is_taken_over(folder: Path, tmp_path: Path) -> None:
    manifest = run(recipe(folder, limits=limits()), tmp_path / "out")
    renamed = run(recipe(folder, limits=limits(), name="renamed"), tmp_path / "out")
    assert renamed == manifest.model_copy(update={"name": "renamed"})
    assert "# renamed" in (tmp_path / "out" / "README.md").read_text()


CHANGES: dict[str, dict[str, Any]] = {
    "build": {"build": (NormalizeText(), Exact())},
    "seed": {"seed": 4},
    "shards": {"shards": Shards(count=3)},
    "seed, shards": {"seed": 4, "shards": Shards(count=3)},
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_recipe_is_refused_by_what_changed(what: str, folder: Path, tmp_path: Path) -> None:
    run(recipe(folder, Exact(), limits=limits()), tmp_path / "out")
    before = files(tmp_path / "out")
    fields = {"build": (Exact(),), "limits": limits(), **CHANGES[what]}
    steps = fields.pop("build")
    with pytest.raises(RecipeError) as caught:
        run(recipe(folder, *steps, **fields), tmp_path / "out")
    assert str(caught.value) == (
        f"{tmp_path}/out holds a build of another recipe (changed: {what}). {KEPT}"
        " The old dataset stays until the new one is finished"
    )
    assert files(tmp_path / "out") == before
    sound(tmp_path / "out", run(recipe(folder, *steps, **fields), tmp_path / "out", update=True))


def test_other_input_is_refused(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, Exact(), limits=limits())
    manifest = run(made, tmp_path / "out")
    lay(folder, {"b": records(12, start=15)})
    with pytest.raises(RecipeError) as caught:
        run(made, tmp_path / "out")
    assert str(caught.value) == (
        f"{tmp_path}/out holds a build of other input files. {KEPT} The old dataset stays until the new one is finished"
    )
    again = run(made, tmp_path / "out", update=True)
    assert len(sound(tmp_path / "out", again)) > manifest.totals["kept"]


def test_an_update_takes_names_of_its_own_and_the_old_dataset_is_readable_until_the_end(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    old = run(recipe(folder, Exact(), limits=limits()), out)
    rows = {row["__key__"]: row["text"] for row in Dataset(out)}
    other = recipe(folder, LongEnough(least=60), Exact(), limits=limits())
    seen = []

    class Reads(Silent):
        """Opens the dataset while the next one is made."""

        def stage(self, name: str, total: int, done: int) -> None:
            seen.append(name)
            assert {row["__key__"]: row["text"] for row in Dataset(out)} == rows

        def tick(self, commit: object) -> None:
            self.stage("tick", 0, 0)

    new = run(other, out, Reads(), update=True)
    assert {"0-read", "1-shards", "tick"} <= set(seen)
    assert new.version == 2 and old.version == 1
    assert [shard.path for shard in new.shards] == ["shards/train-r1-000000.tar", "shards/train-r1-000001.tar"]
    assert 0 < len(sound(out, new)) < len(rows)
    assert len(list((out / ".sslpipe/manifests").iterdir())) == 2
    third = run(recipe(folder, limits=limits()), out, update=True)
    assert {shard.path[:16] for shard in third.shards} == {"shards/train-r2-"}
    sound(out, third)


def test_an_update_that_stops_leaves_the_old_dataset_and_goes_on(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first, other = recipe(folder, Exact(), limits=limits()), recipe(folder, limits=limits())
    old = run(first, out)
    with pytest.raises(Stop):
        run(other, out, StopsAt("1-shards"), update=True)
    assert sound(out, Manifest.load(LocalStorage(out))).manifest == old
    stages = Stages()
    new = run(other, out, stages, update=True)
    assert stages.left["0-read"] == 0 and stages.left["1-shards"] == 2
    assert len(sound(out, new)) == 30


def test_an_update_that_is_given_up(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = recipe(folder, Exact(), limits=limits())
    old = run(first, out)
    with pytest.raises(Stop):
        run(recipe(folder, limits=limits()), out, StopsAt("1-shards"), update=True)
    assert run(first, out) == old
    sound(out, old)


def test_an_unfinished_build_is_refused_by_another_recipe(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Stop):
        run(recipe(folder, Exact(), limits=limits()), tmp_path / "out", StopsAt("1-shards"))
    with pytest.raises(RecipeError) as caught:
        run(recipe(folder, Exact(), LongEnough(), limits=limits()), tmp_path / "out")
    assert str(caught.value) == (
        f"{tmp_path}/out holds a build of another recipe (changed: build). {KEPT} Tasks that the change leaves alone are kept"
    )
    stages = Stages()
    manifest = run(recipe(folder, Exact(), LongEnough(), limits=limits()), tmp_path / "out", stages, update=True)
    assert stages.left["0-read"] == stages.left["0-resolve"] == 0, "the change comes after them"
    sound(tmp_path / "out", manifest)


def test_input_that_changes_under_an_unfinished_build_is_read_again(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, Exact(), limits=limits(part_bytes=1000))
    with pytest.raises(Stop):
        run(made, tmp_path / "out", StopsAt("1-shards"))
    lay(folder, {"b": records(12, start=15)}, files=2)
    stages = Stages()
    manifest = run(made, tmp_path / "out", stages)
    assert stages.left["0-read"] == 2, "the files of the source that changed, and no others"
    assert manifest.by_source["b"]["read"] == 12
    sound(tmp_path / "out", manifest)


def test_a_look_then_the_whole_then_no_look(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, Exact(), limits=limits())
    look = run(made, tmp_path / "out", limit=3)
    assert look.limited and look.totals["read"] <= 7 and len(sound(tmp_path / "out", look)) <= 6
    assert run(made, tmp_path / "out", limit=3) == look
    other = run(made, tmp_path / "out", limit=5)
    assert other.totals["kept"] > look.totals["kept"]
    whole = run(made, tmp_path / "out")
    assert not whole.limited and whole.totals["read"] == 31
    sound(tmp_path / "out", whole)
    with pytest.raises(
        RecipeError, match=r"holds a whole dataset, which a quick look with --limit would replace\. To build again"
    ):
        run(made, tmp_path / "out", limit=3)


@pytest.mark.parametrize("name", ["README.md", "shards/mine.tar", "manifest.json"])
def test_a_folder_of_somebody_elses_is_refused_and_left_alone(name: str, folder: Path, tmp_path: Path) -> None:
    """A build replaces the README and sweeps `shards/`: in a folder that is not its own, that would be a loss."""
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("{}")
    if name == "manifest.json":
        with pytest.raises(Exception, match="manifest"):
            run(recipe(folder), tmp_path / "out")
    else:
        with pytest.raises(RecipeError) as caught:
            run(recipe(folder), tmp_path / "out")
        assert str(caught.value) == (
            f"{tmp_path}/out has {name.partition('/')[0]}, but no build of sslpipe made them; choose another output folder"
        )
    assert mine.read_text() == "{}"


def test_files_beside_a_dataset_are_left_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "notes").mkdir(parents=True)
    mine = [tmp_path / "out" / "notes" / "x.tmp", tmp_path / "out" / "draft.tmp", tmp_path / "out" / ".hidden.tmp"]
    for path in mine:
        path.write_text("mine")
    ours = tmp_path / "out" / "shards" / f".train-000000.tar.{os.urandom(6).hex()}.tmp"
    run(recipe(folder, limits=limits()), tmp_path / "out")
    ours.write_text("a killed attempt")
    LocalStorage(tmp_path / "out").put_new(".sslpipe/attempts/f.json", b"{}")
    run(recipe(folder, limits=limits(), seed=4), tmp_path / "out", update=True)
    assert [path.read_text() for path in mine] == ["mine"] * 3
    assert not ours.exists() and not list((tmp_path / "out/.sslpipe/attempts").iterdir())
