"""A recipe with the places it was written at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sslpipe.core.errors import RecipeError
from sslpipe.recipe.node import Node
from sslpipe.recipe.recipe import Recipe
from sslpipe.recipe.snippet import Snippet

Path = tuple[str | int, ...]
"""`("build", 3, "tokenizer")`, `("sources", "docs", "paths", 0)`, `("shards", "max_bytes")`."""

HALVES: Final = ("build", "stream")


@dataclass(frozen=True, slots=True)
class Located:
    """Turns a path into a recipe into the error that shows the place.

    A path leaves out the names of steps, which a file has between a step's position and its fields. What isn't written in the
    file (a default) is shown at the nearest thing that is.
    """

    recipe: Recipe
    """The recipe that was read."""
    root: Node
    """All of its file, with places."""

    @classmethod
    def of(cls, recipe: Recipe) -> Located:
        """The places of a recipe that was made in Python: they read `recipe.build[3]`."""
        return cls(recipe, Node.of(recipe.to_json(), "recipe"))

    def error(self, path: Path, message: str, hint: str = "", *, at_key: bool = False) -> RecipeError:
        """The error about what stands at `path`: its value, or with `at_key` its key."""
        return place(self.root, path, at_key=at_key).error(message, hint)

    def locate(self, path: Path, error: RecipeError) -> RecipeError:
        """The same error with its place in front."""
        return self.error(path, str(error))


def place(root: Node, path: Path, *, at_key: bool = False) -> Snippet:
    """Where a path is written, or the nearest place on the way to it."""
    node, key = root, root.at
    for depth, part in enumerate(_written_path(root, path)):
        if node.mapping is not None and isinstance(part, str) and part in node.mapping:
            node, key = node.mapping[part], node.keys[part]
        elif node.items is not None and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            key = node.at
        elif isinstance(part, _AnyKey):
            # The name of a step: with nothing behind it in the path, the step itself is meant, and shown by its name.
            if not node.mapping:
                return node.at
            name = next(iter(node.mapping))
            node, key = node.mapping[name], node.keys[name]
        elif isinstance(part, int) and node.mapping is None and node.items is None:
            return node.at  # `paths: data` is short for a list of one.
        else:
            return key if depth else node.at
    return key if at_key or not path or _is_step(path) else node.at


class _AnyKey(str):
    """Stands for the one key of a step, whatever its name."""

    __slots__ = ()


def _is_step(path: Path) -> bool:
    return len(path) == 2 and path[0] in (*HALVES, "sources")


def _written_path(root: Node, path: Path) -> Path:
    if len(path) >= 2 and path[0] in (*HALVES, "sources"):
        short = path[0] == "sources" and root.mapping is not None and "sources" not in root.mapping
        head: Path = ("source",) if short else path[:2]
        return (*head, _AnyKey(), *path[2:])
    return path
