"""Builds that stop: at a guard, at a bug in a step, at a signal, at another build; and go on afterwards."""

from __future__ import annotations

import fcntl
import json
import logging
from pathlib import Path

import pytest

from sslpipe.building.lock import BuildLock
from sslpipe.building.progress import Silent
from sslpipe.core.errors import EnvironmentFault, OutputLocked, RecipeError, SslpipeError
from sslpipe.core.hashes import payload_digest
from sslpipe.dedups.exact import Exact
from sslpipe.shards.manifest import Manifest
from tests.building.corpora import lay, limits, recipe, records, run, sound
from tests.building.foreign.dedups.by_meta import ByMeta
from tests.building.foreign.filters.poison import Poison


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay(tmp_path / "in", {"a": records(8), "b": records(10) + records(2)})


def test_the_guard_stops_before_any_shard(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, Exact(), limits=limits(max_duplicate=0.5))
    with pytest.raises(RecipeError) as caught:
        run(made, tmp_path / "out")
    lost, total = (int(word) for word in str(caught.value).split() if word.isdigit())
    assert lost > 0.5 * total
    source = str(caught.value)[8]
    assert str(caught.value) == (
        f"source `{source}`: {lost} of {total} rows are duplicates, more than `limits: {{max_duplicate: 0.5}}` allows;"
        " no dataset was written. If that is what you expect, raise max_duplicate and run the same command again"
    )
    assert not (tmp_path / "out" / "shards").exists() and not (tmp_path / "out" / "manifest.json").exists()
    left: dict[str, int] = {}

    class Notes(Silent):
        def stage(self, name: str, total: int, done: int) -> None:
            left[name] = total - done

    manifest = run(recipe(folder, Exact(), limits=limits()), tmp_path / "out", Notes())
    assert left["0-read"] == left["0-resolve"] == 0, "what the guard had to look at is not done again"
    assert len(sound(tmp_path / "out", manifest)) == 10


def test_the_guard_lets_pass_what_is_just_allowed(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": records(5) + records(5)})
    run(recipe(folder, Exact(), limits=limits(max_duplicate=0.5)), tmp_path / "out")


def test_a_bug_in_a_step_names_the_task_and_its_file(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SslpipeError) as caught:
        run(recipe(folder, Poison()), tmp_path / "out")
    first, *_, last = str(caught.value).splitlines()
    assert first == f"task 0-read-00000 failed while reading {folder}/a/0.jsonl:"
    assert last == "ValueError: a bug in somebody's step"
    assert "poison.py" in str(caught.value), "where it happened"
    assert caught.value.exit_code == 1 and isinstance(caught.value.__cause__, ValueError)
    with BuildLock(tmp_path / "out"):
        pass


def test_a_dedup_that_would_give_two_rows_one_name(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": [{"text": "same", "url": "1"}, {"text": "same", "url": "2"}]})
    with pytest.raises(SslpipeError) as caught:
        run(recipe(folder, ByMeta()), tmp_path / "out")
    name = payload_digest({"text": b"same"}).hex()
    assert str(caught.value) == (
        f"two rows are called {name}: a dedup's digest must depend on the fields of a row alone, not on meta"
    )
    assert not (tmp_path / "out/manifest.json").exists()


class Interrupts(Silent):
    """Ctrl-C while shards are written."""

    def tick(self, commit: object) -> None:
        if getattr(commit, "stage", "").endswith("shards"):
            raise KeyboardInterrupt


def test_ctrl_c_frees_the_lock_and_the_next_run_goes_on(folder: Path, tmp_path: Path) -> None:
    made = recipe(folder, Exact(), limits=limits())
    with pytest.raises(KeyboardInterrupt):
        run(made, tmp_path / "out", Interrupts())
    manifest = run(made, tmp_path / "out")
    assert len(sound(tmp_path / "out", manifest)) == 10


def test_two_builds_on_one_output(tmp_path: Path) -> None:
    with BuildLock(tmp_path):
        written = json.loads((tmp_path / ".sslpipe/lock").read_text())
        with pytest.raises(OutputLocked) as caught, BuildLock(tmp_path):
            raise AssertionError
    assert str(caught.value) == (
        f"another build works on {tmp_path}: process {written['pid']} on {written['host']}, since {written['since']}."
        " Wait for it, or stop it and run this again"
    )
    assert caught.value.exit_code == 5
    with BuildLock(tmp_path):
        pass


def test_a_lock_without_a_name_in_it(tmp_path: Path) -> None:
    """Another build has taken the lock, and not written its name yet."""
    (tmp_path / ".sslpipe").mkdir()
    with (tmp_path / ".sslpipe/lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OutputLocked, match=r"process \? on \?, since \?"), BuildLock(tmp_path):
            raise AssertionError


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault) as caught, BuildLock(tmp_path / "file" / "out"):
        raise AssertionError
    assert str(caught.value) == (
        f"could not lock {tmp_path}/file/out/.sslpipe/lock: Not a directory; choose an output that can be written"
    )


class StopsAtShards(Silent):
    """Ends a build when all but the shards is done."""

    def stage(self, name: str, total: int, done: int) -> None:
        if name == "1-shards":
            raise KeyboardInterrupt


@pytest.mark.parametrize("damage", [b"", b"{", b'{"format": 1}', None])
def test_a_damaged_commit_is_done_again_with_a_warning(
    damage: bytes | None, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = recipe(folder, Exact(), limits=limits())
    with pytest.raises(KeyboardInterrupt):
        run(made, tmp_path / "out", StopsAtShards())
    commit, other = sorted((tmp_path / "out/.sslpipe/commits/0-read").iterdir())
    commit.write_bytes(other.read_bytes() if damage is None else damage)
    with caplog.at_level(logging.WARNING):
        manifest = run(made, tmp_path / "out")
    assert [record.message for record in caplog.records if "is damaged and its task will be done again" in record.message]
    assert commit.name in caplog.text
    assert len(sound(tmp_path / "out", manifest)) == 10


def test_an_interrupt_anywhere_is_no_finished_dataset(folder: Path, tmp_path: Path) -> None:
    """At every stage, before and after each task."""
    made = recipe(folder, Exact(), limits=limits())

    class StopsAfter(Silent):
        def __init__(self, count: int) -> None:
            self.count = count

        def stage(self, name: str, total: int, done: int) -> None:
            self.count -= 1
            if self.count < 0:
                raise KeyboardInterrupt

        def tick(self, commit: object) -> None:
            self.stage("", 0, 0)

    stops = 0
    while True:
        try:
            manifest = run(made, tmp_path / "out", StopsAfter(3))
        except KeyboardInterrupt:
            stops += 1
            assert not (tmp_path / "out/manifest.json").exists()
            if stops > 3:
                manifest = run(made, tmp_path / "out")
                break
        else:
            break
    assert stops >= 1
    assert len(sound(tmp_path / "out", manifest)) == 10
    assert isinstance(manifest, Manifest)
