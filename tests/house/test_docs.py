"""What the documents show is true: their code runs, their recipe loads."""

from __future__ import annotations

import json
import math
import re
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sslpipe.building.driver import Builder
from sslpipe.engines.inline import Inline
from sslpipe.recipe.load import load_recipe
from sslpipe.recipe.plan import Plan
from sslpipe.recipe.registry import resolve
from sslpipe.stream.dataset import Dataset
from sslpipe.stream.stream import Stream
from tests.building.test_shipped_recipes import sentences
from tests.support_images import jpeg, photo

ROOT = Path(__file__).parents[2]


def blocks(file: str, language: str) -> list[str]:
    """The fenced blocks of one language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / file).read_text(), re.M | re.S)


def test_the_step_of_contributing_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "fifteen_minutes" / "filters"
    package.mkdir(parents=True)
    (package / "hashes.py").write_text(blocks("CONTRIBUTING.md", "python")[0])
    monkeypatch.syspath_prepend(str(tmp_path))
    step = resolve("fifteen_minutes.filters.hashes", trust=True)()
    verdicts = step.judge({"hashes": np.array([0, 5, 6]), "characters": np.array([100, 100, 100])})
    assert verdicts.codes.tolist() == [0, 0, 1] and verdicts.reasons == ("hashes.too_many",)
    missed = "7 hashes / 90 characters = 0.0778, max_ratio is 0.05"
    assert step.explain("hashes.too_many", {"hashes": 7, "characters": 90}) == missed
    assert missed in blocks("CONTRIBUTING.md", "python")[0]
    assert [(limit.field, limit.value, limit.drops) for limit in step.limits()] == [("max_ratio", 0.05, "above")]
    for name in [name for name in sys.modules if name.startswith("fifteen_minutes")]:
        del sys.modules[name]


def test_the_recipe_of_the_readme_loads(tmp_path: Path) -> None:
    (tmp_path / "path" / "to" / "your" / "pictures").mkdir(parents=True)
    file = tmp_path / "readme.yaml"
    file.write_text(blocks("README.md", "yaml")[0])
    recipe = load_recipe(file)
    shipped = load_recipe("images", input=tmp_path)
    assert [type(step) for step in recipe.build] == [type(step) for step in shipped.build]
    assert recipe.build == shipped.build and recipe.stream == shipped.stream
    Plan.of(recipe)


def test_the_recipe_of_the_design_plans(tmp_path: Path) -> None:
    file = tmp_path / "design.yaml"
    (text,) = blocks("docs/design.md", "yaml")
    file.write_text(text.replace("~/corpora/text", str(tmp_path)))
    assert Plan.of(load_recipe(file)).segments


class Oracle(torch.nn.Module):
    """Knows that the next token is the one to the right, so that a loop that shifts as it should has no loss."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.size, self.sure = vocab_size, torch.nn.Parameter(torch.tensor(20.0))

    def forward(self, ids: torch.Tensor, position_ids: torch.Tensor | None = None) -> torch.Tensor:
        assert position_ids is None or position_ids.shape == ids.shape
        return self.sure * torch.nn.functional.one_hot(ids.roll(-1, 1), self.size)


@pytest.fixture(scope="module")
def trained_on(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `out` is a dataset of text and `pictures` one of pictures, by the recipes that the README names."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "texts").mkdir()
    for number in range(150):
        (folder / f"texts/{number}.txt").write_text(sentences(number, 40))
    small = ["fits.byte_level_bpe.vocab_size=300", "packs.concatenate.length=64", "shards.splits.val=0.2"]
    Builder(load_recipe("text", input=folder / "texts", overrides=small), folder / "out", Inline()).run()
    (folder / "photos").mkdir()
    for number in range(70):
        (folder / f"photos/{number}.jpg").write_bytes(jpeg(photo(200, 220, number)))
    Builder(load_recipe("images", input=folder / "photos"), folder / "pictures", Inline()).run()
    return folder


@dataclass
class Readme:
    """Its code, run block by block as a reader would, with toys in place of what it leaves to the reader."""

    names: dict[str, Any] = field(default_factory=dict)

    def run(self, code: str, **names: Any) -> None:
        self.names |= {"MyModel": self.model, **names}
        exec(compile(code, "README.md", "exec"), self.names)

    def model(self, vocab_size: int) -> Oracle:
        made = Oracle(vocab_size)
        self.names["optimizer"] = torch.optim.SGD(made.parameters(), 1e-3)
        return made

    def loss(self) -> float:
        return float(self.names["loss"].detach())


def test_the_training_loops_of_the_readme_train(trained_on: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained_on)
    first, validate, views, another = blocks("README.md", "python")
    readme = Readme()
    readme.run(first)
    assert 0 <= readme.loss() < 0.001
    assert readme.names["batch"]["input_ids"].shape == (32, 64)
    _check_resumed(readme.names["dataset"], readme.names["stream"])
    readme.run(validate)
    held_out = readme.names["held_out"]
    passed = [batch["input_ids"].tolist() for batch in held_out]
    readme.run(validate.splitlines()[-1])
    assert [batch["input_ids"].tolist() for batch in held_out] == passed != []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create")
        readme.run(another)
    assert math.isfinite(readme.loss()) and readme.names["batch"]["input_ids"].shape == (64, 512)
    assert (readme.names["batch"]["labels"] != -100).float().mean() < 0.3
    compared: list[tuple[torch.Tensor, torch.Tensor]] = []
    readme.run(views, model=lambda pictures: pictures, contrastive=lambda *pair: compared.append(pair))
    for one, other in compared:
        assert one.shape == other.shape == (64, 3, 224, 224) and one.dtype == torch.float32
        assert not torch.equal(one, other)
    assert compared


def _check_resumed(dataset: Dataset, stream: Stream) -> None:
    """What the README says of resuming: a few hundred bytes of JSON; other threads and ranks go on at the same row."""
    stream.set_epoch(3)
    batches = iter(stream)
    next(batches)
    state = json.dumps(stream.state_dict())
    assert 100 < len(state) < 1000
    wanted = next(batches)["input_ids"]
    halves = [dataset.stream(global_batch_size=32, rank=rank, world=2, threads=1) for rank in (0, 1)]
    for half in halves:
        half.load_state_dict(json.loads(state))
    assert torch.equal(torch.cat([next(iter(half))["input_ids"] for half in halves]), wanted)


ROT = {
    "a name that is gone": ('batch["position_ids"]', 'batch["positions"]'),
    "labels that nobody shifts": (
        'logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:]',
        'logits.flatten(0, 1), batch["labels"]',
    ),
    "an argument that is gone": ("batch_size=32", "batch=32"),
}


@pytest.mark.parametrize("rot", ROT)
def test_rot_of_the_readme_is_noticed(rot: str, trained_on: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained_on)
    code = blocks("README.md", "python")[0]
    rotten, readme = code.replace(*ROT[rot]), Readme()
    assert rotten != code
    with pytest.raises((AssertionError, KeyError, TypeError)):
        readme.run(rotten)
        assert readme.loss() < 0.001
