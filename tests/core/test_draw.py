"""Draws are functions of a row's name and of what they are for (law 6)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xxhash
from core_support import named, random_names
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.draw import Draw
from sslpipe.core.hashes import mix
from sslpipe.core.names import WHOLE, Names

STEP = "tasks.masked_tokens"
Numbers = np.ndarray


def _by_name(draw: Draw, names: Names) -> Numbers:
    return draw.uint32(names, 6)


def _by_position(draw: Draw, names: Names) -> Numbers:
    """The mutant of law 6: the place in the batch is the name."""
    places = np.arange(len(names), dtype=np.uint64)
    return draw.uint32(Names.from_keys(places, places), 6)


def _by_stream(draw: Draw, names: Names) -> Numbers:
    """The other mutant: one generator for the batch."""
    return np.random.default_rng(draw.seed).integers(0, 2**32, (len(names), 6), np.uint32)


def _law_six(function: object, names: Names, cut: int, order: Numbers) -> bool:
    """Whether permuting, dividing, repeating and padding a batch changes no row's numbers."""
    draw = Draw(3, STEP, epochs=np.arange(len(names)) % 2)
    whole = function(draw, names)  # type: ignore[operator]
    first, second = np.arange(cut), np.arange(cut, len(names))
    padded = Names.concat([random_names(2, 77), names])
    late = replace(draw, epochs=np.concatenate([[9, 9], np.arange(len(names)) % 2]))

    def picked(rows: Numbers) -> Numbers:
        return function(draw.take(rows), names.take(rows))  # type: ignore[operator,no-any-return]

    return bool(
        (picked(order) == whole[order]).all()
        and (picked(first) == whole[:cut]).all()
        and (picked(second) == whole[cut:]).all()
        and (function(late, padded)[2:] == whole).all()  # type: ignore[operator]
    )


@settings(max_examples=30)
@given(st.integers(1, 8).flatmap(named), st.data())
def test_a_draw_knows_nothing_of_the_batch(names: Names, data: st.DataObject) -> None:
    order = np.array(data.draw(st.lists(st.integers(0, len(names) - 1), max_size=9)), np.int64)
    assert _law_six(_by_name, names, data.draw(st.integers(0, len(names))), order)


@pytest.mark.parametrize("mutant", [_by_position, _by_stream])
def test_draws_by_position_are_caught(mutant: object) -> None:
    names, order = random_names(5), np.array([4, 0, 2])
    assert _law_six(_by_name, names, 2, order)
    assert not _law_six(mutant, names, 2, order)


def test_more_draws_begin_with_the_same() -> None:
    names, draw = random_names(3), Draw(0, STEP)
    many = draw.uint32(names, 23)
    for count in range(23):
        assert (draw.uint32(names, count) == many[:, :count]).all()
    assert many.dtype == np.uint32 and many.shape == (3, 23)


def test_everything_that_a_draw_is_for_changes_it() -> None:
    names, base = random_names(64), Draw(0, STEP)
    others = {
        "base": base,
        "seed": replace(base, seed=1),
        "high seed": replace(base, seed=2**63),
        "step": replace(base, step="tasks.next_token"),
        "salt": replace(base, salt="b"),
        "salt like a view": replace(base, salt="|0"),
        "view": base.for_view(1),
        "epoch": replace(base, epochs=1),
        "far epoch": replace(base, epochs=2**40),
    }
    drawn = {label: draw.uint32(names, 4) for label, draw in others.items()}
    for first in drawn:
        for second in drawn:
            share = (drawn[first] == drawn[second]).mean()
            assert share == 1.0 if first == second else share < 0.02, (first, second)


def test_one_seed_for_all_of_them_is_caught() -> None:
    """The mutant adds seed and epoch, so that epoch 1 of seed 0 is epoch 0 of seed 1."""
    names = random_names(4)

    def mutant(seed: int, epoch: int) -> Numbers:
        return Draw(seed + epoch, STEP).uint32(names, 4)

    assert (mutant(0, 1) == mutant(1, 0)).all()
    assert (Draw(0, STEP, epochs=1).uint32(names, 4) != Draw(1, STEP).uint32(names, 4)).all()


