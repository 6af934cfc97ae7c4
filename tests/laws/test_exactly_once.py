"""Law 2: kill anything at any moment, run the same command again: same bytes, nothing lost, nothing twice."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sslpipe.building.driver import Builder
from sslpipe.building.progress import Silent
from sslpipe.core.errors import DataError, OutputLocked
from sslpipe.engines.inline import Inline
from sslpipe.engines.ray import ATTEMPTS, Ray
from sslpipe.shards.commits import FOLDER
from sslpipe.shards.manifest import NAME, Manifest
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage
from tests.laws.conftest import shard_hashes
from tests.laws.modality import Modality
from tests.laws.victims import Server

Built = tuple[Path, Manifest]
KILLS = {"text": 24, "images": 9, "audio": 9}
"""Of the driver. A build is the same whatever it holds: one modality is killed often, the others in each of their stages."""
AT_TASKS = {"text": 15, "images": 5, "audio": 5}
"""How many of them fall while tasks run, at least."""
AROUND = ("start", "publish", "sweep")
"""What a build does beside its tasks: it begins, publishes manifest and card, and takes away what nobody needs any more."""
WORKER_KILLS = 10


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def _spread(operations: list[str], count: int) -> list[int]:
    """At least so many places: one in each stage, amid its kinds of operations, and others evenly through the whole run."""
    firsts = {operation: place for place, operation in reversed(list(enumerate(operations)))}
    by_stage: dict[str, list[int]] = {}
    for operation, place in sorted(firsts.items(), key=lambda item: item[1]):
        by_stage.setdefault(operation.split()[0], []).append(place)
    chosen = {places[len(places) // 2] for places in by_stage.values()}
    left = max(0, count - len(chosen))
    chosen |= {(2 * i + 1) * len(operations) // (2 * left) for i in range(left)}
    return sorted(chosen | set(range(count - len(chosen))))


def test_sigkill_of_the_driver(
    law: Modality, server: Server, corpus: Path, built: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, operations = server.run(law, corpus, tmp_path / "whole")
    assert status == 0
    assert shard_hashes(tmp_path / "whole") == shard_hashes(built[0])
    places = _spread(operations, KILLS[law.name])
    fell: Counter[str] = Counter()
    for place in places:
        out = tmp_path / f"killed-{place}"
        status, seen = server.run(law, corpus, out, kill_at=place)
        assert status == -signal.SIGKILL
        assert seen[-1] == operations[place]
        fell[operations[place].split()[0]] += 1
        _no_torn_shard(out)
        status, _ = server.run(law, corpus, out)
        assert status == 0
        assert shard_hashes(out) == shard_hashes(built[0])
        assert Manifest.load(LocalStorage(out)).by_source == built[1].by_source
        assert not list(LocalStorage(out).temporaries())
        shutil.rmtree(out)
    with capsys.disabled():
        sys.stdout.write(
            f"\n  {len(places)} drivers killed: " + ", ".join(f"{stage} {count}" for stage, count in fell.items()) + "\n"
        )
    tasks = {stage: count for stage, count in fell.items() if stage not in AROUND}
    assert len(places) >= KILLS[law.name]
    assert sum(tasks.values()) >= AT_TASKS[law.name]
    assert set(fell) == {operation.split()[0] for operation in operations} >= {"0-read", "0-resolve", "1-shards", *AROUND}


def test_killed_again_and_again(law: Modality, server: Server, corpus: Path, built: Built, tmp_path: Path) -> None:
    """Each run dies a little later than the one before it got; the last one is left alone."""
    out = tmp_path / "out"
    for place in (40, 35, 30, 25, 60, 20, 80, 15, 120):
        status, _ = server.run(law, corpus, out, kill_at=place)
        assert status in (0, -signal.SIGKILL)
    assert server.run(law, corpus, out)[0] == 0
    assert shard_hashes(out) == shard_hashes(built[0])


def _no_torn_shard(out: Path) -> None:
    """What a reader sees at any moment: no dataset, or a whole one."""
    storage = LocalStorage(out)
    if storage.size(NAME) is not None:
        manifest = Manifest.load(storage)
        for entry in manifest.shards:
            assert len(Shard(storage, entry, manifest.fields)) == entry.samples


def test_a_rerun_does_only_what_is_missing(law: Modality, server: Server, corpus: Path, tmp_path: Path) -> None:
    _, operations = server.run(law, corpus, tmp_path / "whole")
    late = max(place for place, operation in enumerate(operations) if operation.startswith("1-shards place"))
    server.run(law, corpus, tmp_path / "out", kill_at=late)
    _, again = server.run(law, corpus, tmp_path / "out")
    assert not [operation for operation in again if operation in ("0-read place", "0-resolve place")]
    assert len([operation for operation in again if operation == "1-shards place"]) <= 3


def test_a_finished_build_is_left_alone(law: Modality, corpus: Path, built: Built) -> None:
    before = {path: path.stat().st_mtime_ns for path in built[0].rglob("*") if path.is_file() and path.name != "lock"}
    assert Builder(law.recipe(corpus), built[0], Inline()).run() == built[1]
    after = {path: path.stat().st_mtime_ns for path in built[0].rglob("*") if path.is_file() and path.name != "lock"}
    assert after == before


class _KillsWorkers(Silent):
    """A thread that kills workers while they run tasks: two a stage, and no task a third time."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._stop = threading.Event()
        self._stage = ""
        self._killed: Counter[str] = Counter()
        self.fell: list[str] = []

    def stage(self, name: str, total: int, done: int) -> None:
        self._stage = name

    def __enter__(self) -> _KillsWorkers:
        self._stop.clear()
        self._killed.clear()
        self._thread = threading.Thread(target=self._hunt)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _hunt(self) -> None:
        while not self._stop.wait(0.01):
            stage = self._stage
            if self._killed[stage] >= 2 or self._tired():
                continue
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit() and _title(entry).startswith("ray::run_task") and _ours(entry.name):
                    os.kill(int(entry.name), signal.SIGKILL)
                    self._killed[stage] += 1
                    self.fell.append(stage)
                    break

    def _tired(self) -> bool:
        """Whether a task that is not done yet has lost all but its last attempt."""
        for path in (self._out / ".sslpipe" / "attempts").glob("*.json"):
            if f'"deaths": {ATTEMPTS - 1}' in path.read_text() and not list((self._out / FOLDER).glob(f"*/{path.name}")):
                return True
        return False


