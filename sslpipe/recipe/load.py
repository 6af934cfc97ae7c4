"""A recipe from a file, or one of those that are shipped, with what the command line changes in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sslpipe.core.errors import RecipeError
from sslpipe.core.words import did_you_mean
from sslpipe.recipe.located import Located
from sslpipe.recipe.node import Node
from sslpipe.recipe.overrides import override
from sslpipe.recipe.reading import nodes_of, read_recipe, step_name
from sslpipe.recipe.recipe import Recipe
from sslpipe.recipe.yaml import read_yaml

Input = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def load_recipe(
    path_or_name: str | os.PathLike[str],
    *,
    input: Input | None = None,
    overrides: Sequence[str] = (),
    trust: bool = True,
) -> Recipe:
    """The recipe in a file, or the shipped one of that name; raises RecipeError, which shows the place.

    `input` replaces the paths of the only source; `overrides` are `PATH=VALUE`, see `load_located`. Foreign steps run their
    package's code, so pass `trust=False` for a recipe that came with somebody's data.
    """
    return load_located(path_or_name, input=input, overrides=overrides, trust=trust).recipe


def load_located(
    path_or_name: str | os.PathLike[str],
    *,
    input: Input | None = None,
    overrides: Sequence[str] = (),
    trust: bool = True,
) -> Located:
    """As `load_recipe`, with the places of everything for errors that come later.

    Paths in a file start from its own folder, those of the command line from the current one; `~` and `${VAR}` are filled in.
    An override names a field (`seed`, `shards.max_bytes`, `sources.docs.paths`) or a step of the recipe and its field
    (`filters.gopher_quality.min_words`); its value is YAML.
    """
    root = read_yaml(recipe_file(path_or_name))
    for text in overrides:
        root = override(root, text)
    if input is not None:
        root = _with_input(root, [input] if isinstance(input, str | os.PathLike) else list(input))
    return read_recipe(root, trust=trust)


def shipped_folder() -> Path:
    """Where the shipped recipes lie: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "_pipelines"
    return installed if installed.is_dir() else package.parent / "pipelines"


def shipped_names() -> list[str]:
    """The names of the shipped recipes, sorted."""
    return sorted(file.stem for file in shipped_folder().glob("*.yaml"))


def recipe_file(path_or_name: str | os.PathLike[str]) -> Path:
    """The file of a recipe; a name without suffix or slash is that of a shipped one."""
    if not isinstance(path_or_name, str) or "/" in path_or_name or "." in path_or_name or path_or_name.startswith("~"):
        return Path(path_or_name).expanduser() if str(path_or_name).startswith("~/") else Path(path_or_name)
    return shipped_file(path_or_name)


def shipped_file(name: str) -> Path:
    """The file of the shipped recipe of this name; raises RecipeError for an unknown one."""
    names = shipped_names()
    if name in names:
        return shipped_folder() / f"{name}.yaml"
    if name and Path(name).is_file():
        hint = f"did you mean the file ./{name}?"
    else:
        hint = did_you_mean(name, names) or "a recipe of your own is given by its path, such as ./my.yaml"
    raise RecipeError(f"no shipped recipe is named `{name}`; there are {', '.join(names)}; {hint}")


def _with_input(root: Node, paths: list[str | os.PathLike[str]]) -> Node:
    nodes = nodes_of([os.fspath(path) for path in paths], "-i")
    if not nodes:
        raise RecipeError("-i: got no path, wanted at least one")
    top = root.mapping or {}
    many = top["sources"].mapping or {} if "sources" in top else {}
    if len(many) > 1:
        names = ", ".join(many)
        raise nodes[0].at.error(f"the recipe has {len(many)} sources ({names}), wanted one; use --set sources.NAME.paths=...")
    node = top.get("source") or next(iter(many.values()), None)
    if node is None or not step_name(node):
        return root  # No source, or none that is a step: reading says so, at its place.
    where = ("source",) if "source" in top else ("sources", next(iter(many)))
    name = step_name(node)
    fields = (node.mapping or {}).get(name) or Node(None, node.at)
    key = node.keys.get(name, node.at)
    new = Node(nodes, nodes[0].at)
    if fields.value is not None and fields.mapping is None:
        return root
    reader = Node({**(fields.mapping or {}), "paths": new}, fields.at, {**fields.keys, "paths": nodes[0].at})
    outer = root.keys["source"] if "source" in top else top["sources"].keys[str(where[-1])]
    return root.put(where, Node({name: reader}, node.at, {name: key}), outer)
