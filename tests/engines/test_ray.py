"""The Ray engine: errors, deaths, what is in flight, and whose Ray it is."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sslpipe.building.driver import Builder
from sslpipe.building.job import Job, Task
from sslpipe.building.progress import Silent
from sslpipe.core.errors import DataError, EnvironmentFault, SslpipeError
from sslpipe.dedups.exact import Exact
from sslpipe.engines import ray as engine_module
from sslpipe.engines.ray import ATTEMPTS, Ray, probe
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.shards.commits import Commit
from sslpipe.shards.storage import LocalStorage
from tests.building.corpora import lay, limits, recipe, records, run, sound
from tests.building.foreign.filters.deadly import Deadly
from tests.building.foreign.filters.long_enough import LongEnough
from tests.building.foreign.filters.poison import Poison

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("ray_session")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay(tmp_path / "in", {"a": records(20), "b": records(20, 10)}, files=3)


def test_the_same_dataset_as_inline(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, LongEnough(least=50), Exact(), limits=limits(part_bytes=1000))
    manifest = Builder(made, tmp_path / "ray", Ray()).run()
    assert manifest.shards and sound(tmp_path / "ray", manifest)
    inline = run(made, tmp_path / "inline")
    assert [shard.xxh3_128 for shard in manifest.shards] == [shard.xxh3_128 for shard in inline.shards]
    assert manifest.by_source == inline.by_source


def test_our_errors_arrive_as_they_are(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, LongEnough(least=10_000), ByteLevelBpe(vocab_size=300))
    with pytest.raises(DataError) as caught:
        Builder(made, tmp_path / "out", Ray()).run()
    assert type(caught.value) is DataError
    assert str(caught.value).startswith("fits.byte_level_bpe has nothing to learn from: no row of the training split is left.")


def test_a_bug_in_a_step_names_the_task_its_files_and_the_place(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SslpipeError) as caught:
        Builder(recipe(folder, Poison()), tmp_path / "out", Ray()).run()
    first, *_, last = str(caught.value).splitlines()
    assert first in [
        f"task 0-read-0000{number} failed while reading {', '.join(f'{folder}/{source}/{i}.jsonl' for i in range(3))}:"
        for number, source in enumerate("ab")
    ]
    assert last == "ValueError: a bug in somebody's step" and "poison.py" in str(caught.value)


def test_a_task_that_kills_its_worker_is_given_up(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[dict[str, Any]] = []
    count = engine_module._count_death

    def counting(job: Job, task: Task, error: Exception) -> None:
        try:
            count(job, task, error)
        finally:
            file = tmp_path / "out/.sslpipe/attempts" / f"{task.fingerprint}.json"
            counted.append(json.loads(file.read_text()) if file.exists() else {"deaths": "given up"})

    monkeypatch.setattr(engine_module, "_count_death", counting)
    only_a = lay(tmp_path / "one", {"a": records(20)})
    made = recipe(only_a, Deadly(spare=os.getpid()))
    with pytest.raises(EnvironmentFault) as caught:
        Builder(made, tmp_path / "out", Ray()).run()
    assert str(caught.value) == (
        f"task 0-read-00000 took its worker down {ATTEMPTS} times while reading {only_a}/a/0.jsonl: WorkerCrashedError."
        " Out of memory? Try fewer `--workers`, or a smaller `limits: {part_bytes: ...}`; committed work is kept"
    )
    task = {"task": "0-read-00000"}
    assert counted == [{**task, "deaths": 1}, {**task, "deaths": 2}, {"deaths": "given up"}]


def test_deaths_of_an_earlier_run_count(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task("0-read", "read", 0, 0, "f0", {"part": {"files": ["x", "y", "z", "w"]}})
    job = Job(str(tmp_path), {})
    for _ in range(ATTEMPTS - 1):
        engine_module._count_death(job, task, RuntimeError())
    with pytest.raises(EnvironmentFault, match=r"took its worker down 3 times while reading x, y, z and others: RuntimeError"):
        engine_module._count_death(job, task, RuntimeError())
    engine_module._count_death(job, task, RuntimeError())  # The next run begins to count anew.


class Flights:
    """Stands in for Ray's calls, and counts what is in flight."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import ray

        self.now = self.most = self.cancelled = 0
        self._flying: set[Any] = set()
        remote, wait = ray.remote, ray.wait

        def counting_remote(**options: Any) -> Any:
            def decorate(function: Any) -> Any:
                submitted = remote(**options)(function)
                if function is not engine_module.run_task:
                    return submitted
                return type(
                    "Counted", (), {"remote": staticmethod(lambda *arguments: self._took_off(submitted.remote(*arguments)))}
                )

            return decorate

        def counting_wait(references: list[Any], num_returns: int) -> Any:
            ready, rest = wait(references, num_returns=num_returns)
            self._flying -= set(ready)
            return ready, rest

        monkeypatch.setattr(ray, "remote", counting_remote)
        monkeypatch.setattr(ray, "wait", counting_wait)
        monkeypatch.setattr(ray, "cancel", self._cancel)

    def _took_off(self, reference: Any) -> Any:
        self._flying.add(reference)
        self.most = max(self.most, len(self._flying))
        return reference

    def _cancel(self, reference: Any) -> None:
        self.cancelled += 1


