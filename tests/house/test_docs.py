"""What the documents show is true: their code runs, their recipe loads."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from sslpipe.recipe.load import load_recipe
from sslpipe.recipe.plan import Plan
from sslpipe.recipe.registry import resolve

ROOT = Path(__file__).parents[2]


def blocks(file: str, language: str) -> list[str]:
    """The fenced blocks of one language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / file).read_text(), re.M | re.S)


def test_the_step_of_contributing_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "fifteen_minutes" / "filters"
    package.mkdir(parents=True)
    (package / "hashes.py").write_text(blocks("CONTRIBUTING.md", "python")[0])
    monkeypatch.syspath_prepend(str(tmp_path))
    step = resolve("fifteen_minutes.filters.hashes", trust=True)()
    verdicts = step.judge({"hashes": np.array([0, 5, 6]), "characters": np.array([100, 100, 100])})
    assert verdicts.codes.tolist() == [0, 0, 1] and verdicts.reasons == ("hashes.too_many",)
    missed = "7 hashes / 90 characters = 0.0778, max_ratio is 0.05"
    assert step.explain("hashes.too_many", {"hashes": 7, "characters": 90}) == missed
    assert missed in blocks("CONTRIBUTING.md", "python")[0]
    assert [(limit.field, limit.value, limit.drops) for limit in step.limits()] == [("max_ratio", 0.05, "above")]
    for name in [name for name in sys.modules if name.startswith("fifteen_minutes")]:
        del sys.modules[name]


def test_the_recipe_of_the_readme_loads(tmp_path: Path) -> None:
    (tmp_path / "path" / "to" / "your" / "pictures").mkdir(parents=True)
    file = tmp_path / "readme.yaml"
    file.write_text(blocks("README.md", "yaml")[0])
    recipe = load_recipe(file)
    shipped = load_recipe("images", input=tmp_path)
    assert [type(step) for step in recipe.build] == [type(step) for step in shipped.build]
    assert recipe.build == shipped.build and recipe.stream == shipped.stream
    Plan.of(recipe)


def test_the_recipe_of_the_design_plans(tmp_path: Path) -> None:
    file = tmp_path / "design.yaml"
    (text,) = blocks("docs/design.md", "yaml")
    file.write_text(text.replace("~/corpora/text", str(tmp_path)))
    assert Plan.of(load_recipe(file)).segments


def test_the_python_of_the_readme_compiles() -> None:
    for block in blocks("README.md", "python"):
        compile(block, "README.md", "exec")