def _ours(process: str) -> bool:
    """Whether a process descends from this one: other test runs have workers of that title too."""
    try:
        while process not in ("0", "1", str(os.getpid())):
            process = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return False
    return process == str(os.getpid())


def _title(process: Path) -> str:
    try:
        return (process / "cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.usefixtures("ray_session")
def test_sigkill_of_ray_workers(
    law: Modality, corpus: Path, built: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killer = _KillsWorkers(tmp_path / "out")
    for _ in range(WORKER_KILLS):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        with killer:
            Builder(law.recipe(corpus), tmp_path / "out", Ray(), killer).run()
        assert shard_hashes(tmp_path / "out") == shard_hashes(built[0])
        if len(killer.fell) >= WORKER_KILLS:
            break
    with capsys.disabled():
        stages = ", ".join(f"{stage} {count}" for stage, count in Counter(killer.fell).items())
        sys.stdout.write(f"\n  {len(killer.fell)} workers killed: {stages}\n")
    assert len(killer.fell) >= WORKER_KILLS


def test_two_builds_on_one_output(law: Modality, corpus: Path, tmp_path: Path) -> None:
    class Second(Silent):
        """Tries to build into the same folder while the first build runs."""

        refused = ""

        def stage(self, name: str, total: int, done: int) -> None:
            with pytest.raises(OutputLocked) as caught:
                Builder(law.recipe(corpus), tmp_path / "out", Inline()).run()
            self.refused = str(caught.value)

    second = Second()
    Builder(law.recipe(corpus), tmp_path / "out", Inline(), second).run()
    assert f"process {os.getpid()}" in second.refused


def test_mutant_commit_before_data(server: Server, law: Modality, corpus: Path, built: Built, tmp_path: Path) -> None:
    """A build that publishes its manifest before its shards: a kill between the two leaves what the check above must see."""
    _, operations = server.run(law, corpus, tmp_path / "whole")
    within = [place for place, operation in enumerate(operations) if operation.startswith("1-shards write")]
    out = tmp_path / "out"
    status, _ = server.run(law, corpus, out, kill_at=within[len(within) // 2], early=built[0] / NAME)
    assert status == -signal.SIGKILL
    with pytest.raises(DataError, match="is missing"):
        _no_torn_shard(out)


def test_a_commit_whose_files_are_gone_is_not_believed(
    law: Modality, corpus: Path, built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a disk that lost what it had promised to keep: the rerun notices, and makes them again."""
    out = tmp_path / "out"

    class Stop(Exception):
        pass

    class Stops(Silent):
        def stage(self, name: str, total: int, done: int) -> None:
            if name == "1-shards":
                raise Stop

    with pytest.raises(Stop):
        Builder(law.recipe(corpus), out, Inline(), Stops()).run()
    for path in sorted((out / ".sslpipe" / "spill").iterdir())[::2]:
        path.unlink()
    Builder(law.recipe(corpus), out, Inline()).run()
    assert shard_hashes(out) == shard_hashes(built[0])
    assert not list((out / FOLDER).rglob("*.json"))
