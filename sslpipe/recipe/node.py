"""A value of a recipe that knows where it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sslpipe.recipe.snippet import Snippet
from sslpipe.recipe.source import Source

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A scalar, a list of nodes, or a mapping of nodes, and its place; a mapping also keeps the places of its keys."""

    value: Scalar | list[Node] | dict[str, Node]
    """What is written there."""
    at: Snippet
    """Where the value begins."""
    keys: dict[str, Snippet] = field(default_factory=dict)
    """Where the keys of a mapping begin; empty for other values."""

    @classmethod
    def of(cls, value: Any, where: str) -> Node:
        """A node tree over plain values that were never text; places read `recipe.build[2]`."""
        at = Snippet(Source(where))
        if isinstance(value, Mapping):
            children = {str(key): cls.of(child, f"{where}.{key}") for key, child in value.items()}
            return cls(children, at, {key: child.at for key, child in children.items()})
        if isinstance(value, Sequence) and not isinstance(value, str):
            return cls([cls.of(child, f"{where}[{place}]") for place, child in enumerate(value)], at)
        return cls(value, at)

    @property
    def mapping(self) -> dict[str, Node] | None:
        """The children by key, or None for what is no mapping."""
        return self.value if isinstance(self.value, dict) else None

    @property
    def items(self) -> list[Node] | None:
        """The children in order, or None for what is no list."""
        return self.value if isinstance(self.value, list) else None

    def plain(self) -> Any:
        """The value without places: dicts, lists, scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def put(self, path: tuple[str | int, ...], new: Node, key: Snippet) -> Node:
        """A copy with `new` at `path`; missing mappings on the way are made, at `key`. An alias elsewhere keeps its value."""
        if not path:
            return new
        head, rest = path[0], path[1:]
        if isinstance(self.value, list) and isinstance(head, int):
            return Node([child.put(rest, new, key) if i == head else child for i, child in enumerate(self.value)], self.at)
        if self.value is not None and not isinstance(self.value, dict):
            raise key.error(f"`{head}` can't be set here: there is {'a list' if self.items is not None else 'a single value'}")
        name, children = str(head), dict(self.value or {})
        child = children.get(name) or Node(None, key)
        children[name] = child.put(rest, new, key)
        keys = {**self.keys, name: key} if not rest or name not in self.keys else self.keys
        return Node(children, self.at, keys)
