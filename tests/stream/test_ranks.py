"""Rank, world, and the share of each."""

from __future__ import annotations

import pytest

from sslpipe.core.errors import RecipeError
from sslpipe.stream.ranks import find_rank, global_size


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)


def test_given_launched_or_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_rank(None, None) == (0, 1)
    monkeypatch.setenv("RANK", "2")
    assert find_rank(None, None) == (0, 1)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert find_rank(None, None) == (2, 4)
    assert find_rank(0, 3) == (0, 3)


def test_the_process_group_wins_over_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch import distributed

    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        assert find_rank(None, None) == (0, 1)
    finally:
        distributed.destroy_process_group()


def test_wrong_ranks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for rank, world, text in (
        (1, None, "got rank=1 and world=None, wanted both or neither"),
        (2, 2, "got rank 2 in a world of 2, wanted 0 <= rank < world"),
        (-1, 2, "got rank -1 in a world of 2"),
        (True, 2, "rank: got True, wanted an integer"),
    ):
        with pytest.raises(RecipeError, match=text):
            find_rank(rank, world)
    monkeypatch.setenv("RANK", "one")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(RecipeError, match="RANK='one' and WORLD_SIZE='4', wanted integers"):
        find_rank(None, None)


def test_sizes() -> None:
    assert global_size(3, None, 4) == 12
    assert global_size(None, 12, 4) == 12


@pytest.mark.parametrize(
    ("batch", "whole", "world", "text"),
    [
        (None, None, 1, "got neither, wanted one of batch_size"),
        (2, 4, 2, "got batch_size=2 and global_batch_size=4, wanted one of"),
        (None, 10, 4, "global_batch_size 10 can't be divided among a world of 4 ranks; choose a multiple of 4"),
        (0, None, 1, "batch_size: got 0, wanted a positive integer"),
        (None, 2.0, 1, "global_batch_size: got 2.0, wanted a positive integer"),
    ],
)
def test_wrong_sizes_are_refused(batch: object, whole: object, world: int, text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        global_size(batch, whole, world)
