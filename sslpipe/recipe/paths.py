"""Paths as a recipe writes them, and what they are on this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel

from sslpipe.recipe.node import Node

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(pipe|file|data|http|https|s3|gs|ftp|ssh|hf|jar|zip):")


def scheme_of(path: str) -> str:
    """`pipe:`, `s3://` or whatever makes a path a URL; empty for a plain path."""
    match = _SCHEME.match(path)
    return match[0] if match else ""


def path_fields(model: type[BaseModel]) -> set[str]:
    """The fields of a step that hold paths: a reader's `paths`, and whatever is typed `Path`."""
    typed = {name for name, info in model.model_fields.items() if _holds_path(info.annotation)}
    return typed | ({"paths"} & set(model.model_fields))


def _holds_path(annotation: Any) -> bool:
    return annotation is Path or any(_holds_path(part) for part in get_args(annotation))


def expanded(node: Node) -> Any:
    """A path or list of paths with `~` and `${VAR}` filled in, made absolute against the folder it was written in.

    Raises RecipeError for a variable that isn't set. What was never text (`Recipe.from_json`) stays as it is.
    """
    if node.items is not None:
        return [expanded(child) for child in node.items]
    folder = node.at.source.folder
    if not isinstance(node.value, str) or folder is None:
        return node.plain()
    path = _VARIABLE.sub(lambda match: _variable(node, match[1]), node.value)
    if scheme_of(path) or not path:
        return path
    return str(folder / Path(path).expanduser()) if path.startswith("~/") or path == "~" else str(folder / path)


def _variable(node: Node, name: str) -> str:
    if name not in os.environ:
        raise node.at.error(f"the environment variable `{name}` isn't set; set it, or write the path out")
    return os.environ[name]
