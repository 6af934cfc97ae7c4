"""What is installed: the wheel holds all that the package needs, and an sdist builds the same one."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from house_support import PACKAGE, ROOT

RECIPES = "sslpipe/_pipelines"


def _build(source: Path, target: Path, kind: str) -> Path:
    """Build a `wheel` or an `sdist` with what is installed here, without asking for anything from outside."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return next(target.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return _build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(_build(ROOT, folder, "sdist")) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    return next((folder / "unpacked").iterdir())


def _names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def _difference(names: Iterable[str]) -> tuple[set[str], set[str]]:
    """What a wheel lacks, and what it has too much."""
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    wanted = {f"sslpipe/{path.relative_to(PACKAGE).as_posix()}" for path in files if not path.name.endswith((".pyc", ".pyo"))}
    wanted |= {f"{RECIPES}/{path.name}" for path in (ROOT / "pipelines").iterdir()}
    found = {name for name in names if not re.match(r"sslpipe-[^/]+\.dist-info/", name)}
    return wanted - found, found - wanted


def test_the_wheel_is_the_package_and_its_recipes(wheel: Path) -> None:
    names = _names(wheel)
    assert _difference(names) == (set(), set())
    assert {"sslpipe/py.typed", "sslpipe/tasks/__init__.pyi", "sslpipe/_demo/speech/00-us.flac", f"{RECIPES}/text.yaml"} < set(
        names
    )


def test_a_wheel_from_the_sdist_is_the_same(wheel: Path, unpacked: Path, tmp_path: Path) -> None:
    assert _build(unpacked, tmp_path, "wheel").read_bytes() == wheel.read_bytes()


def test_a_wheel_without_recipes_is_caught(unpacked: Path, tmp_path: Path) -> None:
    project = unpacked / "pyproject.toml"
    text = project.read_text()
    try:
        project.write_text(text.replace(f'"pipelines" = "{RECIPES}"', ""))
        missing, more = _difference(_names(_build(unpacked, tmp_path, "wheel")))
    finally:
        project.write_text(text)
    assert missing == {f"{RECIPES}/{path.name}" for path in (ROOT / "pipelines").iterdir()} and not more


def test_it_runs_where_it_was_unpacked(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path / "site")!r})
from pathlib import Path
from sslpipe._demo.speech import write_speech
from sslpipe.recipe.load import load_recipe, shipped_folder, shipped_names
print(shipped_folder().relative_to({str(tmp_path)!r}).as_posix(), *(load_recipe(name).name for name in shipped_names()))
assert write_speech(Path("speech"))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    recipes = sorted(path.stem for path in (ROOT / "pipelines").glob("*.yaml"))
    assert (done.stderr, done.stdout.split()) == ("", [f"site/{RECIPES}", *recipes])


def test_the_command_is_declared(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        told = next(name for name in archive.namelist() if name.endswith("/entry_points.txt"))
        assert archive.read(told).decode().split() == ["[console_scripts]", "sslpipe", "=", "sslpipe.cli:main"]
