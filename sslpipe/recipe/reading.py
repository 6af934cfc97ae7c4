"""From nodes to a recipe: every problem is found, the first one by position is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError, create_model

from sslpipe.core.complaints import complaints
from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import Reader, Step
from sslpipe.core.words import did_you_mean, show
from sslpipe.recipe.located import HALVES, Located, Path, place
from sslpipe.recipe.node import Node
from sslpipe.recipe.order import misplaced
from sslpipe.recipe.paths import expanded, path_fields
from sslpipe.recipe.recipe import Limits, Recipe, Shards, source_problem
from sslpipe.recipe.registry import UnknownStep, resolve, role_of
from sslpipe.recipe.snippet import Snippet
from sslpipe.recipe.source import Source

_Model = TypeVar("_Model", bound=BaseModel)

KEYS: Final = ("name", "seed", "source", "sources", "build", "stream", "shards", "limits")
"""What may stand at the top of a recipe."""

_FACTS: Final = {
    name: create_model(f"_{name.title()}", **{name: (info.annotation, info)})  # type: ignore[call-overload]
    for name, info in Recipe.model_fields.items()
    if name in ("name", "seed")
}


def read_recipe(root: Node, *, trust: bool) -> Located:
    """The recipe that the nodes spell; raises the RecipeError that comes first in the file."""
    return _Reading(root, trust).recipe()


def step_name(node: Node) -> str:
    """The name in `maps.tokenize` or in `{maps.tokenize: ...}`; empty for what is no step."""
    if isinstance(node.value, str):
        return node.value
    return next(iter(node.mapping)) if node.mapping and len(node.mapping) == 1 else ""


class _Reading:
    def __init__(self, root: Node, trust: bool) -> None:
        self.root, self.trust = root, trust
        self.problems: list[tuple[Snippet, RecipeError]] = []

    def recipe(self) -> Located:
        if self.root.mapping is None:
            raise self.root.at.error(f"got {show(self.root.plain())}, expected a mapping")
        for key, at in self.root.keys.items():
            if key not in KEYS:
                self.add(at, f"got `{key}`, wanted one of {', '.join(KEYS)}", did_you_mean(key, KEYS))
        facts = {name: self.fact(name) for name in _FACTS if name in self.root.mapping or name == "name"}
        sources = self.sources()
        halves = {half: self.steps(half) for half in HALVES}
        for path, message in misplaced(*(self.names(half) for half in HALVES)):
            self.add(place(self.root, path), message)
        shards, limits = self.part("shards", Shards), self.part("limits", Limits)
        if self.problems:
            raise self.first()
        made: dict[str, Any] = {**facts, **halves, "sources": sources, "shards": shards, "limits": limits}
        return Located(Recipe(**made), self.root)

    def first(self) -> RecipeError:
        """The file's own problems come before those of the command line, each by line and column."""

        def key(problem: tuple[Snippet, RecipeError]) -> tuple[bool, int, int]:
            at = problem[0]
            return at.source is not self.root.at.source, at.line, at.column

        return min(self.problems, key=key)[1]

    def add(self, at: Snippet, message: str, hint: str = "") -> None:
        self.problems.append((at, at.error(message, hint)))

    def child(self, key: str) -> Node | None:
        return (self.root.mapping or {}).get(key)

    def fact(self, name: str) -> Any:
        node = self.child(name)
        if node is None:
            self.add(self.root.at, f"`{name}` is missing; it says what the dataset is called")
            return None
        made = self.model(_FACTS[name], {name: node.plain()}, (), "the recipe")
        return getattr(made, name, None)

    def part(self, key: str, model: type[_Model]) -> _Model | None:
        node = self.child(key)
        if node is None or node.value is None:
            return model()
        if node.mapping is None:
            self.add(node.at, f"got {show(node.plain())} for `{key}`, expected a mapping")
            return None
        return self.model(model, node.plain(), (key,), key)

    def sources(self) -> dict[str, Reader | None]:
        short, long = self.child("source"), self.child("sources")
        if short is not None and long is not None:
            both = [self.root.keys["source"], self.root.keys["sources"]]
            self.add(max(both, key=lambda at: (at.line, at.column)), "got both `source` and `sources`, wanted one of them")
            return {}
        if short is not None:
            return {"main": self.reader(short, ("sources", "main"))}
        if long is None:
            self.add(self.root.at, "`source` is missing; write `source: {readers.text: {paths: FOLDER}}`")
            return {}
        if long.mapping is None or source_problem(list(long.mapping)):
            nodes = long.mapping or {}
            problem = source_problem(list(nodes)) if long.mapping is not None else ""
            wrong = next((name for name in nodes if source_problem([name])), None)
            self.add(
                long.keys[wrong] if wrong is not None else long.at,
                problem or f"got {show(long.plain())}, expected a mapping of readers by name",
            )
            return {}
        return {name: self.reader(node, ("sources", name)) for name, node in long.mapping.items()}

    def reader(self, node: Node, path: Path) -> Reader | None:
        name = step_name(node)
        if name and role_of(name) not in ("readers", ""):
            self.add(place(self.root, path), f"got `{name}` as a source, wanted one of the readers")
            return None
        made = self.step(node, path)
        return made if isinstance(made, Reader) else None

    def names(self, half: str) -> list[str]:
        node = self.child(half)
        return [step_name(step) for step in node.items or []] if node is not None else []

    def steps(self, half: str) -> tuple[Step | None, ...]:
        node = self.child(half)
        if node is None or node.value is None:
            return ()
        if node.items is None:
            self.add(node.at, f"got {show(node.plain())} for `{half}`, wanted a list: lines that begin with `- `")
            return ()
        return tuple(self.step(step, (half, position)) for position, step in enumerate(node.items))

    def step(self, node: Node, path: Path) -> Step | None:
        name = step_name(node)
        if not name:
            got = f"{len(node.mapping)} keys" if node.mapping else show(node.plain())
            hint = "indent its fields further than its name" if node.mapping else ""
            self.add(node.at, f"got {got}, wanted one step: `maps.tokenize`, or `maps.tokenize: {{field: value}}`", hint)
            return None
        try:
            cls = resolve(name, trust=self.trust)
        except UnknownStep as error:
            self.add(place(self.root, path), error.message, error.hint)
            return None
        fields = (node.mapping or {}).get(name)
        if fields is None or fields.value is None:
            return self.model(cls, {}, path, name)
        if fields.mapping is None:
            self.add(fields.at, f"got {show(fields.plain())} for `{name}`, expected a mapping of its fields")
            return None
        made = self.model(cls, self.data(cls, fields.mapping), path, name)
        return self.with_files(made, fields.mapping) if made is not None else None

    def with_files(self, step: Step, fields: dict[str, Node]) -> Step:
        """The step with the paths of the files that it names made absolute."""
        changed: dict[str, str] = {}
        for key, node in fields.items():
            if isinstance(node.value, str) and getattr(step, key) == node.value and node.value in step.files():
                try:
                    changed[key] = expanded(node)
                except RecipeError as error:
                    self.problems.append((node.at, error))
        return step.model_copy(update=changed) if changed else step

    def data(self, cls: type[Step], fields: dict[str, Node]) -> dict[str, Any]:
        paths = path_fields(cls)
        data = {key: node.plain() for key, node in fields.items()}
        for key in paths & set(fields):
            try:
                data[key] = expanded(fields[key])
            except RecipeError as error:
                self.problems.append((fields[key].at, error))
            if issubclass(cls, Reader) and key == "paths" and isinstance(data[key], str):
                data[key] = [data[key]]
        return data

    def model(self, cls: type[_Model], data: dict[str, Any], path: Path, name: str) -> _Model | None:
        """A model out of JSON, strictly: `no` is never taken for false, nor "50" for a number."""
        try:
            return cls.model_validate_json(json.dumps(data), strict=True)
        except ValidationError as error:
            for found in complaints(cls, error, data, name):
                at = place(self.root, (*path, *found.path), at_key=found.at_key)
                self.add(at, found.message, found.hint)
        except RecipeError as error:
            self.add(place(self.root, path), str(error))
        return None


def command_line(option: str, text: str) -> Source:
    """The source of an argument: its paths start from the current folder."""
    from pathlib import Path as FilePath

    return Source.of_text(option, text, FilePath.cwd())


def nodes_of(texts: Iterable[str], option: str) -> list[Node]:
    """Arguments as text nodes, each a source of its own."""
    return [Node(text, Snippet(command_line(option, text))) for text in texts]
