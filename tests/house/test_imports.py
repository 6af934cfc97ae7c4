"""What imports what, and what an import costs."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from house_support import PACKAGE, ROLE_ROOMS, ROOT, python_files, shown, top_imports, tree

import sslpipe
from sslpipe.core import rooms

HEAVY = (
    "torch",
    "ray",
    "numba",
    "pyarrow",
    "PIL",
    "cv2",
    "soundfile",
    "soxr",
    "sklearn",
    "tokenizers",
    "resiliparse",
    "transformers",
    "datasets",
)
ALLOWED = {"numba": ("kernels/",), "pyarrow": ("core/arrow.py", "shards/"), "torch": ("stream/",), "ray": ("engines/ray.py",)}
"""Where a package may be imported at the top of a file; `torch` and `ray` only below modules that are loaded when used."""


def _too_early(path: Path, package: Path) -> list[str]:
    place = path.relative_to(package).as_posix()
    heavy = sorted(top_imports(tree(path)) & set(HEAVY))
    return [f"{place}: {name}" for name in heavy if not place.startswith(ALLOWED.get(name, ("nowhere",)))]


def test_heavy_packages_are_imported_when_needed() -> None:
    assert [found for path in python_files(PACKAGE) for found in _too_early(path, PACKAGE)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import torch", ["a.py: torch"]),
        ("from pyarrow.parquet import read_table", ["a.py: pyarrow"]),
        ("try:\n    import cv2\nexcept ImportError:\n    pass", ["a.py: cv2"]),
        ("class A:\n    import numba", ["a.py: numba"]),
        ("def f():\n    import torch", []),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", []),
    ],
)
def test_early_imports_are_caught(tmp_path: Path, text: str, found: list[str]) -> None:
    (tmp_path / "a.py").write_text(text)
    assert _too_early(tmp_path / "a.py", tmp_path) == found


def _loaded(code: str) -> list[str]:
    """Which of the heavy packages a fresh process has loaded after this code."""
    check = f"{code}\nimport json, sys\nprint(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import sslpipe",
        "import sslpipe; dir(sslpipe)",
        "from sslpipe import tasks, packs, filters, maps, dedups, fits, readers, measures, cuts",
        "from sslpipe import tasks, packs, filters\ntasks.MaskedTokens(); packs.Concatenate; filters.GopherQuality()",
        "import sslpipe; sslpipe.load_recipe; sslpipe.Recipe",
        "import sslpipe.core.rows, sslpipe.core.names, sslpipe.core.draw, sslpipe.core.hashes, sslpipe.core.steps",
    ],
)
def test_importing_is_cheap(code: str) -> None:
    assert _loaded(code) == []


def test_naming_every_step_is_cheap() -> None:
    listed = "\n".join(f"from sslpipe.{room} import {stem}" for room in ROLE_ROOMS for stem in _stems(room))
    assert _loaded(listed) == []


def test_dear_imports_are_caught() -> None:
    assert _loaded("import sslpipe\nimport numba") == ["numba"]
    assert _loaded("from sslpipe.kernels import philox") == ["numba"]


def _stems(room: str) -> list[str]:
    return rooms.stems([str(PACKAGE / room)])


def test_every_name_of_the_package_is_there() -> None:
    assert [name for name in sslpipe.__all__ if not hasattr(sslpipe, name)] == []
    assert set(dir(sslpipe)) == {*sslpipe.__all__, "__version__"}
    with pytest.raises(AttributeError, match=r"^module 'sslpipe' has no attribute 'bulid'; it has open, build, "):
        _ = sslpipe.bulid


def test_every_step_is_found_by_its_room() -> None:
    for room in ROLE_ROOMS:
        package = importlib.import_module(f"sslpipe.{room}")
        for stem in _stems(room):
            step = rooms.class_of(f"sslpipe.{room}", stem)
            assert getattr(package, step.__name__) is step
            assert step.path() == f"{room}.{stem}"  # type: ignore[attr-defined]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_rooms_import_only_rooms_above_them() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_that_goes_down_is_caught(tmp_path: Path) -> None:
    for room, text in (("kernels", "import wrong.stream\n"), ("stream", "")):
        (tmp_path / "wrong" / room).mkdir(parents=True)
        (tmp_path / "wrong" / room / "__init__.py").write_text(text)
    (tmp_path / "wrong/__init__.py").write_text("")
    layers = 'name = "x"\ntype = "layers"\nlayers = ["wrong.stream", "wrong.kernels"]\n'
    text = f'[tool.importlinter]\nroot_package = "wrong"\n[[tool.importlinter.contracts]]\n{layers}'
    (tmp_path / "pyproject.toml").write_text(text)
    done = _lint(tmp_path)
    assert done.returncode == 1 and "wrong.kernels is not allowed to import wrong.stream" in done.stdout


def test_every_room_has_a_place_in_the_contract() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    found = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert [room for room in sorted(found) if f"sslpipe.{room}" not in text] == []


def test_kernels_import_no_other_room() -> None:
    for path in python_files(PACKAGE / "kernels"):
        modules = {node.module or "" for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)}
        assert [m for m in modules if m.startswith("sslpipe") and not m.startswith("sslpipe.kernels")] == [], shown(path)


def test_no_public_name_is_hidden_by_a_module() -> None:
    """Importing `sslpipe.x` puts the module over a lazy name `x`; what is public must not share a name with one."""
    import pkgutil

    import sslpipe

    modules = {module.name for module in pkgutil.iter_modules(sslpipe.__path__)}
    assert not modules & set(sslpipe._API)
