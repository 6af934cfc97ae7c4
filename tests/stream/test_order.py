"""The order: each row once an epoch, whatever asks for it, and no epoch like another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import RecipeError
from sslpipe.stream.order import Order

SIZES = st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any)
SHUFFLES = st.one_of(st.none(), st.just("full"), st.integers(1, 14).map(lambda k: {"window_shards": k}))


def pairs(order: Order, n: np.ndarray) -> list[tuple[int, int, int]]:
    return list(zip(*(column.tolist() for column in order.locate(n)), strict=True))


@settings(max_examples=150, deadline=None)
@given(SIZES, st.integers(0, 2**64 - 1), SHUFFLES, st.integers(0, 10**6))
def test_each_row_comes_once_an_epoch(sizes: list[int], seed: int, shuffle: object, epoch: int) -> None:
    order = Order(np.array(sizes), seed, shuffle)
    n = epoch * order.rows + np.arange(order.rows)
    found = pairs(order, n)
    assert {place[0] for place in found} == {epoch}
    assert sorted(place[1:] for place in found) == [(shard, row) for shard, size in enumerate(sizes) for row in range(size)]


@settings(max_examples=100, deadline=None)
@given(SIZES, st.integers(0, 2**32), SHUFFLES, st.data())
def test_a_place_is_the_same_however_it_is_asked_for(sizes: list[int], seed: int, shuffle: object, data: st.DataObject) -> None:
    order = Order(np.array(sizes), seed, shuffle)
    n = data.draw(st.lists(st.integers(0, 3 * order.rows), min_size=1, max_size=30))
    together = pairs(order, np.array(n))
    assert together == [pairs(Order(np.array(sizes), seed, shuffle), np.array([one]))[0] for one in n]


def test_large_orders_cross_the_table() -> None:
    sizes = np.array([30_000, 0, 40_000, 17])
    order = Order(sizes, 3, "full")
    assert order.rows > 2**16
    found = np.stack(order.locate(order.rows + np.arange(order.rows)))
    assert len(np.unique(found, axis=1).T) == order.rows


@pytest.mark.parametrize("shuffle", ["full", {"window_shards": 2}])
def test_epochs_and_seeds_differ(shuffle: object) -> None:
    sizes = np.full(6, 50)
    n = np.arange(300)
    orders = [pairs(Order(sizes, 1, shuffle), n), pairs(Order(sizes, 1, shuffle), n + 300), pairs(Order(sizes, 2, shuffle), n)]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        same = sum(one[1:] == other[1:] for one, other in zip(orders[a], orders[b], strict=True))
        assert same < 20


def test_stored_order() -> None:
    assert pairs(Order(np.array([2, 0, 1]), 9, None), np.arange(4)) == [(0, 0, 0), (0, 0, 1), (0, 2, 0), (1, 0, 0)]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(0, 99))
def test_a_window_keeps_few_shards_live(window: int, seed: int) -> None:
    order = Order(np.full(10, 7), seed, {"window_shards": window})
    shards = order.locate(np.arange(70))[1]
    for start in range(0, 70, 7 * window):
        assert len(set(shards[start : start + 7 * window].tolist())) <= window


def test_full_shuffle_is_uniform_over_first_places() -> None:
    firsts = np.array([Order(np.array([3, 4, 1]), seed, "full").locate(np.array([0])) for seed in range(4000)])[:, :, 0]
    counts = np.unique(firsts[:, 1:], axis=0, return_counts=True)[1]
    assert len(counts) == 8
    assert ((counts - 500) ** 2 / 500).sum() / 7 < 1 + 5 * (2 / 7) ** 0.5


def test_golden_order() -> None:
    order = Order(np.array([3, 4]), 17, "full")
    assert [place[1:] for place in pairs(order, np.arange(14))] == [
        (0, 0),
        (1, 3),
        (1, 1),
        (0, 1),
        (1, 2),
        (0, 2),
        (1, 0),
        (1, 0),
        (1, 2),
        (1, 1),
        (0, 2),
        (0, 1),
        (0, 0),
        (1, 3),
    ]


@pytest.mark.parametrize("shuffle", ["window", {"window_shards": 0}, {"window_shards": True}, {"window": 2}, {}, 3, False])
def test_wrong_shuffles_are_refused(shuffle: object) -> None:
    with pytest.raises(RecipeError, match=r'wanted "full", \{"window_shards": K\}'):
        Order(np.array([3]), 0, shuffle)
