"""Stubs say what is there, and are fresh."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from house_support import ROLE_ROOMS, shown

from sslpipe.core.stubs import public_class, stubs, write_stubs


def test_stubs_are_fresh() -> None:
    stale = [shown(path) for path, text in stubs().items() if not path.exists() or path.read_text("utf-8") != text]
    assert stale == [], "run `python -m sslpipe.core.stubs`"


def test_what_stubs_name_is_there() -> None:
    for text in stubs().values():
        for node in ast.parse(text).body:
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module or "")
                assert all(alias.name == alias.asname and hasattr(module, alias.name) for alias in node.names)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for room in ROLE_ROOMS:
        (tmp_path / "pkg" / room).mkdir(parents=True)
        (tmp_path / "pkg" / room / "__init__.py").write_text("")
    (tmp_path / "pkg/__init__.py").write_text(
        '_API = {"open": "api", "Gone": "gone"}\n_ROOMS = ("tasks", "nowhere")\nx = open\n'
    )
    (tmp_path / "pkg/api.py").write_text("")
    (tmp_path / "pkg/filters/c4.py").write_text("import absent\nclass Helper: ...\nclass C4: ...\n")
    (tmp_path / "pkg/filters/bare.py").write_text("")
    (tmp_path / "pkg/filters/_own.py").write_text("class Own: ...\n")
    return tmp_path / "pkg"


def test_what_a_stub_says(package: Path) -> None:
    head = "# Written by `python -m sslpipe.core.stubs`.\n"
    assert stubs(package)[package / "filters/__init__.pyi"] == f"{head}\nfrom pkg.filters.c4 import C4 as C4\n"
    assert stubs(package)[package / "maps/__init__.pyi"] == head
    wanted = f"{head}\nfrom pkg import tasks as tasks\nfrom pkg.api import open as open\n\n__version__: str\n"
    assert stubs(package)[package / "__init__.pyi"] == wanted


def test_only_stale_stubs_are_written(package: Path) -> None:
    assert set(write_stubs(package)) == set(stubs(package))
    assert write_stubs(package) == []
    (package / "maps/lower.py").write_text("class Lower: ...\n")
    assert write_stubs(package) == [package / "maps/__init__.pyi"]
    assert public_class(package / "maps/lower.py") == "Lower"
