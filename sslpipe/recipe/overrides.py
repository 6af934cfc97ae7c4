"""`--set filters.gopher_quality.min_words=30`: one value of a recipe replaced from the command line."""

from __future__ import annotations

from sslpipe.core.words import did_you_mean
from sslpipe.recipe.located import HALVES, Path
from sslpipe.recipe.node import Node
from sslpipe.recipe.reading import KEYS, command_line, step_name
from sslpipe.recipe.registry import ROLES
from sslpipe.recipe.snippet import Snippet
from sslpipe.recipe.yaml import parse_yaml

OPTION = "--set"


def override(root: Node, text: str) -> Node:
    """A copy of the recipe's nodes with one value replaced; raises RecipeError for a path that leads nowhere."""
    source = command_line(OPTION, text)
    at = Snippet(source)
    dotted, equals, value = text.partition("=")
    dotted = dotted.strip()
    if not equals or not dotted or not value.strip():
        raise at.error("wanted PATH=VALUE, such as filters.gopher_quality.min_words=30")
    node = parse_yaml(source, value, offset=len(text) - len(value))
    path = _written(root, dotted, at)
    for depth in range(1, len(path)):
        root = _opened(root, path[:depth], at)
    return root.put(path, node, at)


def _written(root: Node, dotted: str, at: Snippet) -> Path:
    """Where a dotted path is written in the file, names of steps included."""
    top = root.mapping or {}
    head, _, rest = dotted.partition(".")
    if head in ("source", "sources") and rest:
        return _source_path(top, head, rest, at)
    if head in KEYS and head not in HALVES:
        return tuple(dotted.split("."))
    found = [
        (half, position, name)
        for half in HALVES
        if half in top
        for position, step in enumerate(top[half].items or [])
        if (name := step_name(step)) and dotted.startswith(f"{name}.")
    ]
    if not found:
        raise _nowhere(top, dotted, at)
    longest = max(len(name) for _, _, name in found)
    found = [step for step in found if len(step[2]) == longest]
    if len(found) > 1:
        raise at.error(f"the recipe has {len(found)} steps `{found[0][2]}`, and this doesn't say which; edit the recipe")
    half, position, name = found[0]
    return (half, position, name, *dotted[len(name) + 1 :].split("."))


def _source_path(top: dict[str, Node], head: str, rest: str, at: Snippet) -> Path:
    if "source" in top:
        fields = rest.removeprefix("main.") if head == "sources" else rest
        return ("source", step_name(top["source"]), *fields.split("."))
    sources = top["sources"].mapping or {} if "sources" in top else {}
    if head == "source" and len(sources) == 1:
        rest = f"{next(iter(sources))}.{rest}"
    name, _, fields = rest.partition(".")
    if name not in sources:
        raise at.error(f"the recipe has no source `{name}`; it has {', '.join(sources) or 'none'}", did_you_mean(name, sources))
    if not fields:
        raise at.error(f"this sets a whole source; wanted a field of it, such as sources.{name}.paths=FOLDER")
    return ("sources", name, step_name(sources[name]), *fields.split("."))


def _nowhere(top: dict[str, Node], dotted: str, at: Snippet) -> Exception:
    names = [step_name(step) for half in HALVES if half in top for step in top[half].items or []]
    if dotted in names:
        return at.error(f"this sets a whole step; wanted a field of it, such as {dotted}.FIELD=VALUE")
    step, _, field = dotted.rpartition(".")
    hint = did_you_mean(step, names).replace("`?", f".{field}`?") if step else ""
    head = dotted.partition(".")[0]
    hint = hint or did_you_mean(dotted, KEYS) or did_you_mean(head, KEYS)
    if head in ROLES:
        return at.error(
            f"the recipe has no step for `{dotted}`; its steps are {', '.join(filter(None, names)) or 'none'}", hint
        )
    return at.error(f"the recipe has nothing named `{dotted}`", hint)


def _opened(root: Node, path: Path, at: Snippet) -> Node:
    """The same nodes with a bare `maps.tokenize` on the way written as a mapping, so that a field fits below it."""
    node = root
    for part in path:
        child = node.items[part] if node.items is not None and isinstance(part, int) else (node.mapping or {}).get(str(part))
        if child is None:
            return root
        node = child
    is_step = (path[0] in HALVES and len(path) == 2) or path == ("source",) or (path[0] == "sources" and len(path) == 2)
    if is_step and isinstance(node.value, str):
        opened = Node({node.value: Node(None, node.at)}, node.at, {node.value: node.at})
        return root.put(path, opened, _key_of(root, path) or at)
    return root


def _key_of(root: Node, path: Path) -> Snippet | None:
    if len(path) == 1:
        return root.keys.get(str(path[0]))
    parent = (root.mapping or {}).get(str(path[0]))
    return parent.keys.get(str(path[1])) if parent is not None else None
