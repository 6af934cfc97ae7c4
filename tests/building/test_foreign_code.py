"""An edit to a step of somebody else's is noticed: its results are never those of the code before."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sslpipe.building import stages
from sslpipe.building.progress import Silent
from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import Step
from sslpipe.recipe import recipe as recipe_module
from sslpipe.recipe.load import load_recipe
from sslpipe.recipe.recipe import Recipe, step_stamp
from sslpipe.shards.manifest import Manifest
from tests.building.corpora import lay, records, run

HEAD = "from __future__ import annotations\nimport numpy as np\n"
FILES = {
    "filters/even.py": HEAD
    + """\
from sslpipe.core.steps import Filter, Measure, Measures, Verdicts
from edited.measures.size import Size

class Even(Filter):
    \"\"\"Keeps rows of an even size.\"\"\"

    def needs(self) -> tuple[Measure, ...]:
        return (Size(),)

    def judge(self, measures: Measures) -> Verdicts:
        return Verdicts((measures["size"] % 2 == 1).astype(np.uint8), ("odd",))
""",
    "measures/size.py": HEAD
    + """\
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Measure, Measures

class Size(Measure):
    \"\"\"Bytes of text.\"\"\"

    def names(self) -> tuple[str, ...]:
        return ("size",)

    def measure(self, rows: Rows) -> Measures:
        return {"size": rows.ragged("text").lengths}
""",
    "readers/lines.py": HEAD
    + """\
from sslpipe.readers.jsonl import Jsonl

class Lines(Jsonl):
    \"\"\"JSON lines.\"\"\"

    def read(self, part, bad):
        return super().read(part, bad)
""",
}
EDITS = {
    "filters/even.py": ("% 2 == 1", "% 2 == 0"),
    "measures/size.py": (".lengths}", ".lengths + 1}"),
    "readers/lines.py": ("super().read(part, bad)", "(rows.view(0, 5) for rows in super().read(part, bad))"),
}
RECIPE = """\
name: edited
source:
  edited.readers.lines: {paths: in}
build:
  - edited.filters.even
shards: {count: 1}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package `edited`, a recipe that names its steps, and input."""
    for name, text in FILES.items():
        file = tmp_path / "edited" / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    lay(tmp_path, {"in": records(40)})
    (tmp_path / "edited.yaml").write_text(RECIPE)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    """As a new process would: modules are imported again."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "edited"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def _edit(package: Path, name: str) -> Recipe:
    file = package / "edited" / name
    text = file.read_text()
    assert text.count(EDITS[name][0]) == 1
    file.write_text(text.replace(*EDITS[name]))
    _forget()
    return load_recipe(package / "edited.yaml")


def _digests(manifest: Manifest) -> list[str]:
    return [shard.xxh3_128 for shard in manifest.shards]


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_between_two_builds_changes_the_result(name: str, package: Path) -> None:
    before = run(load_recipe(package / "edited.yaml"), package / "out")
    edited = _edit(package, name)
    with pytest.raises(RecipeError, match="holds a build of this recipe with another version of a step"):
        run(edited, package / "out")
    after = run(edited, package / "out", update=True)
    assert _digests(after) == _digests(run(edited, package / "fresh")) != _digests(before)


class Stop(Exception):
    """The end of a build, where its shards would begin."""


class StopsAtShards(Silent):
    def stage(self, name: str, total: int, done: int) -> None:
        if name == "1-shards":
            raise Stop


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_while_a_build_rests_is_noticed_when_it_goes_on(name: str, package: Path) -> None:
    with pytest.raises(Stop):
        run(load_recipe(package / "edited.yaml"), package / "out", StopsAtShards())
    edited = _edit(package, name)
    assert _digests(run(edited, package / "out")) == _digests(run(edited, package / "fresh"))


def _by_fields(step: Step) -> list[object]:
    return [step.path(), step.version, step.model_dump(mode="json")]


def _without_measures(step: Step, whole: Callable[[Step], list[object]] = step_stamp) -> list[object]:
    return whole(step)[:-1]


@pytest.mark.parametrize(("stamp", "name"), [(_by_fields, "filters/even.py"), (_without_measures, "measures/size.py")])
def test_fingerprints_without_the_code_are_caught(
    stamp: Callable[[Step], list[object]], name: str, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (recipe_module, stages):  # The name of the build covers the code too, and so do those of its tasks.
        monkeypatch.setattr(module, "step_stamp", stamp)
    with pytest.raises(Stop):
        run(load_recipe(package / "edited.yaml"), package / "out", StopsAtShards())
    edited = _edit(package, name)
    assert _digests(run(edited, package / "out")) != _digests(run(edited, package / "fresh"))
