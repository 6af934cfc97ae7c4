"""Runs tasks as Ray tasks: on this machine's cores, or on a cluster."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sslpipe.building.job import Job, Task
from sslpipe.building.tasks import run_task
from sslpipe.core.errors import EnvironmentFault, SslpipeError
from sslpipe.shards.commits import Commit
from sslpipe.shards.storage import LocalStorage

LOCAL = "local"
"""Ray's word for a Ray of one's own; without it Ray joins whatever cluster was last started on the machine."""

ANSWER_S = 10.0
"""How long a cluster may take to answer. Ray itself tries for minutes."""

ATTEMPTS = 3
"""How often a task may take its worker down with it before the build gives up on it."""


class Ray:
    """Ray core tasks over files: what travels through Ray is names and counts, never payload.

    Without an address, neither here nor in `RAY_ADDRESS`, a local Ray is started and stopped with the build, whatever else runs
    on the machine; with one, or where this process has one already, it is joined and left. At most two tasks a core are in
    flight, and of a Ray that was joined at most `workers` cores are used. Ray's own retries are off: it would retry a task that
    runs out of memory without end, so deaths are counted here, and kept beside the output.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        self._workers = workers
        self._address = address or os.environ.get("RAY_ADDRESS") or LOCAL
        self._started = False
        self._probed: str | None = None

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Commit]:
        """Commits as tasks finish; a task whose worker dies is tried again, `ATTEMPTS` times in all."""
        if not tasks:
            return
        ray = self._start(job)
        submit = ray.remote(num_cpus=1, max_retries=0)(run_task).remote
        slots = self._slots(ray)
        shared = ray.put(job)  # Names of all that a stage reads are megabytes, which each node gets once.
        waiting = list(reversed(tasks))
        flying: dict[Any, Task] = {}
        try:
            while waiting or flying:
                while waiting and len(flying) < slots:
                    task = waiting.pop()
                    flying[submit(shared, task)] = task
                ready, _ = ray.wait(list(flying), num_returns=1)
                task = flying.pop(ready[0])
                try:
                    commit = ray.get(ready[0])
                except ray.exceptions.RayTaskError as error:
                    if isinstance(error.cause, SslpipeError):
                        raise error.cause from None
                    raise SslpipeError(f"task {task.stem} failed{task.reading}:\n{error}") from error
                except (
                    ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError,
                ) as error:  # fmt: skip
                    _count_death(job, task, error)
                    waiting.append(task)
                else:
                    yield commit
        finally:
            for reference in flying:
                ray.cancel(reference)

    def check(self, root: str) -> int:
        """Start or join Ray, have each node look at a folder, and leave again; cores of all nodes. Raises EnvironmentFault."""
        try:
            return int(self._start(Job(root, {})).cluster_resources().get("CPU", 0))
        finally:
            self.close()

    def close(self) -> None:
        """Stop the Ray that was started here; a cluster that was joined is only left."""
        if self._started:
            import ray

            ray.shutdown()
            self._started, self._probed = False, None

    def _slots(self, ray: Any) -> int:
        """How many tasks may be in flight: two a core, so that no core waits; `workers` bounds them in a Ray that is joined."""
        slots = max(2, 2 * int(ray.cluster_resources().get("CPU", 1)))
        ours = self._started and self._address == LOCAL
        return slots if ours or self._workers is None else min(slots, self._workers)

    def _start(self, job: Job) -> Any:
        import ray

        if not self._started and not ray.is_initialized():
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            options: dict[str, Any] = {}
            if self._address == LOCAL:
                options = {"include_dashboard": False, "num_cpus": self._workers}
            try:
                answers(self._address)
                with _signals_wait():
                    ray.init(self._address, log_to_driver=False, logging_level=logging.ERROR, **options)
                    self._started = True
            except (OSError, RuntimeError, ValueError) as error:
                raise EnvironmentFault(self._failed(error)) from error
        if self._probed != job.root:
            probe(job.root)
            self._probed = job.root
        return ray

    def _failed(self, error: Exception) -> str:
        if self._address == LOCAL:
            return f"could not start a local Ray: {error}. Use `--engine inline`, which needs none"
        return (
            f"could not join the Ray cluster at {self._address}: {error}. Check the address, and set RAY_AUTH_MODE=token if the"
            " cluster wants a token; or use `--engine inline`, which needs no Ray"
        )


def answers(address: str) -> None:
    """Raise an OSError where nobody listens at `HOST:PORT`, which Ray would find out after minutes."""
    host, colon, port = address.rpartition(":")
    if colon and "/" not in host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S).close()


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until Ray stands, and keep what this process does at them; a second one is obeyed at once.

    Interrupted half-way, Ray keeps a part of itself that nothing shuts down, and that ends the process by a crash (2.60). And
    it puts an exit of its own at SIGTERM, by which a build would end without a word.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    told: list[int] = []

    def wait(number: int, frame: FrameType | None) -> None:
        told.append(number)
        if len(told) > 1:
            _obey(before[signal.Signals(number)], number, frame)

    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, wait)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        _obey(before[signal.Signals(told[0])], told[0], None)


def _obey(handler: Any, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)


def probe(root: str) -> None:
    """Check that every node sees the output folder, and runs the same kernels; raises EnvironmentFault naming the node."""
    import ray

    storage = LocalStorage(root)
    token = uuid.uuid4().hex
    name = f".sslpipe/probe-{token}"
    storage.put_new(name, token.encode())
    look = ray.remote(num_cpus=0, max_retries=0)(_look)
    try:
        mine = _look(root, name)
        for node in ray.nodes():
            if not node["Alive"]:
                continue
            place = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            seen = ray.get(look.options(scheduling_strategy=place).remote(root, name))
            if seen != mine:
                where = node.get("NodeManagerHostname") or node["NodeID"]
                if seen[0] != token:
                    raise EnvironmentFault(
                        f"node {where} does not see {root}: found {seen[0] or 'no file'} where this machine wrote a probe."
                        " The output must lie on storage that all nodes share"
                    )
                raise EnvironmentFault(
                    f"node {where} runs another sslpipe or numba (kernels {seen[1]}, here {mine[1]}); install the same versions"
                )
    finally:
        storage.delete(name)


def _look(root: str, name: str) -> tuple[str, str]:
    """What a node sees of the probe, and its kernels."""
    from sslpipe.kernels.jit import kernel_stamp

    storage = LocalStorage(root)
    return (storage.get(name).decode() if storage.size(name) is not None else "", kernel_stamp())


def _count_death(job: Job, task: Task, error: Exception) -> None:
    """Count a worker's death against its task, on disk; raises EnvironmentFault at the last one."""
    storage = LocalStorage(job.root)
    name = f".sslpipe/attempts/{task.fingerprint}.json"
    deaths = 1 + (json.loads(storage.get(name))["deaths"] if storage.size(name) is not None else 0)
    storage.replace(name, json.dumps({"task": task.stem, "deaths": deaths}).encode())
    if deaths >= ATTEMPTS:
        storage.delete(name)
        raise EnvironmentFault(
            f"task {task.stem} took its worker down {deaths} times{task.reading}: {type(error).__name__}."
            " Out of memory? Try fewer `--workers`, or a smaller `limits: {part_bytes: ...}`; committed work is kept"
        ) from error
