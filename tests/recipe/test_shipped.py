"""The shipped recipes load, and say what they promise to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslpipe.recipe.load import load_recipe, shipped_file, shipped_names
from sslpipe.recipe.recipe import Recipe
from sslpipe.recipe.registry import resolve
from sslpipe.recipe.yaml import read_yaml


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_recipe_loads_under_its_name(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name, input=tmp_path)
    assert recipe.name == name
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert all(reader.paths == (str(tmp_path),) for reader in recipe.sources.values())


def test_text_writes_out_every_threshold_of_gopher_at_its_default() -> None:
    steps = read_yaml(shipped_file("text")).plain()["build"]
    written = next(step["filters.gopher_quality"] for step in steps if "filters.gopher_quality" in step)
    fields = resolve("filters.gopher_quality").model_fields
    assert {name: info.default for name, info in fields.items() if name not in ("field", "measures")} == written


def test_text_writes_out_every_limit_at_its_default(tmp_path: Path) -> None:
    plain = read_yaml(shipped_file("text")).plain()
    recipe = load_recipe("text", input=tmp_path)
    default = Recipe(name="x", sources=recipe.sources)
    assert recipe.limits == default.limits
    assert set(plain["limits"]) == set(default.limits.model_dump())
    assert recipe.shards.max_bytes == default.shards.max_bytes
