"""Builds that are killed: a server that has everything imported forks one child a build, each with its own end.

A child counts the operations by which its output folder changes, and kills itself with SIGKILL at the one it is told. Nothing
runs after a SIGKILL: no handler, no flush, no unlink. The places are those where a real kill hurts, and the same at every run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.laws.modality import Modality


class Server:
    """Runs builds in children of a fresh process; answers how each ended, and what it did until then."""

    def __enter__(self) -> Server:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.laws.victims"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(
        self, law: Modality, folder: Path, out: Path, kill_at: int | None = None, early: Path | None = None
    ) -> tuple[int, list[str]]:
        """Build `folder` into `out`; the exit status (-9 for a kill) and the operations begun, as `stage operation`.

        `early` is the mutant: a manifest that is there before the shards that it names.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"law": law.name, "folder": str(folder), "out": str(out), "kill_at": kill_at, "early": early and str(early)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["status"], answer["operations"]


def _serve() -> None:
    from sslpipe.building import tasks  # noqa: F401 (imported before the fork, so that every child starts warm)
    from sslpipe.building.driver import Builder  # noqa: F401
    from sslpipe.kernels import concatenate, philox, text_statistics  # noqa: F401
    from tests.laws.modality import NAMES, modality

    for name in NAMES:
        modality(name)
    for line in sys.stdin:
        request = json.loads(line)
        journal = Path(request["out"]).with_suffix(".journal")
        journal.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            _victim(request, journal)
        _, status = os.waitpid(child, 0)
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        operations = journal.read_text().splitlines() if journal.exists() else []
        sys.stdout.write(json.dumps({"status": code, "operations": operations}) + "\n")
        sys.stdout.flush()


def _victim(request: dict[str, Any], journal: Path) -> None:
    """Never returns: ends by its own signal, or with the exit status of a finished build."""
    from sslpipe.building.driver import Builder
    from sslpipe.engines.inline import Inline
    from tests.laws.modality import modality

    status = 1
    try:
        _count_operations(journal, request["kill_at"])
        recipe = modality(request["law"]).recipe(Path(request["folder"]))
        Builder(recipe, Path(request["out"]), Inline(), _stages(request)).run()
        status = 0
    finally:
        os._exit(status)


class _Stage:
    """Where the build is, for the journal."""

    name = "start"


def _stages(request: dict[str, Any]) -> Any:
    """Keeps track of the stage; publishing and sweeping, which come behind the last one, count as stages of their own."""
    from sslpipe.building.progress import Silent
    from sslpipe.building.publish import Publisher

    class Stages(Silent):
        def stage(self, name: str, total: int, done: int) -> None:
            _Stage.name = name
            if request["early"] and name.endswith("-shards"):
                shutil.copyfile(request["early"], Path(request["out"]) / "manifest.json")

    for name, method in (("publish", Publisher.publish), ("sweep", Publisher._sweep)):
        setattr(Publisher, method.__name__, _entering(name, method))
    return Stages()


def _entering(stage: str, method: Any) -> Any:
    def call(*arguments: Any) -> Any:
        _Stage.name = stage
        return method(*arguments)

    return call


def _count_operations(journal: Path, kill_at: int | None) -> None:
    """Wrap every operation that changes the output: note it, and die before it happens where told to."""
    from sslpipe.shards.storage import LocalStorage, UniqueFile

    count = writes = 0
    file = journal.open("a", buffering=1)

    def noted(kind: str, method: Any) -> Any:
        def call(self: Any, *arguments: Any, **named: Any) -> Any:
            nonlocal count, writes
            writes += kind == "write"
            if kind != "write" or writes % 200 == 0:  # rows make thousands of writes: one in 200 is enough of them
                file.write(f"{_Stage.name} {kind}\n")
                if count == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1
            return method(self, *arguments, **named)

        return call

    for kind, owner, name in (
        ("open", UniqueFile, "__init__"),
        ("write", UniqueFile, "write"),
        ("place", UniqueFile, "_link"),
        ("replace", UniqueFile, "_move"),
        ("delete", LocalStorage, "delete"),
    ):
        setattr(owner, name, noted(kind, getattr(owner, name)))


if __name__ == "__main__":
    _serve()
