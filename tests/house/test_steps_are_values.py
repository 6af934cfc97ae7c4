"""Every shipped step is a frozen value, fields of steps and of nouns are explained, and every shipped recipe plans."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import textwrap
from pathlib import Path

import pytest
from house_support import PACKAGE, ROLE_ROOMS, ROOT, is_public, python_files, role_files
from pydantic import BaseModel

from sslpipe.core.rooms import class_of
from sslpipe.core.steps import Cut, Dedup, Filter, Fit, Map, Measure, Pack, Reader, Step, Task
from sslpipe.recipe.load import load_recipe, shipped_names
from sslpipe.recipe.plan import Plan

SHAPES = dict(zip(ROLE_ROOMS, (Reader, Measure, Filter, Map, Cut, Dedup, Fit, Pack, Task), strict=True))
STEPS = [(path.parent.name, path.stem) for path in role_files()]


NOUNS = [*python_files(PACKAGE / "core"), *python_files(PACKAGE / "recipe"), PACKAGE / "shards" / "manifest.py"]


def _unexplained(step: type) -> list[str]:
    """Public fields of a class without a text below them."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(step))).body
    assert isinstance(definition, ast.ClassDef)
    found = []
    for node, after in zip(definition.body, [*definition.body[1:], None], strict=True):
        if (
            not isinstance(node, ast.AnnAssign)
            or not isinstance(node.target, ast.Name)
            or "ClassVar" in ast.unparse(node.annotation)
        ):
            continue
        text = after.value if isinstance(after, ast.Expr) else None
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)) and not node.target.id.startswith("_"):
            found.append(node.target.id)
    return found


def _nouns(path: Path) -> list[type]:
    """The public models and dataclasses that a file defines."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    defined = [value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__]
    wanted = [noun for noun in defined if issubclass(noun, BaseModel) or dataclasses.is_dataclass(noun)]
    return [noun for noun in wanted if is_public(noun.__name__)]


def _loose(step: type[BaseModel]) -> list[str]:
    config = step.model_config
    return [key for key, wanted in (("frozen", True), ("extra", "forbid")) if config.get(key) != wanted]


def test_the_nouns_are_explained() -> None:
    nouns = [noun for path in NOUNS for noun in _nouns(path)]
    assert {"Rows", "Context", "Recipe", "Manifest"} <= {noun.__name__ for noun in nouns}
    bare = [f"{noun.__name__}: {', '.join(fields)}" for noun in nouns if (fields := _unexplained(noun))]
    assert bare == [], "fields without a text below them"


@pytest.mark.parametrize(("room", "stem"), STEPS)
def test_a_step_is_a_value(room: str, stem: str) -> None:
    step = class_of(f"sslpipe.{room}", stem)
    assert issubclass(step, Step) and issubclass(step, SHAPES[room])
    assert _loose(step) == []
    assert _unexplained(step) == [], "fields without a text below them"
    assert isinstance(step.version, int) and step.version >= 1
    assert not inspect.isabstract(step)


@pytest.mark.parametrize(("room", "stem"), STEPS)
def test_a_step_with_defaults_compares_and_survives_json(room: str, stem: str) -> None:
    step = class_of(f"sslpipe.{room}", stem)
    assert issubclass(step, Step)
    needed = [name for name, field in step.model_fields.items() if field.is_required()]
    made = {"length": 8} if needed == ["length"] else {}
    assert needed == list(made), "a step can be written with its name alone, a pack with its length"
    first = step(**made)
    assert first == step(**made)
    assert room != "measures" or hash(first) == hash(step(**made)), "equal measures are computed once, by a dict of them"
    assert step.model_validate_json(first.model_dump_json()) == first
    assert first.requires() is None or isinstance(first.requires(), str)


class _Loose(BaseModel):
    explained: int = 0
    """Why."""
    bare: int = 0


@dataclasses.dataclass
class Bare:
    """A public noun with a field that nothing explains."""

    bare: int = 0


def test_loose_and_unexplained_classes_are_caught() -> None:
    assert _loose(_Loose) == ["frozen", "extra"]
    assert _unexplained(_Loose) == ["bare"]
    assert _unexplained(Bare) == ["bare"]


def test_there_are_recipes() -> None:
    assert shipped_names() == sorted(path.stem for path in (ROOT / "pipelines").glob("*.yaml")) != []


@pytest.mark.parametrize("name", [path.stem for path in sorted((ROOT / "pipelines").glob("*.yaml"))])
def test_shipped_recipes_plan(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name, input=tmp_path)
    plan = Plan.of(recipe)
    assert plan.segments and plan.stream_fields
