"""Law 5: the sequence of rows is a function of dataset, steps and seed; worlds, threads and restarts only divide the work."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sslpipe.building.driver import Builder
from sslpipe.core.steps import Step
from sslpipe.engines.inline import Inline
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.measures.text_statistics import TextStatistics
from sslpipe.packs.concatenate import Concatenate
from sslpipe.stream.dataset import Dataset
from sslpipe.stream.state import LIMIT
from sslpipe.stream.stream import Stream
from sslpipe.tasks.masked_patches import MaskedPatches
from sslpipe.tasks.masked_tokens import MaskedTokens
from sslpipe.tasks.next_token import NextToken
from sslpipe.tasks.two_views import TwoViews
from tests.laws.conftest import Built
from tests.laws.corpus_audio import FRAMES
from tests.laws.corpus_text import law_recipe

G = 12
WORLDS = (1, 2, 3, 4, 6)
FILTER = GopherQuality(min_words=70)
FORMS: dict[str, tuple[str, tuple[Step, ...]]] = {
    "packed masked tokens": ("text", (Concatenate(length=600), MaskedTokens())),
    "packed next token": ("text", (Concatenate(length=600), NextToken())),
    "filtered masked tokens": ("text", (FILTER, MaskedTokens())),
    "two views": ("images", (TwoViews(size=16),)),
    "masked patches": ("images", (MaskedPatches(size=16, patch=4),)),
    "masked frames": ("audio", (FRAMES,)),
}
"""A dataset, and what is streamed from it."""

Window = dict[str, bytes]
"""A global batch: the bytes of each tensor, and the keys."""


@pytest.fixture(scope="module")
def datasets(
    corpora: Callable[[str], Path], builds: Callable[[str], Built], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Dataset]:
    """The law corpora; that of text with its measures stored, so that a filter may stand right of the fence."""

    def made(name: str) -> Dataset:
        if name != "text":
            return Dataset(builds(name)[0])
        recipe = law_recipe(corpora(name))
        steps = (recipe.build[0], TextStatistics(), *recipe.build[1:])
        out = tmp_path_factory.mktemp("elastic") / "out"
        Builder(law_recipe(corpora(name), build=steps), out, Inline()).run()
        return Dataset(out)

    return lru_cache(made)


@pytest.fixture
def dataset(form: str, datasets: Callable[[str], Dataset]) -> Dataset:
    """The dataset of the form that the test is at."""
    return datasets(FORMS[form][0])


def opened(dataset: Dataset, form: str, kind: type[Stream] = Stream, **options: Any) -> Stream:
    stream = dataset.stream(*FORMS[form][1], with_keys=True, threads=1, **{"global_batch_size": G, **options})
    stream.__class__ = kind
    return stream


def joined(dataset: Dataset, shares: Sequence[dict[str, Any]]) -> Window:
    """The global batch of these shares; rows of unequal length are padded to one width as a batch would be."""
    keys = [key for share in shares for key in share["__key__"]]
    window = {"__key__": "\n".join(keys).encode()}
    if "labels" in shares[0]:
        shares = [{"attention_mask": torch.ones_like(share["labels"]), **share} for share in shares]  # written out
    for name in shares[0]:
        tensors = [share[name].numpy() for share in shares if hasattr(share[name], "numpy") and name != "cu_seqlens"]
        if tensors:
            width = max(tensor.shape[1] for tensor in tensors)
            padded = [_padded(dataset, name, tensor, width) for tensor in tensors]
            window[name] = np.concatenate(padded).tobytes()
    return window


def _padded(dataset: Dataset, name: str, tensor: Any, width: int) -> Any:
    if tensor.shape[1] == width:
        return tensor
    vocabulary = dataset.manifest.fields["ids"].vocabulary
    assert vocabulary is not None and vocabulary.pad is not None
    fills = {"labels": -100, "document_ids": -1, "attention_mask": 0, "input_ids": vocabulary.pad, "position_ids": 0}
    return np.pad(tensor, ((0, 0), (0, width - tensor.shape[1])), constant_values=fills[name])


def steps(
    dataset: Dataset, form: str, world: int, state: dict[str, Any] | None = None, passes: int = 1, **options: Any
) -> Iterator[Window]:
    """The global batches of a world that goes on at a state."""
    ranks = [opened(dataset, form, rank=rank, world=world, **options) for rank in range(world)]
    for stream in ranks:
        if state is not None:
            stream.load_state_dict(json.loads(json.dumps(state)))
    for _ in range(passes):
        for shares in zip(*ranks, strict=True):
            assert len({json.dumps(stream.state_dict()) for stream in ranks}) == 1
            yield joined(dataset, shares)


def keys_of(made: Sequence[Window]) -> list[str]:
    return [key for step in made for key in step["__key__"].decode().split("\n")]


@pytest.mark.parametrize(
    ("form", "tail"), [*((form, "carry") for form in FORMS), ("packed masked tokens", "drop")]
)  # fmt: skip
def test_resume_at_every_step_at_every_world(dataset: Dataset, form: str, tail: Any) -> None:
    stream = opened(dataset, form, tail=tail)
    rows = stream.report()["epoch_rows"]
    assert 180 <= rows <= 320 and rows % G, "about 200 rows, and a tail"
    states, whole = [stream.state_dict()], []
    for batch in stream:
        whole.append(joined(dataset, [batch]))
        states.append(stream.state_dict())
    assert max(len(json.dumps(state).encode()) for state in states) < LIMIT
    assert len(whole) == (rows // G if tail == "drop" else -(-rows // G))
    for at, state in enumerate(states[:-1]):
        world = WORLDS[1:][at % 4] if at else 1
        assert list(steps(dataset, form, world, state, tail=tail)) == whole[at:], f"at step {at} with {world} ranks"
    following = list(steps(dataset, form, 1, states[-1], tail=tail))
    assert list(steps(dataset, form, 6, states[3], passes=2, tail=tail)) == whole[3:] + following


@pytest.mark.parametrize("tail", ["carry", "drop"])
@pytest.mark.parametrize("form", FORMS)
def test_every_selected_row_comes_once_an_epoch(dataset: Dataset, form: str, tail: Any) -> None:
    ones = opened(dataset, form, global_batch_size=1)
    rows = ones.report()["epoch_rows"]
    epochs = [[batch["__key__"][0] for batch in ones] for _ in range(2)]
    if form.startswith("filtered"):
        selected = [len(row["ids"]) >= 2 for row in dataset][: dataset.splits["train"]]
        report = ones.report()
        assert rows == sum(selected) - sum(report["filtered"].values())
        assert report["filtered"], "the filter should have something to do"
        assert len(set(epochs[0])) == len(epochs[0]) == rows
        assert set(epochs[0]) == set(epochs[1]) and epochs[0] != epochs[1]
    else:
        assert len(set(epochs[0])) == rows and len(epochs[1]) == rows
    made = keys_of(list(steps(dataset, form, 3, tail=tail, passes=2)))
    whole = rows // G * G
    wanted = {
        "carry": [*epochs[0], *epochs[1]],
        "drop": [*epochs[0][:whole], *epochs[1][:whole]],
    }[tail]
    assert made[: len(wanted)] == wanted[: len(made)]
    assert abs(len(made) - len(wanted)) < G, "with carry the last window runs on into the next epoch"


def test_a_row_larger_than_a_batch_is_in_the_epoch(datasets: Callable[[str], Dataset]) -> None:
    longest = max(batch["labels"].shape[1] for batch in opened(datasets("text"), "filtered masked tokens"))
    assert longest > 50_000


class _Striped(Stream):
    """The mutant: each rank takes a run of the epoch, order from rank times steps."""

    def _first(self, n: int) -> int:
        share = self._windows.size // self._world
        step = (n - self._windows.epoch_start(self._windows.epoch(n))) // self._windows.size
        return self._windows.epoch_start(self._windows.epoch(n)) + (self._rank * self._windows.steps(n) + step) * share


@pytest.mark.parametrize("form", FORMS)
def test_mutant_order_from_rank_times_steps(dataset: Dataset, form: str) -> None:
    whole = list(steps(dataset, form, 1))
    assert list(steps(dataset, form, 1, kind=_Striped)) == whole, "with one rank the mutant looks right"
    found = list(steps(dataset, form, 3, kind=_Striped))
    assert len(found) == len(whole) and found != whole
    assert sum(a == b for a, b in itertools.zip_longest(found, whole)) == 0
