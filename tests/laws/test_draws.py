"""Law 6: every random number is a function of its key, never of a shared stream or of global state."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from sslpipe.building.driver import Builder
from sslpipe.core.draw import Draw
from sslpipe.core.names import Names
from sslpipe.engines.inline import Inline
from sslpipe.shards.manifest import Manifest
from sslpipe.stream.dataset import Dataset
from tests.laws.modality import Modality

ROOT = Path(__file__).parents[2]
Built = tuple[Path, Manifest]
Drawn = dict[str, bytes]
WHOLE = ("cu_seqlens",)
"""What is made of a batch and not of a row."""


@pytest.fixture
def dataset(built: Built) -> Dataset:
    return Dataset(built[0])


def drawn(batches: Iterable[dict[str, Any]]) -> Drawn:
    """All that was made of each row, by its key."""
    found: Drawn = {}
    for batch in batches:
        tensors = [value.numpy() for name, value in batch.items() if hasattr(value, "numpy") and name not in WHOLE]
        for row, key in enumerate(batch["__key__"]):
            assert key not in found
            found[key] = b"".join(tensor[row].tobytes() for tensor in tensors)
    return found


def epoch(law: Modality, dataset: Dataset, number: int = 0, salt: str = "", **options: Any) -> Drawn:
    stream = dataset.stream(*law.drawing(salt), with_keys=True, **{"batch_size": 8, "threads": 1, "tail": "drop", **options})
    stream.set_epoch(number)
    return drawn(batch for batch in stream)


def differing(left: Drawn, right: Drawn) -> float:
    """The share of the rows in both that differ."""
    both = left.keys() & right.keys()
    assert len(both) > 100
    return sum(left[key] != right[key] for key in both) / len(both)


WAYS: dict[str, dict[str, Any]] = {
    "one row a batch": {"batch_size": 1},
    "large batches": {"batch_size": 97},
    "two threads": {"threads": 2},
    "four threads": {"threads": 4},
    "the stored order": {"shuffle": None},
    "order in windows": {"shuffle": {"window_shards": 2}},
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_row_is_drawn_alike(law: Modality, dataset: Dataset, way: str) -> None:
    assert differing(epoch(law, dataset), epoch(law, dataset, **WAYS[way])) == 0


def test_ranks_and_workers_of_a_loader_draw_alike(law: Modality, dataset: Dataset) -> None:
    whole = epoch(law, dataset)
    for rank in range(2):
        stream = dataset.stream(*law.drawing(""), with_keys=True, global_batch_size=8, rank=rank, world=2, tail="drop")
        loader = DataLoader(stream, batch_size=None, num_workers=2 - rank)
        assert differing(whole, drawn(loader)) == 0


def test_epochs_differ_and_can_be_replayed(law: Modality, dataset: Dataset) -> None:
    stream = dataset.stream(law.drawing("")[-1], with_keys=True, batch_size=1, threads=1)

    def replayed(number: int) -> Drawn:
        stream.set_epoch(number)
        return drawn(stream)

    first, second = replayed(0), replayed(1)
    assert differing(first, second) > 0.95
    assert (replayed(1), replayed(0)) == (second, first)


def test_zero_is_a_seed(law: Modality, dataset: Dataset) -> None:
    found = [epoch(law, dataset, seed=seed) for seed in (None, 17, 0, 1)]
    assert differing(found[0], found[1]) == 0, "None is the recipe's, 17"
    assert all(differing(found[a], found[b]) > 0.95 for a, b in ((1, 2), (2, 3), (1, 3)))
    assert differing(found[2], epoch(law, dataset, seed=0)) == 0


def test_a_build_with_seed_zero_has_its_own_order(law: Modality, corpus: Path, tmp_path: Path) -> None:
    orders = []
    for number, seed in enumerate((0, 0, 1)):
        recipe = law.recipe(corpus, seed=seed, build=law.recipe(corpus).build[-1:] if law.name != "text" else ())
        Builder(recipe, tmp_path / str(number), Inline(), limit=40).run()
        orders.append(list(Dataset(tmp_path / str(number)).keys))
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_salt_tells_two_tasks_apart(law: Modality, dataset: Dataset) -> None:
    assert differing(epoch(law, dataset), epoch(law, dataset, salt="second")) > 0.95
    assert differing(epoch(law, dataset), epoch(law, dataset, salt="")) == 0
    assert differing(epoch(law, dataset, salt="second"), epoch(law, dataset, salt="third")) > 0.95


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 5)), min_size=1, max_size=12),
    st.integers(0, 2**63 - 1),
    st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_a_number_is_a_function_of_its_key(rows: list[tuple[int, int, int]], seed: int, count: int, chance: Any) -> None:
    """Any rows in any order, once or twice, with any neighbours and any number of further draws."""

    def drawn(picked: list[tuple[int, int, int]], count: int) -> list[list[int]]:
        keys, occurrences, epochs = zip(*picked, strict=True)
        names = Names.from_keys(np.array(keys, np.uint64), np.array(keys, np.uint64))
        names = Names(names.high, names.low, np.array(occurrences, np.uint32), names.offset)
        numbers: list[list[int]] = Draw(seed, "tasks.x", epochs=np.array(epochs, np.int64)).uint32(names, count).tolist()
        return numbers

    wanted = dict(zip(rows, drawn(rows, count), strict=True))
    picked = [chance.choice(rows) for _ in range(7)]
    assert [found[:count] for found in drawn(picked, count + 3)] == [wanted[row] for row in picked]


SCRIPT = """
import hashlib, random, sys
{first}
import numpy, torch
from sslpipe.stream.dataset import Dataset
from tests.laws.modality import modality
from tests.laws.test_draws import digest
random.seed({seed}); numpy.random.seed({seed}); torch.manual_seed({seed})
print(digest(Dataset(sys.argv[1]).stream(*modality(sys.argv[2]).drawing(""), batch_size=8, threads=2)))
"""


def digest(stream: Iterable[dict[str, Any]]) -> str:
    """The hash of all tensors of a stream, while others draw from what is shared."""
    found = hashlib.sha256()
    for batch in stream:
        random.random(), np.random.rand(3), torch.rand(3)
        for name in sorted(batch):
            if hasattr(batch[name], "numpy"):
                found.update(batch[name].numpy().tobytes())
    return found.hexdigest()


def test_imports_and_global_seeds_change_nothing(law: Modality, dataset: Dataset, built: Built) -> None:
    wanted = digest(dataset.stream(*law.drawing(""), batch_size=8, threads=1))
    script = SCRIPT.format(seed=99, first="import sslpipe.tasks.masked_tokens, numba, sslpipe.stream.dataset")
    done = subprocess.run(
        [sys.executable, "-c", script, str(built[0]), law.name],
        capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "99"},
    )  # fmt: skip
    assert done.stdout.strip() == wanted


def test_global_state_is_left_alone_and_never_asked(
    law: Modality, corpus: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a shared source of chance was asked")

    before = random.getstate(), json.dumps(np.random.get_state(legacy=False), default=str), torch.get_rng_state().tolist()
    for owner, names in (
        (random, ("random", "randrange", "randint", "choice", "shuffle", "sample", "getrandbits", "seed")),
        (np.random, ("rand", "randint", "permutation", "shuffle", "choice", "random", "seed", "default_rng")),
        (torch, ("rand", "randn", "randint", "randperm", "manual_seed", "bernoulli", "multinomial")),
    ):
        for name in names:
            monkeypatch.setattr(owner, name, forbidden)
    Builder(law.recipe(corpus), tmp_path / "out", Inline(), limit=60).run()
    epoch(law, dataset)
    after = random.getstate(), json.dumps(np.random.get_state(legacy=False), default=str), torch.get_rng_state().tolist()
    assert before == after


UNIQUE_NAMES = {
    "shards/storage.py": "uuid",
    "stream/progress.py": "uuid",
    "engines/ray.py": "uuid",
    "codecs/tokenizer.py": "secrets",
}
"""Where a name that nobody else has is wanted: temporary files, a stream in this process, a probe, tokens no text holds."""


def _chance(module: ast.Module, place: str) -> list[str]:
    """What differs between two processes, beside what `tests/house` looks for: hashes of strings, the system's chance."""
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash":
            found.append("hash")
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [name for name in names if name in ("secrets", "uuid") and name != UNIQUE_NAMES.get(place)]
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.urandom", "os.getrandom", "torch.seed"):
            found.append(ast.unparse(node))
    return found


