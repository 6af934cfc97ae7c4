"""Compiled kernels are never older than their source (trap E1 of docs/algorithms.md)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import sslpipe.kernels.jit as jit
from sslpipe.kernels.jit import cache_folder, kernel, kernel_stamp

HELPER = "from {how} import {name} as compiled\n@compiled\ndef step(x):\n    return x * {factor}\n"
CALLER = "from {how} import {name} as compiled\nfrom tiny.helper import step\n@compiled\ndef run(x):\n    return step(x)\n"
OURS = {"how": "tiny.jit", "name": "kernel"}
NUMBAS = {"how": "tiny.theirs", "name": "cached"}
THEIRS = "import numba\ncached = numba.njit(cache=True)\n"


def _write(folder: Path, flavour: dict[str, str], factor: int) -> None:
    tiny = folder / "tiny"
    tiny.mkdir(exist_ok=True)
    (tiny / "__init__.py").write_text("")
    (tiny / "theirs.py").write_text(THEIRS)
    shutil.copyfile(jit.__file__, tiny / "jit.py")
    (tiny / "helper.py").write_text(HELPER.format(**flavour, factor=factor))
    if not (tiny / "caller.py").exists():
        (tiny / "caller.py").write_text(CALLER.format(**flavour))


def _kernel_of_somebody_else(folder: Path, factor: int) -> int:
    """The result of a kernel that lies outside of our folder, in a fresh process."""
    (folder / "foreign.py").write_text(HELPER.format(how="sslpipe.kernels.jit", name="kernel", factor=factor))
    environment = {**os.environ, "PYTHONPATH": str(folder), "SSLPIPE_CACHE": str(folder / "cache")}
    code = "from foreign import step; print(step(10))"
    command = [sys.executable, "-B", "-c", code]
    return int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def test_an_edit_to_somebody_elses_kernel_counts(tmp_path: Path) -> None:
    """Only a constant changes: numba's index keys by bytecode, which stays the same."""
    assert [_kernel_of_somebody_else(tmp_path, factor) for factor in (2, 3)] == [20, 30]


def test_a_kernel_without_a_file_is_not_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLPIPE_CACHE", str(tmp_path))
    results = []
    for factor in (2, 3):
        space: dict[str, Any] = {"kernel": kernel, "__name__": "notebook"}
        exec(compile(f"@kernel\ndef step(x):\n    return x * {factor}\n", "<cell>", "exec"), space)
        results.append(space["step"](10))
    assert results == [20, 30] and not list(tmp_path.iterdir())


def _run(folder: Path) -> tuple[int, int]:
    """The result of the caller in a fresh process, and how often it came out of a cache."""
    code = "from tiny.caller import run; print(run(10), sum(run.stats.cache_hits.values()))"
    environment = {**os.environ, "PYTHONPATH": str(folder), "SSLPIPE_CACHE": str(folder / "cache")}
    environment |= {"NUMBA_CACHE_DIR": str(folder / "numba"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    result, hits = map(int, done.stdout.split())
    return result, hits


def test_an_edit_to_a_helper_reaches_its_callers(tmp_path: Path) -> None:
    _write(tmp_path, OURS, factor=2)
    assert _run(tmp_path) == (20, 0)
    assert _run(tmp_path) == (20, 1), "the second process should find the compiled code"
    _write(tmp_path, OURS, factor=101)
    assert _run(tmp_path) == (1010, 0)
    assert len(list((tmp_path / "cache" / "kernels").iterdir())) == 2


def test_numbas_own_cache_keeps_the_old_code(tmp_path: Path) -> None:
    """The mutant: were this to fail, numba would have mended its cache, and ours could go."""
    _write(tmp_path, NUMBAS, factor=2)
    assert _run(tmp_path) == (20, 0)
    _write(tmp_path, NUMBAS, factor=101)
    assert _run(tmp_path) == (20, 1)


@kernel
def _twice(x: int) -> int:
    return 2 * x


@kernel
def _over(a: float, b: float) -> float:
    return a / b


def test_kernels_are_compiled_when_called() -> None:
    assert not _twice.signatures  # type: ignore[attr-defined]
    assert _twice(4) == 8
    assert len(_twice.signatures) == 1  # type: ignore[attr-defined]
    assert _twice(4.5) == 9.0


def test_kernels_release_the_lock_and_keep_the_bits() -> None:
    options = _over.targetoptions  # type: ignore[attr-defined]
    assert options["nogil"] is True
    assert not options.get("fastmath") and not options.get("parallel")
    assert _over(1.0, 0.0) == np.inf, "as numpy divides, without a branch in the loop"


def test_chosen_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLPIPE_CACHE", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "mine" / "kernels"
    assert not (tmp_path / "xdg").exists()


def test_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSLPIPE_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "sslpipe" / "kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == tmp_path / ".cache" / "sslpipe" / "kernels"
    assert (tmp_path / ".cache" / "sslpipe").is_dir()


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose user has no cache folder, since a file stands where it would be."""
    (tmp_path / "file").write_text("")
    (tmp_path / "tmp").mkdir()
    monkeypatch.delenv("SSLPIPE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp" / f"sslpipe-{os.getuid()}"


def test_without_a_home_the_folder_for_temporary_files(no_home: Path) -> None:
    assert cache_folder() == no_home / "kernels"
    assert no_home.stat().st_mode & 0o777 == 0o700
    assert cache_folder() == no_home / "kernels"


def test_a_home_that_takes_no_files_counts_as_none(tmp_path: Path, no_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(os, "access", lambda path, mode: tmp_path / "xdg" not in Path(path).parents)
    assert cache_folder() == no_home / "kernels"


def test_a_temporary_folder_of_somebody_else_is_refused(tmp_path: Path, no_home: Path) -> None:
    """Numba's cache files are code: whoever can write there can run anything here."""
    (tmp_path / "elsewhere").mkdir()
    no_home.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match=r"belongs to somebody else; set SSLPIPE_CACHE to a folder of yours"):
        cache_folder()
    no_home.unlink()
    no_home.mkdir(mode=0o777)
    no_home.chmod(0o777)
    with pytest.raises(PermissionError, match=r"belongs to somebody else"):
        cache_folder()


def test_the_stamp_covers_every_kernel_file_and_numba(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stamp() -> str:
        return jit._stamp.__wrapped__(Path(jit.__file__).parent)

    original = stamp()
    assert kernel_stamp() == original, "asked before anything is patched: the answer is kept for the whole process"
    for file in Path(jit.__file__).parent.glob("*.py"):
        shutil.copyfile(file, tmp_path / file.name)
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    first = stamp()
    assert first == original, "paths don't count"
    stamps = {first}
    for file in sorted(tmp_path.glob("*.py")):
        file.write_bytes(file.read_bytes() + b"\n")
        stamps.add(stamp())
    monkeypatch.setattr(numba, "__version__", "0.0")
    stamps.add(stamp())
    assert len(stamps) == len(list(tmp_path.glob("*.py"))) + 2
