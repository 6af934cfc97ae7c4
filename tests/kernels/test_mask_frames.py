"""Spans and negatives as transformers draws them, in distribution, without what is wrong there; sums as exact as can be."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sslpipe.kernels.mask_frames import SHARE_RANGE, mask_spans, masked_negatives, normalized
from tests.support_wav2vec2 import wav2vec2

COUNT = 3000
SHARE, LENGTH = 0.065, 10


def keys(count: int, salt: int = 0) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    rng = np.random.default_rng([count, salt])
    return rng.integers(0, 2**32, (count, 3), np.uint32), rng.integers(0, 2**64, count, np.uint64)


def spans(
    frames: int, count: int = COUNT, share: float = SHARE, length: int = LENGTH, least: int = 0, pad: int = 0
) -> NDArray[np.bool_]:
    mask = np.zeros((count, frames + pad), np.bool_)
    words, own = keys(count, frames)
    mask_spans(words, own, np.full(count, frames), round(share * SHARE_RANGE), length, least, mask)
    return mask


@cache
def theirs(frames: int, count: int = COUNT, share: float = SHARE) -> NDArray[np.bool_]:
    """One row a call, since a batch shares one draw there."""
    np.random.seed(7)
    make = wav2vec2._compute_mask_indices
    return np.concatenate([make((1, frames), share * LENGTH, LENGTH) for _ in range(count)])


def runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of the runs of masked frames."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    return np.nonzero(edges == -1)[1] - np.nonzero(edges == 1)[1]


def near(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> None:
    share = (one.sum() + other.sum()) / (one.size + other.size)
    sigma = math.sqrt(share * (1 - share) * (1 / one.size + 1 / other.size))
    assert abs(one.mean() - other.mean()) <= 4 * sigma + 1e-12, (one.mean(), other.mean())


def same_law(one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    """Two histograms come from one law, at 1 in 10^4; bins expected below 5 are joined."""
    size = max(len(one), len(other))
    one, other = (np.pad(part, (0, size - len(part))) for part in (one, other))
    total = one + other
    rare = np.minimum(one.sum(), other.sum()) / total.sum() * total < 5
    one, other = (np.append(part[~rare], part[rare].sum()) for part in (one, other))
    table = np.array([one, other], np.float64)
    table = table[:, table.sum(0) > 0]
    wanted = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    below_chi2(float(((table - wanted) ** 2 / wanted).sum()), table.shape[1] - 1)


def below_chi2(chi2: float, freedom: int) -> None:
    assert chi2 <= freedom * (1 - 2 / (9 * freedom) + 3.719 * math.sqrt(2 / (9 * freedom))) ** 3


@pytest.mark.parametrize(
    ("frames", "share", "covered"),
    [(49, 0.065, 0.511), (249, 0.065, 0.493), (499, 0.065, 0.491), (49, 0.08, 0.584), (249, 0.08, 0.569), (499, 0.08, 0.567)],
)
def test_coverage_is_that_of_the_papers(frames: int, share: float, covered: float) -> None:
    assert abs(spans(frames, share=share).mean() - covered) < 0.005


@pytest.mark.parametrize("frames", [49, 150])
def test_spans_are_those_of_transformers(frames: int) -> None:
    ours, others = spans(frames), theirs(frames)
    same_law(np.bincount(ours.sum(1)), np.bincount(others.sum(1)))
    same_law(np.bincount(runs(ours)), np.bincount(runs(others)))
    for place in (0, 1, 9, frames // 2, frames - 2, frames - 1):
        near(ours[:, place], others[:, place])


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 80), st.floats(0.001, 0.99), st.integers(1, 20), st.integers(1, 5), st.integers(0, 30))
def test_spans_are_whole_inside_and_leave_something(frames: int, share: float, length: int, least: int, pad: int) -> None:
    mask = spans(frames, 20, share, length, least, pad)
    assert not mask[:, frames:].any()
    np.testing.assert_array_equal(mask[:, :frames], spans(frames, 20, share, length, least), "padding changes nothing")
    if frames < length:
        assert not mask.any()
        return
    assert (runs(mask) >= length).all()
    assert mask.any(axis=1).all()
    if frames > length:
        assert not mask[:, :frames].all(axis=1).any()
    if frames > least * length:
        assert (mask.sum(1) >= max(length, least)).all(), "so many different starts cover at least so many frames"


def test_first_and_last_are_masked_alike() -> None:
    mask = spans(60, 20_000)
    near(mask[:, 0], mask[:, -1])
    near(mask[:, 5], mask[:, -6])
    assert mask[:, -1].any()


def test_starts_that_stop_too_early_are_caught() -> None:
    """fairseq draws from one start too few, so that the last frame is never masked."""
    mask = np.pad(spans(59, 20_000), ((0, 0), (0, 1)))
    with pytest.raises(AssertionError):
        near(mask[:, 0], mask[:, -1])


def test_the_number_of_spans_has_the_right_mean() -> None:
    """Spans of one frame don't overlap, so that they can be counted."""
    for frames, share in ((100, 0.065), (101, 0.037), (37, 0.5)):
        counts = spans(frames, 5000, share, 1).sum(1)
        low = math.floor(frames * share)
        assert set(counts.tolist()) <= {low, low + 1}
        sigma = 0.5 / math.sqrt(5000)
        assert abs(counts.mean() - frames * share) <= 4 * sigma + 1e-6