def test_no_module_asks_the_system_for_chance() -> None:
    package = ROOT / "sslpipe"
    files = [path for path in sorted(package.rglob("*.py")) if "__pycache__" not in path.parts]
    found = {
        str(path.relative_to(package)): names
        for path in files
        if (names := _chance(ast.parse(path.read_text()), path.relative_to(package).as_posix()))
    }
    assert len(files) > 100 and found == {}


@pytest.mark.parametrize("text", ["import uuid", "from secrets import token_hex", "x = hash('a')", "import os\nos.urandom(4)"])
def test_chance_from_the_system_is_caught(text: str) -> None:
    assert _chance(ast.parse(text), "core/draw.py")


def _by_position(plain: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, count: plain(self, count) + np.arange(count, dtype=np.uint64)


def _by_stream(plain: Callable[..., Any]) -> Callable[..., Any]:
    shared = np.random.default_rng(0)
    return lambda self, count: plain(self, count) ^ shared.integers(0, 2**63, count).astype(np.uint64)


@pytest.mark.parametrize("mutant", [_by_position, _by_stream])
def test_mutants_are_caught(law: Modality, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, mutant: Any) -> None:
    """A draw keyed by the place in the batch, and one from a stream that all rows share."""
    monkeypatch.setattr(Draw, "keys", mutant(Draw.keys))
    assert differing(epoch(law, dataset), epoch(law, dataset, **WAYS["the stored order"])) > 0.5


def test_mutant_of_a_seed_that_is_taken_for_none(law: Modality, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Draw.keys
    monkeypatch.setattr(Draw, "keys", lambda self, count: keys(Draw(self.seed or 17, self.step, epochs=self.epochs), count))
    assert differing(epoch(law, dataset, seed=0), epoch(law, dataset, seed=17)) == 0
