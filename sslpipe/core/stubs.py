"""Writes `__init__.pyi` files, so that editors and type checkers know the names that rooms load lazily.

    python -m sslpipe.core.stubs

A stub is made from the files' text: nothing is imported, so a file that can't be doesn't stop it.
"""

from __future__ import annotations

import ast
from pathlib import Path

from sslpipe.core.rooms import class_stem, stems

PACKAGE = Path(__file__).parent.parent
ROLES = ("readers", "measures", "filters", "maps", "cuts", "dedups", "fits", "packs", "tasks")
"""The rooms whose files are steps."""

_HEAD = "# Written by `python -m sslpipe.core.stubs`.\n"


def stubs(package: Path = PACKAGE) -> dict[Path, str]:
    """What each stub should say, by its path."""
    found = {package / room / "__init__.pyi": _room_stub(package, room) for room in ROLES}
    return {package / "__init__.pyi": _package_stub(package), **found}


def write_stubs(package: Path = PACKAGE) -> list[Path]:
    """Write the stubs that differ from what is there, and return their paths."""
    stale = {path: text for path, text in stubs(package).items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        path.write_text(text, "utf-8")
    return list(stale)


def public_class(file: Path) -> str | None:
    """The name of the class that a file is named after, None where it has none."""
    classes = [node.name for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.ClassDef)]
    return next((name for name in classes if class_stem(name) == class_stem(file.stem)), None)


def _room_stub(package: Path, room: str) -> str:
    named = {stem: public_class(package / room / f"{stem}.py") for stem in stems([str(package / room)])}
    lines = [f"from {package.name}.{room}.{stem} import {name} as {name}\n" for stem, name in named.items() if name]
    return _HEAD + "".join(["\n", *lines] if lines else [])


def _package_stub(package: Path) -> str:
    """The names of the package's `_API` and `_ROOMS` whose files are there."""
    values = _assigned(package / "__init__.py")
    rooms = [room for room in values["_ROOMS"] if _exists(package / room)]
    api = [(module, name) for name, module in values["_API"].items() if _exists(package / module.replace(".", "/"))]
    lines = [f"from {package.name} import {room} as {room}\n" for room in sorted(rooms)]
    lines += [f"from {package.name}.{module} import {name} as {name}\n" for module, name in sorted(api)]
    return _HEAD + "\n" + "".join(lines) + "\n__version__: str\n"


def _assigned(file: Path) -> dict[str, dict[str, str]]:
    """The literals that a module assigns to single names."""
    found = {}
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue  # Not a literal, so not one of the tables asked for.
    return found


def _exists(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


if __name__ == "__main__":
    write_stubs()
