"""A role's folder is its registry: `filters.gopher_quality` is the class in `filters/gopher_quality.py`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any


def class_stem(name: str) -> str:
    """The name that a file and its class share: `GopherQuality` and `gopher_quality` are both `gopherquality`."""
    return name.replace("_", "").lower()


def stems(path: list[str]) -> list[str]:
    """The public modules of a room, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_"))


def class_of(package: str, stem: str) -> type:
    """The one public class of a room's module; raises AttributeError where the file breaks the rule."""
    module = importlib.import_module(f"{package}.{stem}")
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__ and class_stem(value.__name__) == class_stem(stem):
            return value
    raise AttributeError(f"{package}/{stem}.py has no class named after it")


def lazy_room(package: str, path: list[str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for a room's `__init__`: classes are imported when first asked for."""

    def __getattr__(name: str) -> Any:  # noqa: N807 (it becomes the module's)
        for stem in stems(path):
            if class_stem(stem) == class_stem(name) and name != stem:
                return class_of(package, stem)
        raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(stems(path))}")

    def __dir__() -> list[str]:  # noqa: N807
        return stems(path)

    return __getattr__, __dir__
