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


TO_EDIT = [name for name in shipped_names() if name != "demo"]
"""Those that people start from; the demo's own has numbers for docstrings."""
NO_THRESHOLDS = {"field", "measures"}


def unwritten(steps: list[object]) -> dict[str, dict[str, object]]:
    """For each filter of a recipe the thresholds that it doesn't write out at their default."""
    filters = {name: written for step in steps if isinstance(step, dict) for name, written in step.items()}
    bare = {step: {} for step in steps if isinstance(step, str)}
    found = {}
    for name, written in {**bare, **filters}.items():
        if name.startswith("filters."):
            fields = {key: info.default for key, info in resolve(name).model_fields.items() if key not in NO_THRESHOLDS}
            found[name] = {key: value for key, value in fields.items() if (key, value) not in written.items()}
    return found


@pytest.mark.parametrize("name", TO_EDIT)
def test_every_threshold_of_a_filter_is_written_out_at_its_default(name: str) -> None:
    found = unwritten(read_yaml(shipped_file(name)).plain()["build"])
    assert found and set(map(len, found.values())) == {0}, found


def test_a_threshold_that_is_not_there_is_caught() -> None:
    assert unwritten(["filters.image_quality"])["filters.image_quality"]["min_side"] == 200
    (missing,) = unwritten([{"filters.audio_levels": {"min_s": 1}}]).values()
    assert missing["min_s"] == 2 and "max_s" in missing


@pytest.mark.parametrize("name", TO_EDIT)
def test_every_limit_is_written_out_at_its_default(name: str, tmp_path: Path) -> None:
    plain = read_yaml(shipped_file(name)).plain()
    recipe = load_recipe(name, input=tmp_path)
    default = Recipe(name="x", sources=recipe.sources)
    assert recipe.limits == default.limits
    assert set(plain["limits"]) == set(default.limits.model_dump())
    assert recipe.shards.max_bytes == default.shards.max_bytes