@pytest.mark.parametrize(("workers", "most"), [(None, 4), (1, 1), (3, 3), (50, 4)])
def test_what_is_in_flight_is_bounded(workers: int | None, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks a core of the session's two; `workers` bounds it further."""
    flights = Flights(monkeypatch)
    folder = lay(tmp_path / "in", {"a": records(30)}, files=8)
    Builder(recipe(folder, limits=limits(part_bytes=1000)), tmp_path / "out", Ray(workers)).run()
    assert flights.most == most


def test_what_is_in_flight_when_a_build_ends_is_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flights = Flights(monkeypatch)

    class Interrupts(Silent):
        def tick(self, commit: Commit) -> None:
            raise KeyboardInterrupt

    folder = lay(tmp_path / "in", {"a": records(30)}, files=8)
    with pytest.raises(KeyboardInterrupt):
        Builder(recipe(folder, limits=limits(part_bytes=1000)), tmp_path / "out", Ray(), Interrupts()).run()
    assert flights.cancelled == 3


def test_a_job_is_put_into_ray_once_a_stage(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    put, jobs = ray.put, []

    def counting(value: Any) -> Any:
        jobs.append(value)
        return put(value)

    monkeypatch.setattr(ray, "put", counting)
    Builder(recipe(folder, Exact(), limits=limits(part_bytes=1000)), tmp_path / "out", Ray()).run()
    assert [list(job.inputs) for job in jobs] == [[], ["records"], ["spill", "decisions"]], "read, resolve, shards"


def _blind(token: str, stamp: str) -> Any:
    """A node that sees this instead of the probe; here, in the process that asks, all is well."""
    here, look = os.getpid(), engine_module._look
    return lambda root, name: look(root, name) if os.getpid() == here else (token, stamp or look(root, name)[1])


def test_a_node_that_does_not_see_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe(str(tmp_path))
    monkeypatch.setattr(engine_module, "_look", _blind("", ""))
    with pytest.raises(EnvironmentFault) as caught:
        probe(str(tmp_path))
    host = str(caught.value).split()[1]
    assert str(caught.value) == (
        f"node {host} does not see {tmp_path}: found no file where this machine wrote a probe."
        " The output must lie on storage that all nodes share"
    )
    monkeypatch.setattr(engine_module, "_look", _blind("other", ""))
    with pytest.raises(EnvironmentFault, match="found other where this machine wrote a probe"):
        probe(str(tmp_path))
    assert LocalStorage(tmp_path).list(".sslpipe") == [], "the probe is gone, however it went"


def test_a_node_with_other_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = engine_module._look
    here = os.getpid()

    def other(root: str, name: str) -> tuple[str, str]:
        return look(root, name) if os.getpid() == here else (look(root, name)[0], "others")

    monkeypatch.setattr(engine_module, "_look", other)
    with pytest.raises(EnvironmentFault, match=r"runs another sslpipe or numba \(kernels others, here \w+\); install the same"):
        probe(str(tmp_path))


def test_a_ray_that_is_there_already_is_probed_too(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probed: list[str] = []
    monkeypatch.setattr(engine_module, "probe", probed.append)
    Builder(recipe(folder), tmp_path / "out", Ray()).run()
    assert probed == [str(tmp_path / "out")], "once a build"


def test_a_ray_that_was_there_is_left_running(folder: Path, tmp_path: Path) -> None:
    import ray

    engine = Ray()
    Builder(recipe(folder), tmp_path / "out", engine).run()
    engine.close()
    assert ray.is_initialized()
    assert Builder(recipe(folder), tmp_path / "out", Ray()).run()


def test_no_tasks_start_no_ray() -> None:
    class Never(Ray):
        def _start(self, job: Job) -> Any:
            raise AssertionError

    assert list(Never().run(Job("nowhere", {}), [])) == []


SCRIPT = """
import os, signal, sys
from pathlib import Path
import ray
from sslpipe.building.driver import Builder
from sslpipe.building.progress import Silent
from sslpipe.engines.ray import Ray
from tests.building.corpora import recipe

folder, out = map(Path, sys.argv[1:])
mine = lambda *_: None
signal.signal(signal.SIGTERM, mine)
engine = Ray(workers=1)
class Looks(Silent):
    def tick(self, commit):
        print("running", ray.is_initialized(), ray.cluster_resources()["CPU"], signal.getsignal(signal.SIGTERM) is mine)
Builder(recipe(folder), out, engine, Looks()).run()
engine.close()
print("after", ray.is_initialized())
"""


def test_a_ray_of_its_own_is_started_and_stopped(folder: Path, tmp_path: Path) -> None:
    """In a process of its own, beside the session's Ray."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), str(tmp_path / "out")], cwd=ROOT, env=environment, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *running, after = done.stdout.splitlines()
    assert set(running) == {"running True 1.0 True"} and after == "after False"


LOCAL = "could not start a local Ray: {}. Use `--engine inline`, which needs none"
JOINED = (
    "could not join the Ray cluster at {}: {}. Check the address, and set RAY_AUTH_MODE=token if the cluster wants a token;"
    " or use `--engine inline`, which needs no Ray"
)


def _started(monkeypatch: pytest.MonkeyPatch, error: Exception, engine: Ray) -> tuple[str, dict[str, Any]]:
    """What an engine says when Ray refuses to start, and what it asked of Ray."""
    import ray

    asked: dict[str, Any] = {}

    def refuses(address: str, **options: Any) -> None:
        asked.update(options, address=address)
        raise error

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuses)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with pytest.raises(EnvironmentFault) as caught:
        engine.check("nowhere")
    return str(caught.value), asked


@pytest.mark.parametrize("error", [ConnectionError("nobody answers"), PermissionError("/tmp/ray"), ValueError("no")])
def test_a_local_ray_that_does_not_start(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    message, asked = _started(monkeypatch, error, Ray(workers=3))
    assert message == LOCAL.format(error)
    assert (asked["address"], asked["num_cpus"]) == ("local", 3), "without the word, Ray joins what runs on the machine"


@pytest.mark.parametrize("environment", [True, False])
def test_a_cluster_that_cannot_be_joined(environment: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "answers", lambda address: None)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379" if environment else "10.0.0.2:1")
    engine = Ray(3) if environment else Ray(3, "10.0.0.1:6379")
    message, asked = _started(monkeypatch, ConnectionError("nobody answers"), engine)
    assert message == JOINED.format("10.0.0.1:6379", "nobody answers")
    assert asked["address"] == "10.0.0.1:6379" and "num_cpus" not in asked, "a cluster has its own cores"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_ray_stands(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of its start it would leave a Ray behind that crashes at the end of the process."""
    import ray

    seen: list[str] = []

    def interrupted(*_: object, **__: object) -> None:
        os.kill(os.getpid(), number)
        seen.append("stands")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # As Ray does, with an exit of its own.

    def stop(*_: object) -> None:
        seen.append("told")
        raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        monkeypatch.setattr(ray, "is_initialized", lambda: False)
        monkeypatch.setattr(ray, "init", interrupted)
        monkeypatch.setattr(ray, "shutdown", lambda: seen.append("shut down"))
        with pytest.raises(KeyboardInterrupt):
            Ray().check("nowhere")
        assert signal.getsignal(signal.SIGINT) is signal.getsignal(signal.SIGTERM) is stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert seen == ["stands", "told", "shut down"]


def test_a_second_signal_is_obeyed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def hangs(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("went on")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", hangs)
    with pytest.raises(KeyboardInterrupt):
        Ray().check("nowhere")


def test_an_address_where_nobody_listens_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        engine_module.answers(f"127.0.0.1:{port}")
    message, asked = _started(monkeypatch, AssertionError("not asked"), Ray(address=f"127.0.0.1:{port}"))
    assert message == JOINED.format(f"127.0.0.1:{port}", "[Errno 111] Connection refused") and not asked
    for other in ("auto", "ray://127.0.0.1:1", "local"):
        engine_module.answers(other)
