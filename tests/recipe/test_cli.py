"""The command line as a user meets it: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sslpipe
from sslpipe.recipe.load import shipped_file
from sslpipe.recipe.registry import ROLES, step_names


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from sslpipe.cli import main; main()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "COLUMNS": "120"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = """
import sys
from sslpipe.cli import app
try:
    app(["--help"])
except SystemExit as end:
    assert end.code == 0
heavy = {"numba", "pyarrow", "ray", "torch", "numpy", "pydantic", "yaml"} & set(sys.modules)
print("heavy:", sorted(heavy))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert "init" in done.stdout
    assert "list" in done.stdout
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_init_writes_a_shipped_recipe_and_never_overwrites(tmp_path: Path) -> None:
    done = run("init", "text", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "text.yaml").read_bytes() == shipped_file("text").read_bytes()
    (tmp_path / "text.yaml").write_text("mine")
    again = run("init", "text", cwd=tmp_path)
    message = "sslpipe: text.yaml exists already, and init never overwrites; choose another file with -o\n"
    assert (again.returncode, again.stderr, again.stdout) == (2, message, "")
    assert (tmp_path / "text.yaml").read_text() == "mine"
    assert run("init", "text", "-o", "other.yaml", cwd=tmp_path).returncode == 0
    gone = run("init", "text", "-o", "gone/other.yaml", cwd=tmp_path)
    assert (gone.returncode, gone.stderr) == (4, "sslpipe: gone/other.yaml can't be written: No such file or directory\n")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["other.yaml", "text.yaml"]


def test_an_unknown_name_is_one_message_and_no_traceback(tmp_path: Path) -> None:
    done = run("init", "txet", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("sslpipe: no shipped recipe is named `txet`; there are ")
    assert done.stderr.endswith("did you mean `text`?\n")
    assert list(tmp_path.iterdir()) == []


def test_list_shows_steps_and_fields(tmp_path: Path) -> None:
    page = run("list", "toy.filters.long", cwd=tmp_path)
    assert (page.returncode, page.stderr) == (0, "")
    assert "  min_words: " in page.stdout
    assert "= 50\n      The fewest words.\n" in page.stdout
    everything = run("list", cwd=tmp_path)
    assert everything.returncode == 0
    for role in ROLES:
        for name in step_names(role):
            assert f"  {name} " in everything.stdout
    wrong = run("list", "filtres", cwd=tmp_path)
    message = f"sslpipe: there is no role `filtres`; the roles are {', '.join(ROLES)}; did you mean `filters`?\n"
    assert (wrong.returncode, wrong.stderr) == (2, message)


def test_the_version() -> None:
    assert run("--version", cwd=Path()).stdout == f"{sslpipe.__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("PermissionError(errno.EACCES, 'Permission denied', '/x')", 4, "sslpipe: /x: Permission denied; check who owns it\n"),
        ("OSError(errno.EMFILE, 'Too many')", 4, "sslpipe: Too many; too many open files; raise `ulimit -n`\n"),
        ("FileNotFoundError(errno.ENOENT, 'gone', '/x')", 1, "Traceback"),
    ],
)
def test_faults_of_the_machine_are_one_message_wherever_they_are_met(error: str, code: int, said: str, tmp_path: Path) -> None:
    script = f"""
import errno, pathlib
from sslpipe import cli
def fails(*_, **__): raise {error}
cli.app = fails
cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr if code == 4 else done.stderr[: len(said)]) == (code, said)


def test_a_wrong_option_ends_in_2(tmp_path: Path) -> None:
    done = run("init", "--nope", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_in_130(monkeypatch: pytest.MonkeyPatch) -> None:
    from sslpipe import cli

    def interrupted(name: str) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("sslpipe.recipe.load.shipped_file", interrupted)
    monkeypatch.setattr(sys, "argv", ["sslpipe", "init", "text"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
