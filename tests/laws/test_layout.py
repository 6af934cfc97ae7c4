"""Law 1: shard bytes are a function of the recipe and the records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sslpipe.building.driver import Builder
from sslpipe.building.job import Job, Task
from sslpipe.building.tasks import run_task
from sslpipe.engines.inline import Inline
from sslpipe.engines.ray import Ray
from sslpipe.recipe.recipe import Limits
from sslpipe.shards.commits import Commit
from sslpipe.shards.manifest import Manifest
from tests.laws.conftest import shard_hashes
from tests.laws.modality import Modality

Built = tuple[Path, Manifest]


def test_the_corpus_is_big_enough_to_matter(built: Built) -> None:
    _, manifest = built
    assert len(manifest.by_source) == 3
    assert len(manifest.split("train")) == 7
    for outcome in ("kept", "duplicate", "filtered", "quarantined"):
        assert manifest.totals[outcome] >= 10
    for outcomes in manifest.by_source.values():
        reasons = [count for name, count in outcomes.items() if ":" in name]
        assert len(reasons) >= 5
        assert min(reasons) >= 10


@pytest.mark.parametrize("number", range(5))
def test_division_order_and_compression_change_nothing(law: Modality, built: Built, tmp_path: Path, number: int) -> None:
    files, packing, seed = law.divisions[number % len(law.divisions)]
    folder = law.lay(tmp_path / "corpus", files=files, packing=packing, seed=seed + number)
    manifest = Builder(law.recipe(folder), tmp_path / "out", Inline()).run()
    assert shard_hashes(tmp_path / "out") == shard_hashes(built[0])
    assert manifest.by_source == built[1].by_source


@pytest.mark.parametrize("limits", [{"part_bytes": 1_000}, {"part_bytes": 10_000_000, "memory_bytes": 100_000_000}])
def test_limits_change_nothing(law: Modality, built: Built, corpus: Path, tmp_path: Path, limits: dict[str, int]) -> None:
    """Tasks of one file or of all, many sorted runs or one."""
    recipe = law.recipe(corpus, limits=Limits(max_bad=0.5, **limits))
    Builder(recipe, tmp_path / "out", Inline()).run()
    assert shard_hashes(tmp_path / "out") == shard_hashes(built[0])


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.usefixtures("ray_session")
def test_ray_makes_the_same_bytes(law: Modality, built: Built, corpus: Path, tmp_path: Path, workers: int) -> None:
    """The session's Ray has two CPUs: with four workers four tasks are in flight, of which two run at a time."""
    engine = Ray(workers=workers)
    manifest = Builder(law.recipe(corpus), tmp_path / "out", engine).run()
    assert shard_hashes(tmp_path / "out") == shard_hashes(built[0])
    assert manifest.by_source == built[1].by_source


class _Backwards(Inline):
    """Runs the tasks of every stage in the opposite order."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Commit]:
        yield from super().run(job, tasks[::-1])


def test_the_order_of_tasks_changes_nothing(law: Modality, built: Built, corpus: Path, tmp_path: Path) -> None:
    Builder(law.recipe(corpus), tmp_path / "out", _Backwards()).run()
    assert shard_hashes(tmp_path / "out") == shard_hashes(built[0])


class _NumberedByCompletion(Inline):
    """The mutant: a shard is called after the moment it is finished."""

    def run(self, job: Job, tasks: Sequence[Task]) -> Iterator[Commit]:
        for done, task in enumerate(tasks[::-1]):
            arguments = {**task.arguments, "number": done} if task.kind == "shard" else task.arguments
            yield run_task(
                job, Task(task.stage, task.kind, task.segment, task.number, task.fingerprint, arguments, task.inputs)
            )


def test_mutant_shards_numbered_in_completion_order(law: Modality, built: Built, corpus: Path, tmp_path: Path) -> None:
    Builder(law.recipe(corpus), tmp_path / "out", _NumberedByCompletion()).run()
    assert shard_hashes(tmp_path / "out") != shard_hashes(built[0])


def test_another_seed_moves_rows_but_no_split(law: Modality, built: Built, corpus: Path, tmp_path: Path) -> None:
    manifest = Builder(law.recipe(corpus, seed=18), tmp_path / "out", Inline()).run()
    assert shard_hashes(tmp_path / "out") != shard_hashes(built[0])

    def samples(manifest: Manifest, split: str) -> int:
        return sum(shard.samples for shard in manifest.split(split))

    assert [samples(manifest, split) for split in ("train", "val", "test")] == [
        samples(built[1], split) for split in ("train", "val", "test")
    ]
