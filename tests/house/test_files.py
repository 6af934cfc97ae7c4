"""Where things stand: one public class a file, a twin test for each, no file too long."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from house_support import PACKAGE, ROLE_ROOMS, ROOT, TESTS, is_public, python_files, role_files, shown, tree

from sslpipe.core.rooms import class_stem

LONGEST = 400


def _misnamed(path: Path) -> list[str]:
    """What a role file holds in public besides the one class named after it."""
    defined = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    public = [node.name for node in tree(path).body if isinstance(node, defined) and is_public(node.name)]
    named = [name for name in public if class_stem(name) == class_stem(path.stem)]
    problems = [] if len(named) == 1 else [f"{shown(path)}: no class named after it"]
    return problems + [f"{shown(path)}: {name} should be private" for name in public if name not in named]


def test_one_public_class_a_file() -> None:
    assert [problem for path in role_files() for problem in _misnamed(path)] == []


@pytest.mark.parametrize(
    "text", ["class Other: ...", "class MinHash: ...\nclass More: ...", "class MinHash: ...\ndef more(): ...", ""]
)
def test_other_contents_are_caught(tmp_path: Path, text: str) -> None:
    (tmp_path / "min_hash.py").write_text(text)
    assert _misnamed(tmp_path / "min_hash.py")


def _twinless(roles: list[Path], tests: Path) -> list[str]:
    return [shown(path) for path in roles if not (tests / path.parent.name / f"test_{path.name}").is_file()]


def test_every_step_has_a_test_file() -> None:
    assert _twinless(role_files(), TESTS) == []


def test_a_step_without_one_is_caught(tmp_path: Path) -> None:
    assert _twinless([PACKAGE / "filters/gopher_quality.py"], tmp_path) == ["sslpipe/filters/gopher_quality.py"]


def _too_long(paths: list[Path]) -> list[str]:
    return [shown(path) for path in paths if len(path.read_text("utf-8").splitlines()) > LONGEST]


def test_no_file_is_too_long(tmp_path: Path) -> None:
    assert _too_long(python_files(PACKAGE) + python_files(TESTS)) == []
    (tmp_path / "long.py").write_text("x = 1\n" * (LONGEST + 1))
    assert _too_long([tmp_path / "long.py"]) == ["long.py"]


def test_every_room_is_there() -> None:
    assert [room for room in ROLE_ROOMS if not (PACKAGE / room / "__init__.py").is_file()] == []
    assert len(role_files()) >= 9


def test_no_two_test_files_are_one_module() -> None:
    """Under pytest's own way to import, two test files of one name can't live in folders without `__init__`."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["addopts"]
    names = Counter(path.name for path in TESTS.rglob("test_*.py"))
    assert "--import-mode=importlib" in options or [name for name, count in names.items() if count > 1] == []
