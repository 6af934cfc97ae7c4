"""A record says what is done; one that is damaged, or whose files are not there, says nothing."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shards_support import published

from sslpipe.shards.commits import Commit, Commits, Output, add_counts
from sslpipe.shards.storage import LocalStorage

STAGE, PRINT = "read", "f" * 32


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path)


def _commit(storage: LocalStorage, data: bytes = b"data", name: str = "spill/a") -> Commit:
    output = Output.of("spill", published(storage, name, data))
    return Commit(stage=STAGE, task=3, fingerprint=PRINT, outputs=(output,), counts={"s": {"read": 2}}, facts={"x": [1]})


def test_round_trip(storage: LocalStorage) -> None:
    commits, commit = Commits(storage), _commit(storage)
    assert commits.find(STAGE, PRINT) is None
    assert commits.publish(commit) == commit
    assert commits.find(STAGE, PRINT) == commit
    assert commits.name(STAGE, PRINT) == f".sslpipe/commits/read/{PRINT}.json"
    assert commit.all("spill") == list(commit.outputs) and commit.all("other") == []


def test_the_first_of_two_wins(storage: LocalStorage) -> None:
    commits, first, second = Commits(storage), _commit(storage), _commit(storage, b"other", "spill/b")
    assert commits.publish(first) == first
    assert commits.publish(second) == first
    assert commits.find(STAGE, PRINT) == first


def test_of_many_at_once_all_get_the_same(storage: LocalStorage) -> None:
    mine = [_commit(storage, b"%d" % i, f"spill/{i}") for i in range(8)]
    barrier, got = threading.Barrier(8), []

    def attempt(commit: Commit) -> None:
        barrier.wait()
        got.append(Commits(storage).publish(commit))

    threads = [threading.Thread(target=attempt, args=(commit,)) for commit in mine]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and all(commit == got[0] for commit in got) and got[0] in mine


def _text(commit: Commit) -> bytes:
    return json.dumps(commit.model_dump(mode="json")).encode()


def _damaged(commit: Commit) -> dict[str, bytes]:
    whole = _text(commit)
    extra = json.dumps({**json.loads(whole), "colour": "red"}).encode()
    deep = json.loads(whole)
    deep["outputs"][0]["owner"] = "me"
    return {
        "empty": b"",
        "cut short": whole[:-1],
        "cut in the middle": whole[: len(whole) // 2],
        "garbage": b"\xff\x00garbage",
        "another type": b"[1, 2]",
        "unknown field": extra,
        "unknown field within": json.dumps(deep).encode(),
        "a field missing": b'{"stage": "read"}',
        "another task's": whole.replace(PRINT.encode(), b"e" * 32),
    }


@pytest.mark.parametrize(
    "damage",
    [
        "empty", "cut short", "cut in the middle", "garbage", "another type", "unknown field", "unknown field within",
        "a field missing", "another task's",
    ],
)  # fmt: skip
def test_a_damaged_record_counts_as_absent(storage: LocalStorage, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    commits, commit = Commits(storage), _commit(storage)
    storage.put_new(commits.name(STAGE, PRINT), _damaged(commit)[damage])
    with caplog.at_level(logging.WARNING):
        assert commits.find(STAGE, PRINT) is None
    assert f"{commits.name(STAGE, PRINT)} is damaged and its task will be done again: " in caplog.text
    assert storage.size(commits.name(STAGE, PRINT)) is None
    assert commits.publish(commit) == commit == commits.find(STAGE, PRINT)


@given(st.data())
def test_any_part_of_a_record_is_none(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    storage = LocalStorage(tmp_path_factory.mktemp("commits"))
    commits, commit = Commits(storage), _commit(storage)
    whole = _text(commit)
    storage.put_new(commits.name(STAGE, PRINT), whole[: data.draw(st.integers(0, len(whole) - 1))])
    logging.disable(logging.WARNING)
    try:
        assert commits.find(STAGE, PRINT) is None
    finally:
        logging.disable(logging.NOTSET)


def test_a_damaged_record_gives_way(storage: LocalStorage, caplog: pytest.LogCaptureFixture) -> None:
    """With exclusive creation alone, an empty record would be in the way for ever (E15)."""
    commits, commit = Commits(storage), _commit(storage)
    storage.put_new(commits.name(STAGE, PRINT), b"")
    assert not storage.put_new(commits.name(STAGE, PRINT), _text(commit)), "the mutant that just writes is stuck"
    assert commits.publish(commit) == commit == commits.find(STAGE, PRINT)
    assert "is damaged" in caplog.text


@pytest.mark.parametrize(
    ("data", "message"),
    [(None, "spill/a is missing"), (b"", "spill/a has 0 bytes, wanted 4"), (b"datas", "spill/a has 5 bytes, wanted 4")],
)
def test_a_record_without_its_files_counts_as_absent(
    storage: LocalStorage, caplog: pytest.LogCaptureFixture, data: bytes | None, message: str
) -> None:
    commits, commit = Commits(storage), _commit(storage)
    commits.publish(commit)
    storage.delete("spill/a")
    if data is not None:
        storage.put_new("spill/a", data)
    assert commits.find(STAGE, PRINT) is None
    assert f"{message}; the task that made it will be done again" in caplog.text
    assert storage.size(commits.name(STAGE, PRINT)) is None


def test_an_older_record_without_its_files_does_not_win(storage: LocalStorage, caplog: pytest.LogCaptureFixture) -> None:
    commits, first = Commits(storage), _commit(storage)
    commits.publish(first)
    storage.delete("spill/a")
    second = _commit(storage, b"other", "spill/b")
    assert commits.publish(second) == second
    assert "spill/a is missing" in caplog.text


def test_records_are_the_same_bytes_each_time(storage: LocalStorage, tmp_path: Path) -> None:
    commit = _commit(storage)
    others = LocalStorage(tmp_path / "others")
    Commits(storage).publish(commit)
    Commits(others).publish(commit.model_copy(update={"counts": dict(reversed(commit.counts.items()))}))
    name = Commits(storage).name(STAGE, PRINT)
    assert storage.get(name) == others.get(name)


COUNTS = st.dictionaries(st.sampled_from("ab"), st.dictionaries(st.sampled_from(["read", "kept"]), st.integers(0, 9)))


@given(st.lists(COUNTS, max_size=5))
def test_counts_add_up(records: list[dict[str, dict[str, int]]]) -> None:
    total = add_counts(records)
    assert total == add_counts(reversed(records))
    for source in "ab":
        for outcome in ("read", "kept"):
            wanted = sum(record.get(source, {}).get(outcome, 0) for record in records)
            assert total.get(source, {}).get(outcome, 0) == wanted
    assert all(source in total for record in records for source in record)