def test_occurrences_and_pieces_draw_apart() -> None:
    one = random_names(1)
    names = Names(
        one.high.repeat(4), one.low.repeat(4), np.array([0, 1, 0, 1], np.uint32), np.array([WHOLE, WHOLE, 0, 0], np.int64)
    )
    assert len(np.unique(Draw(0, STEP).uint32(names, 2), axis=0)) == 4


def test_epochs_a_row() -> None:
    names = random_names(6)
    epochs = np.array([0, 0, 1, 1, 2, 0])
    mixed = Draw(5, STEP, epochs=epochs).uint32(names, 4)
    for epoch in range(3):
        assert (mixed[epochs == epoch] == Draw(5, STEP, epochs=epoch).uint32(names, 4)[epochs == epoch]).all()


def test_take_picks_epochs_and_leaves_one_epoch_alone() -> None:
    draw = Draw(5, STEP, epochs=np.array([7, 8, 9]))
    assert np.asarray(draw.take(np.array([2, 0])).epochs).tolist() == [9, 7]
    single = Draw(5, STEP, epochs=3)
    assert single.take(np.array([2, 0])) is single


def test_keys_are_as_documented() -> None:
    base = xxhash.xxh3_64_intdigest(b"sslpipe.draw.1|tasks.masked_tokens|s|2", seed=9)
    wanted = mix(np.array([base, base], np.uint64), np.array([0, 4], np.uint64))
    assert Draw(9, STEP, "s", 2, np.array([0, 4])).keys(2).tolist() == wanted.tolist()


def _chi2(counts: Numbers) -> float:
    wanted = counts.sum() / len(counts)
    return float(((counts - wanted) ** 2 / wanted).sum() / (len(counts) - 1))


@pytest.mark.parametrize("bound", [1, 2, 3, 7, 64, 1000])
def test_below_is_uniform(bound: int) -> None:
    drawn = Draw(0, STEP).below(random_names(50 * max(bound, 40)), bound)
    assert drawn.dtype == np.int64
    assert drawn.min() >= 0 and drawn.max() < bound
    if bound > 1:
        assert _chi2(np.bincount(drawn, minlength=bound)) < 1 + 5 * (2 / (bound - 1)) ** 0.5


def test_below_of_neighbouring_keys_is_uniform() -> None:
    """Names that count upward, as no hash ever would, are the hardest for a generator."""
    keys = np.arange(20_000, dtype=np.uint64)
    drawn = Draw(0, STEP).below(Names.from_keys(keys, keys * 0), 100)
    assert _chi2(np.bincount(drawn, minlength=100)) < 1 + 5 * (2 / 99) ** 0.5
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 5 / 20_000**0.5


def test_a_lopsided_below_is_caught() -> None:
    draws = Draw(0, STEP).uint32(random_names(2800), 1)[:, 0]
    mutant = np.minimum(draws >> np.uint32(29), 6)
    assert _chi2(np.bincount(mutant, minlength=7)) > 10


@pytest.mark.parametrize("bound", [1, 2**31, 2**32 - 1, 2**32])
def test_below_at_its_limits(bound: int) -> None:
    drawn = Draw(0, STEP).below(random_names(2000), bound)
    assert drawn.min() >= 0 and drawn.max() < bound
    assert bound == 1 or drawn.max() > bound * 0.99


def test_no_rows() -> None:
    assert Draw(0, STEP).uint32(random_names(0), 5).shape == (0, 5)
    assert Draw(0, STEP).below(random_names(0), 5).shape == (0,)


def test_golden_values() -> None:
    """Changing one of these changes every training run: raise the version in the hashed label, and say so."""
    names = Names(*(np.array(c, t) for c, t in zip(([1, 1, 1], [2, 2, 2], [0, 1, 0], [-1, -1, 9]), "QQIq", strict=True)))
    assert Draw(0, STEP).uint32(names, 5).tolist() == [
        [1279411596, 1467724948, 2908019684, 4087635514, 3567278456],
        [1179980734, 3550916222, 3825659947, 3772145535, 3290329031],
        [1550824417, 2145267880, 1480829001, 2084270502, 2346531869],
    ]
    assert Draw(17, STEP, "b", 1, np.array([0, 1, 2])).uint32(names, 3).tolist() == [
        [3322078245, 836529347, 2142035471],
        [3573939867, 933157726, 2707118890],
        [4249782351, 1736727693, 3384553677],
    ]
    assert Draw(17, STEP).below(names, 1000).tolist() == [478, 682, 4]
