"""What `import sslpipe` offers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sslpipe
from sslpipe.api import check_bad, make_engine
from sslpipe.core.errors import DataError, RecipeError, TooMuchBadData
from sslpipe.dedups.exact import Exact
from sslpipe.engines.inline import Inline
from sslpipe.engines.ray import Ray
from sslpipe.stream.dataset import Dataset
from tests.building.corpora import lay, limits, recipe, records
from tests.building.foreign.filters.long_enough import LongEnough

YAML = "name: small\nsource: {readers.jsonl: {paths: nowhere}}\nbuild: [dedups.exact]\nlimits: {max_bad: 1}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay(tmp_path / "in", {"a": [*records(10), *records(3), b"{"]})


def test_the_public_names() -> None:
    assert sslpipe.__all__ == [
        "open", "build", "load_recipe", "Recipe", "Dataset",
        "readers", "measures", "filters", "maps", "cuts", "dedups", "fits", "packs", "tasks", "testing",
    ]  # fmt: skip
    for name in sslpipe.__all__:
        assert getattr(sslpipe, name) is getattr(sslpipe, name)
    assert dir(sslpipe) == sorted([*sslpipe.__all__, "__version__"])
    with pytest.raises(AttributeError, match="module 'sslpipe' has no attribute 'bild'; it has open, build, load_recipe"):
        _ = sslpipe.bild
    assert sslpipe.packs.Concatenate.path() == "packs.concatenate"


def test_public_names_stay_what_they_are_whatever_is_imported() -> None:
    """A room called like a public function would take its place once it is imported."""
    code = """
import importlib, pkgutil, sslpipe
functions = {name: getattr(sslpipe, name) for name in ("open", "build", "load_recipe", "Recipe", "Dataset")}
for module in pkgutil.walk_packages(sslpipe.__path__, "sslpipe."):
    importlib.import_module(module.name)
print(all(getattr(sslpipe, name) is value and callable(value) for name, value in functions.items()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "True\n", done.stderr


def test_build_twice_open_and_look(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, Exact(), limits=limits())
    first = sslpipe.build(made, tmp_path / "out", engine="inline")
    again = sslpipe.build(made, str(tmp_path / "out"), engine="inline")
    opened = sslpipe.open(tmp_path / "out")
    assert isinstance(first, Dataset)
    assert [row["__key__"] for row in first] == [row["__key__"] for row in again] == [row["__key__"] for row in opened]
    assert len(first) == 10


def test_build_from_a_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.yaml").write_text(YAML)
    assert len(sslpipe.build(tmp_path / "r.yaml", tmp_path / "one", input=folder / "a", engine="inline")) == 10
    look = sslpipe.build(str(tmp_path / "r.yaml"), tmp_path / "two", input=[folder / "a"], engine="inline", limit=4)
    totals = look.manifest.totals
    assert look.manifest.limited and totals["read"] - totals["quarantined"] == 4
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(sslpipe.build("~/r.yaml", "~/three", input="~/in/a", engine="inline")) == 10
    assert (tmp_path / "three" / "manifest.json").exists()


def test_update(folder: Path, tmp_path: Path) -> None:
    sslpipe.build(recipe(folder, limits=limits()), tmp_path / "out", engine="inline")
    with pytest.raises(RecipeError, match=r"another recipe \(changed: build\)"):
        sslpipe.build(recipe(folder, Exact(), limits=limits()), tmp_path / "out", engine="inline")
    assert len(sslpipe.build(recipe(folder, Exact(), limits=limits()), tmp_path / "out", engine="inline", update=True)) == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": "x"}, "`input` replaces the paths of a recipe that is read from a file; a Recipe has its own"),
        ({"engine": "spark"}, "got engine `spark`, wanted `ray` or `inline`"),
        ({"engine": "inline", "workers": 4}, "got 4 workers for the engine inline, which is this process alone; use `ray`"),
    ],
)
def test_wrong_arguments(change: dict[str, Any], message: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        sslpipe.build(recipe(folder), tmp_path / "out", **change)
    assert str(caught.value) == message
    assert not (tmp_path / "out").exists()


def test_a_recipe_is_checked_before_anything_is_written(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"recipe\.build\[0\].*there is no field `title`"):
        sslpipe.build(recipe(folder, Exact(field="title")), tmp_path / "out", engine="inline")
    with pytest.raises(RecipeError, match="lies inside the input"):
        sslpipe.build(recipe(folder), folder / "a" / "out", engine="inline")
    assert not (tmp_path / "out").exists() and not (folder / "a" / "out").exists()


def test_too_much_bad_data_comes_after_the_dataset(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, LongEnough(least=2), limits=limits(max_bad=0.07))
    with pytest.raises(TooMuchBadData, match=r"^the dataset is finished, but 1 of 14 records of source `a` could not be read"):
        sslpipe.build(made, tmp_path / "out", engine="inline")
    dataset = sslpipe.open(tmp_path / "out")
    assert len(dataset) == 13
    check_bad(dataset.manifest, recipe(folder, limits=limits(max_bad=1 / 14)), tmp_path / "out")


def test_open_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no manifest\.json: it is not a finished dataset"):
        sslpipe.open(tmp_path)


def test_engines() -> None:
    assert isinstance(make_engine("inline", None, None), Inline) and isinstance(make_engine("inline", 1, None), Inline)
    assert isinstance(make_engine("ray", 2, "auto"), Ray)


def test_the_engine_is_closed_however_a_build_ends(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(Inline, "close", lambda self: closed.append("closed"))
    sslpipe.build(recipe(folder, limits=limits()), tmp_path / "out", engine="inline")
    with pytest.raises(RecipeError, match="another recipe"):
        sslpipe.build(recipe(folder, Exact(), limits=limits()), tmp_path / "out", engine="inline")
    assert closed == ["closed", "closed"]
