"""A path into a recipe leads to the line that it was written in."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_support import written
from toy.maps.same import Same
from toy.readers.lines import Lines

from sslpipe.core.errors import RecipeError
from sslpipe.recipe.load import load_located
from sslpipe.recipe.located import Located
from sslpipe.recipe.recipe import Recipe

TEXT = """name: x
source:
  toy.readers.lines:
    paths: [a, b]
build:
  - toy.maps.same
  - toy.filters.long:
      scores: [1, 2]
shards: {count: 3}
"""


@pytest.mark.parametrize(
    ("path", "at_key", "place"),
    [
        (("build", 0), False, "6:5"),
        (("build", 0, "field"), False, "6:5"),
        (("build", 1), False, "7:5"),
        (("build", 1, "scores"), False, "8:15"),
        (("build", 1, "scores"), True, "8:7"),
        (("build", 1, "scores", 1), False, "8:19"),
        (("build", 1, "min_words"), False, "7:5"),
        (("build", 9), False, "5:1"),
        (("sources", "main"), False, "3:3"),
        (("sources", "main", "paths"), False, "4:12"),
        (("sources", "main", "paths", 1), False, "4:16"),
        (("shards", "count"), False, "9:17"),
        (("shards", "max_bytes"), False, "9:1"),
        (("limits",), False, "1:1"),
        ((), False, "1:1"),
    ],
)
def test_every_path_has_its_place(tmp_path: Path, path: tuple[str | int, ...], at_key: bool, place: str) -> None:
    located = load_located(written(tmp_path, TEXT, head=""))
    error = located.error(path, "wrong", at_key=at_key)
    assert str(error).startswith(f"{tmp_path}/r.yaml:{place}: wrong\n")


def test_an_error_without_a_place_gets_one(tmp_path: Path) -> None:
    located = load_located(written(tmp_path, TEXT, head=""))
    error = located.locate(("build", 0), RecipeError("no field of text"))
    assert str(error) == f"{tmp_path}/r.yaml:6:5: no field of text\n      - toy.maps.same\n        ^"


def test_a_recipe_made_in_python_has_its_places_too() -> None:
    located = Located.of(Recipe(name="x", sources={"main": Lines(paths=("a",))}, build=(Same(),)))
    assert str(located.error(("build", 0), "wrong", "do it")) == "recipe.build[0].toy.maps.same: wrong; do it"
    assert (
        str(located.error(("sources", "main", "paths", 0), "wrong")) == "recipe.sources.main.toy.readers.lines.paths[0]: wrong"
    )