def negatives(mask: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    out = np.full((*mask.shape, count), -7, np.int64)
    words, own = keys(len(mask), count)
    masked_negatives(words, own, mask, out)
    return out


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 60), st.integers(1, 11), st.integers(0, 2**32))
def test_negatives_are_other_masked_frames(frames: int, count: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((5, frames)) < 0.3
    made = negatives(mask, count)
    for row in range(5):
        places = np.flatnonzero(mask[row])
        if len(places) < 2:
            assert not made[row].any()
            continue
        assert np.isin(made[row, places], places).all()
        assert (made[row, places] != places[:, None]).all()
        assert not made[row, ~mask[row]].any()


def test_negatives_are_uniform_as_by_transformers() -> None:
    mask = np.zeros((1, 40), np.bool_)
    mask[0, [3, 4, 5, 20, 21, 33, 39]] = True
    places = np.flatnonzero(mask[0])
    np.random.seed(3)
    others = wav2vec2._sample_negative_indices((1, 40), 4000, mask)
    made = negatives(mask, 4000)
    for place in places:
        ours = np.bincount(made[0, place], minlength=40)[places]
        wanted = np.where(places == place, 0, 4000 / 6)
        assert ours[places == place] == 0
        below_chi2(float(((ours - wanted) ** 2 / np.maximum(wanted, 1)).sum()), 5)
        same_law(ours, np.bincount(others[0, place], minlength=40)[places])


def test_what_a_frame_draws_is_its_own() -> None:
    """Another frame being masked or not changes no draw: only what the ranks stand for."""
    mask = np.zeros((1, 30), np.bool_)
    mask[0, [2, 9, 10, 28]] = True
    wide = np.pad(mask, ((0, 0), (0, 50)))
    np.testing.assert_array_equal(negatives(wide, 8)[:, :30], negatives(mask, 8))


def test_golden_draws() -> None:
    mask = spans(20, 1, 0.1, 3)
    assert np.flatnonzero(mask[0]).tolist() == GOLDEN_MASK
    assert negatives(mask, 3)[0, GOLDEN_MASK].tolist() == GOLDEN_NEGATIVES


GOLDEN_MASK = [8, 9, 10, 17, 18, 19]
GOLDEN_NEGATIVES = [[10, 10, 10], [19, 18, 10], [18, 18, 18], [19, 9, 18], [9, 17, 10], [10, 8, 8]]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3000), st.integers(0, 2**32), st.sampled_from([1e-5, 0.1, 1.0]), st.sampled_from([0.0, 0.3, -1.0]))
def test_normalized_is_that_of_transformers(size: int, seed: int, scale: float, offset: float) -> None:
    samples = (np.random.default_rng(seed).normal(0, 1, size) * scale + offset).astype(np.float32)
    out = np.empty(size, np.float32)
    normalized(samples, out)
    exact = samples.astype(np.float64)
    wanted = (exact - exact.mean()) / np.sqrt(exact.var() + 1e-7)
    np.testing.assert_allclose(out, wanted, rtol=1e-6, atol=1e-7)


def test_silence_stays_silence() -> None:
    for value in (0.0, 0.5):
        out = np.empty(100, np.float32)
        normalized(np.full(100, value, np.float32), out)
        assert not out.any()
