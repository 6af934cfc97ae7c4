"""Builds and streams in a fresh process whose private memory is capped: the kernel refuses what goes beyond.

The cap is RLIMIT_DATA, which counts every private writable mapping (heap, arrays, stacks of threads) and no mapped file. It is
set after imports and after a small build and stream have loaded every library and compiled every kernel, to what the process
holds by then and a budget on top.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # others reserve a gigabyte ahead
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "OMP_NUM_THREADS": "1",
}
"""What keeps the libraries' own reserves out of the measurement."""

WORDS = ("the", "be", "to", "of", "and", "that", "have", "with", "harbour", "meadow", "pebble", "quarry")


@dataclass(frozen=True)
class Case:
    """One run: what is laid, what is built, and what it may take."""

    corpus: str
    times: int
    dedup: bool
    memory_bytes: int
    part_bytes: int
    budget: int
    mutant: str = ""
    epochs: int = 0


def run(case: Case) -> dict[str, Any]:
    """Run a case in a process of its own; what it says, or the error that ended it under `error`."""
    command = [sys.executable, "-m", "tests.laws.capped", json.dumps(asdict(case))]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    if done.returncode:
        return {"error": (done.stderr or f"ended with {done.returncode}")[-2000:]}
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def _sentences(rng: random.Random, words: int) -> list[str]:
    return [" ".join(rng.choices(WORDS, k=words)) + f" {number}." for number in range(1000)]


def _long(times: int) -> Iterator[str]:
    """Rows of about a thousand characters, all of them different."""
    rng = random.Random(1)
    sentences = _sentences(rng, 20)
    return (" ".join(rng.choices(sentences, k=8)) for _ in range(40_000 * times))


def _copies(times: int) -> Iterator[str]:
    """One text over and over, and now and then another one."""
    sentences = _sentences(random.Random(2), 15)
    return (f"{sentences[i % 1000]} {i}" if i % 100 == 50 else sentences[0] for i in range(300_000 * times))


def _tiny(times: int) -> Iterator[str]:
    """Rows of a few characters, all of them different."""
    return (f"row {i:x}" for i in range(400_000 * times))


CORPORA: dict[str, Callable[[int], Iterator[str]]] = {"long": _long, "copies": _copies, "tiny": _tiny}


def lay(path: Path, corpus: str, times: int) -> None:
    """Write a corpus, or for 0 times its first rows, as one file of JSON lines, one more in a hundred broken."""
    with path.open("w") as file:
        for number, text in enumerate(CORPORA[corpus](times) if times else islice(CORPORA[corpus](1), 300)):
            file.write(json.dumps({"text": text}) + "\n")
            if number % 100 == 99:
                file.write('{"text": "' + text[:200] + "\n")


def _recipe(file: Path, case: Case) -> Any:
    from sslpipe.dedups.exact import Exact
    from sslpipe.filters.gopher_quality import GopherQuality
    from sslpipe.maps.normalize_text import NormalizeText
    from sslpipe.readers.jsonl import Jsonl
    from sslpipe.recipe.recipe import Limits, Recipe, Shards

    memory = 10**12 if case.mutant == "memory_bytes" else case.memory_bytes
    loose = GopherQuality(min_words=3, min_stop_words=0, min_mean_word_length=1, max_mean_word_length=40)
    steps = (NormalizeText(), *((loose,) if case.corpus == "long" else ()), *((Exact(),) if case.dedup else ()))
    return Recipe(
        name="capped", seed=3, sources={"one": Jsonl(paths=(str(file),))}, build=steps,
        shards=Shards(max_bytes=16_000_000),
        limits=Limits(part_bytes=case.part_bytes, memory_bytes=memory, max_bad=1, max_duplicate=1),
    )  # fmt: skip


def _data() -> int:
    """Bytes of private writable memory that this process has mapped."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData"))
    return int(line.split()[1]) * 1024


def _keep_all_keys() -> None:
    """The mutant: all keys in a list."""
    from sslpipe.building import read as module

    keys: list[Any] = []
    plain = module.keyed

    def keyed(*arguments: Any) -> Any:
        rows = plain(*arguments)
        keys.extend(rows.names.texts())
        return rows

    module.keyed = keyed


def _main(case: Case) -> None:
    from sslpipe.building.driver import Builder
    from sslpipe.engines.inline import Inline
    from sslpipe.stream.dataset import Dataset

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, large = folder / "small.jsonl", folder / "large.jsonl"
        lay(small, case.corpus, 0)
        lay(large, case.corpus, case.times)
        Builder(_recipe(small, case), folder / "small", Inline()).run()
        if case.epochs:
            _pass_over(Dataset(folder / "small"), 1)
        if case.mutant == "keys":
            _keep_all_keys()
        start = _data()
        resource.setrlimit(resource.RLIMIT_DATA, (start + case.budget, resource.RLIM_INFINITY))
        manifest = Builder(_recipe(large, case), folder / "large", Inline()).run()
        answer = {"input_bytes": large.stat().st_size, "totals": manifest.totals, "shards": len(manifest.shards)}
        if case.epochs:
            answer["held"] = [held - start for held in _pass_over(Dataset(folder / "large"), case.epochs)]
        sys.stdout.write(json.dumps(answer) + "\n")


def _pass_over(dataset: Any, epochs: int) -> list[int]:
    """What is held after each epoch."""
    stream = dataset.stream(batch_size=64, threads=2, with_keys=True, tail="drop")
    held = []
    for _ in range(epochs):
        for batch in stream:
            assert len(batch["__key__"]) == 64
        held.append(_data())
    return held


if __name__ == "__main__":
    _main(Case(**json.loads(sys.argv[1])))
