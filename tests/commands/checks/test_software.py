"""What is installed, and whether it runs."""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
from pathlib import Path

import pytest

from sslpipe.commands.checks import software
from sslpipe.commands.checks.finding import Finding
from sslpipe.core.errors import EnvironmentFault
from sslpipe.kernels import jit, probe


def _installed(monkeypatch: pytest.MonkeyPatch, wanted: list[str] | None, versions: dict[str, str]) -> None:
    def version(name: str) -> str:
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "requires", lambda _: wanted)
    monkeypatch.setattr(importlib.metadata, "version", version)


WANTED = ["numpy>=2.0", "py-arrow>=23.0.1", "typer", 'pytest>=8.3; extra == "dev"']


def test_libraries_that_fit_take_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, WANTED, {"numpy": "2.0.0rc1", "py-arrow": "23.0.1+local", "typer": "0.1"})
    (found,) = software.libraries()
    assert found == Finding("ok", "libraries", "numpy 2.0.0rc1, py-arrow 23.0.1+local, typer 0.1")


def test_each_library_that_does_not_fit_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, WANTED, {"numpy": "1.26.4", "typer": "0.1"})
    assert software.libraries() == [
        Finding("fail", "numpy", "1.26.4, wanted 2.0 at least", "pip install 'numpy>=2.0'"),
        Finding("fail", "py-arrow", "is not installed", "pip install 'py-arrow>=23.0.1'"),
    ]


@pytest.mark.parametrize(
    ("version", "least", "fits"),
    [
        ("2.10", "2.9", True),
        ("2.9", "2.10", False),
        ("2", "2.0", True),
        ("2.0.0", "2", True),
        ("10", "9", True),
        ("x", "1", False),
    ],
)
def test_versions_compare_as_numbers(version: str, least: str, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, [f"a>={least}"], {"a": version})
    assert (software.libraries()[0].level == "ok") is fits


def test_a_package_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError("sslpipe")

    monkeypatch.setattr(importlib.metadata, "requires", gone)
    assert software.libraries()[0].level == "warn"


def test_kernels_that_compile_and_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("SSLPIPE_CACHE", str(tmp_path / "cache"))
    compiled, cache = software.kernels()
    assert compiled.level == "ok" and compiled.found.startswith("one compiled in ")
    assert cache == Finding("ok", "kernel cache", str(tmp_path / "cache" / "kernels"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert software.kernels()[1].level == "warn", "a folder that is emptied"


def test_kernels_that_compute_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_WANTED", (1, 2, 3, 4))
    found = software.kernels()[0]
    assert found.level == "fail" and found.found.startswith("don't run: ArithmeticError: a kernel computed ['0x6627e8d5', ")


def test_slow_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "probe", lambda: 33.3)
    assert software.kernels()[0].found == "one took 33 s to compile"


def test_a_cache_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SSLPIPE_CACHE", str(tmp_path / "file"))
    found = software.kernels()[1]
    assert found.level == "fail" and "SSLPIPE_CACHE" in found.advice

    def refuses() -> Path:
        raise PermissionError("/tmp/sslpipe-0 belongs to somebody else")

    monkeypatch.setattr(jit, "cache_folder", refuses)
    assert software.kernels()[1].found == "can't be written: /tmp/sslpipe-0 belongs to somebody else"


def test_torch_with_and_without_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert software.torch() == Finding(
        "ok", "torch", f"{torch.__version__}, sees no accelerator: batches stay in ordinary memory"
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "H100")
    assert software.torch().found == f"{torch.__version__}, sees 2 x H100"


def test_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert software.torch().level == "fail"


@pytest.mark.usefixtures("ray_session")
def test_ray_that_starts(tmp_path: Path) -> None:
    found = software.ray(tmp_path, None)
    assert (found.level, found.found.split(" in ")[0]) == ("ok", "started") and found.found.endswith(" s, with 2 cores")
    assert list(tmp_path.iterdir()) == []


def test_ray_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sslpipe.engines.ray import Ray

    def refuses(self: Ray, root: str) -> int:
        raise EnvironmentFault("could not start a local Ray: no")

    monkeypatch.setattr(Ray, "check", refuses)
    found = software.ray(tmp_path, None)
    assert found == Finding(
        "fail", "Ray", "could not start a local Ray: no", "`--engine inline` builds without it, on one core"
    )
    assert software.ray(tmp_path / "gone", None).level == "fail"
    assert list(tmp_path.iterdir()) == []
