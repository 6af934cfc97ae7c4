"""The package and its tests as text and trees."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from sslpipe.core.stubs import ROLES

ROOT = Path(__file__).parents[2]
PACKAGE, TESTS = ROOT / "sslpipe", ROOT / "tests"
ROLE_ROOMS = ROLES


def python_files(folder: Path) -> list[Path]:
    """All Python files of a folder, sorted."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def role_files() -> list[Path]:
    """The files that hold one step each."""
    return [path for room in ROLE_ROOMS for path in sorted((PACKAGE / room).glob("*.py")) if not path.name.startswith("_")]


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax."""
    return ast.parse(path.read_text("utf-8"), str(path))


def shown(path: Path) -> str:
    """A path as it stands in a message."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def is_public(name: str) -> bool:
    """Whether a name is for others."""
    return not name.startswith("_")


def top_imports(module: ast.Module) -> set[str]:
    """The packages that importing a module imports at once: not those in functions, nor under TYPE_CHECKING."""
    found: set[str] = set()
    todo: list[ast.AST] = list(module.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return found


def calls(module: ast.Module) -> set[str]:
    """The dotted names that a module mentions where something is called or read."""
    attributes = {ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    return attributes | {
        node.func.id for node in ast.walk(module) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
