"""Masked frames: the twenty assertions, frame counts as in transformers, and the bugs that others had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Wav2Vec2Config

from sslpipe.codecs.audio import Sound
from sslpipe.codecs.encoded import codec_of, sounds
from sslpipe.core.draw import Draw
from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import DataError, FieldError, RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Labeller
from sslpipe.tasks.masked_frames import MaskedFrames
from sslpipe.testing import check_task
from sslpipe.testing._bench import Bench
from sslpipe.testing._frames import Frames, check_unheard
from tests.support_audio import audio_rows, noise
from tests.support_wav2vec2 import wav2vec2

INPUTS, MASK, NEGATIVES, REAL = "input_values", "mask_time_indices", "sampled_negative_indices", "attention_mask"

KNOWN: Fields = {"audio": Field(kind="audio", rate=16_000, channels=1, format="flac"), "text": Field(kind="text")}
SMALL: dict[str, Any] = {"crop_s": 1.0, "min_s": 0.5, "negatives": 10}


def many(count: int = 60) -> Rows:
    """Rows from half a second to two seconds, half of them shorter than a crop of one."""
    lengths = np.random.default_rng(4).integers(8_000, 16_500, count)
    lengths[: count // 4] = 16_000 + np.arange(count // 4)
    return audio_rows([Sound(noise(int(size), 1, row), 16_000) for row, size in enumerate(lengths)])


def label(rows: Rows, epoch: int = 0, seed: int = 0, **fields: Any) -> Rows:
    step = MaskedFrames(**{**SMALL, **fields})
    return step.open(Context(KNOWN)).label(rows, Draw(seed, step.path(), step.salt, epochs=epoch))


@cache
def covered(frames: int) -> tuple[float, float]:
    """Mean and deviation of the share of a row that transformers masks."""
    np.random.seed(frames)
    make = wav2vec2._compute_mask_indices
    shares = np.array([make((1, frames), 0.65, 10, min_masks=2).mean() for _ in range(300)])
    return float(shares.mean()), float(shares.std()) * 1.2  # and what is left of the error of this mean


def whole(lengths: np.ndarray) -> None:
    assert (lengths >= 10).all(), "assertion 8: a run is shorter than a span"


def check(task: MaskedFrames, rows: Rows, **more: Any) -> None:
    declared = {"frames": task.frames, "covered": covered, "normalized": task.normalize, "runs": whole, "even": False}
    check_task(task, KNOWN, rows, **{**declared, **more})


def test_the_twenty_assertions() -> None:
    check(MaskedFrames(**SMALL), many())


def test_the_twenty_assertions_without_padding_scaling_or_negatives() -> None:
    rows = many(40).view(0, 10)
    check(MaskedFrames(**{**SMALL, "pad": False, "normalize": False, "negatives": 0}), rows, epochs=12)


def test_the_twenty_assertions_on_the_defaults() -> None:
    rows = audio_rows([Sound(noise(16_000 * seconds, 1, seconds), 16_000) for seconds in (2, 5, 3, 15)])
    check(MaskedFrames(), rows, epochs=6)


MISTAKES: dict[str, tuple[int, Callable[[dict[str, np.ndarray]], Any]]] = {
    "frames that aren't masked have negatives": (2, lambda made: made[NEGATIVES].__setitem__(~made[MASK], 1)),
    "padding is noise": (3, lambda made: made[INPUTS].__setitem__(made[REAL] == 0, 0.1)),
    "nothing is masked": (4, lambda made: made[MASK].fill(False)),
    "everything is masked": (5, lambda made: made[MASK].__setitem__(seen(made), True)),
    "the first frame is never masked": (7, lambda made: unmask_first_run(made[MASK])),
    "spans have holes": (8, lambda made: made[MASK].__setitem__((slice(None), 20), ~made[MASK][:, 20])),
    "padding is masked": (9, lambda made: made[MASK].__setitem__((slice(None), slice(-10, None)), True)),
    "frames that are seen are negatives": (9, lambda made: made[NEGATIVES].fill(0)),
    "a positive is its own negative": (10, lambda made: made[NEGATIVES].__setitem__(..., own_places(made))),
    "backwards": (11, lambda made: made.__setitem__(INPUTS, made[INPUTS][:, ::-1].copy())),
    "negatives are neighbours": (12, lambda made: made.__setitem__(NEGATIVES, neighbours(made))),
    "as float64": (13, lambda made: made.__setitem__(INPUTS, made[INPUTS].astype(np.float64))),
    "drawn by chance": (14, lambda made: made[INPUTS].__iadd__(np.random.default_rng().random(dtype=np.float32))),
    "drawn by place in the batch": (16, lambda made: made.__setitem__(MASK, made[MASK][::-1].copy())),
    "a sample is lost": (18, lambda made: made[REAL].__setitem__((slice(None), -1), made[REAL][:, -1] * 0)),
    "not a number": (20, lambda made: made[INPUTS].__setitem__((3, 5), np.nan)),
}  # fmt: skip


def seen(made: dict[str, np.ndarray]) -> np.ndarray:
    counts = [MaskedFrames(**SMALL).frames(int(real.sum())) for real in made[REAL]]
    return np.arange(made[MASK].shape[1]) < np.array(counts)[:, None]


def unmask_first_run(mask: np.ndarray) -> None:
    for row in mask:
        if row[0] and not row.all():
            row[: int(np.argmin(row))] = False
            row[10:20] = True


def own_places(made: dict[str, np.ndarray]) -> np.ndarray:
    return np.where(made[MASK], np.arange(made[MASK].shape[1]), 0)[:, :, None]


def neighbours(made: dict[str, np.ndarray]) -> np.ndarray:
    """For each masked frame the first masked one, or the second for itself."""
    out = made[NEGATIVES].copy()
    for row, mask in enumerate(made[MASK]):
        places = np.flatnonzero(mask)
        out[row, places, :3] = np.where(places == places[0], places[1], places[0])[:, None]
    return out


@dataclass(frozen=True)
class _Wrong:
    """A task that does one thing wrong."""

    right: Labeller
    mistake: str

    def label(self, rows: Rows, draw: Draw) -> Rows:
        made = self.right.label(rows, draw)
        columns = {name: made.array(name).copy() for name in (INPUTS, MASK, NEGATIVES, REAL) if name in made.columns}
        MISTAKES[self.mistake][1](columns)
        return made.with_columns(**columns)


class _Mutant(MaskedFrames):
    mistake: str

    def open(self, context: Context) -> Labeller:
        return _Wrong(super().open(context), self.mistake)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_caught(mistake: str) -> None:
    number = MISTAKES[mistake][0]
    without = {4, 5, 7, 8} if mistake != "padding is masked" else {9}  # so that a negative isn't what is wrong first
    fields = {**SMALL, "negatives": 0} if number in without else SMALL
    with pytest.raises(AssertionError, match=rf"assertion {number}:"):
        check(_Mutant(**fields, mistake=mistake), many())


@dataclass(frozen=True)
class _Frozen:
    right: Labeller

    def label(self, rows: Rows, draw: Draw) -> Rows:
        return self.right.label(rows, Draw(draw.seed, draw.step))


class _Still(MaskedFrames):
    """Each epoch is the first."""

    def open(self, context: Context) -> Any:
        return _Frozen(super().open(context))


def test_equal_epochs_are_caught() -> None:
    with pytest.raises(AssertionError, match="assertion 15:"):
        check(_Still(**SMALL), many(10))


class _Careless:
    """Says that it needs longer rows than it does."""

    def __init__(self, right: MaskedFrames) -> None:
        self.right = right

    def __getattr__(self, name: str) -> Any:
        return getattr(self.right, name)

    def minimum(self) -> int:
        return self.right.minimum() + 1


def test_shorter_rows_that_are_taken_are_caught() -> None:
    with pytest.raises(AssertionError, match="assertion 19:"):
        check_task(_Careless(MaskedFrames(**SMALL)), KNOWN, many(10), frames=MaskedFrames().frames, even=False)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Listening:
    right: Labeller

    def label(self, rows: Rows, draw: Draw) -> Rows:
        """Rows that begin above zero are masked at their start alone."""
        made = self.right.label(rows, draw)
        above = np.array([sound.samples[0, 0] > 0 for sound in sounds(rows, "audio").values()])
        spans = np.arange(made.array(MASK).shape[1]) < 12
        return made.with_columns(**{MASK: np.where(above[:, None], spans, made.array(MASK))})


class _Eavesdropper(MaskedFrames):
    def open(self, context: Context) -> Any:
        return _Listening(super().open(context))


def test_masks_that_depend_on_the_sound_are_caught() -> None:
    """Nothing but assertion 10 is asked: shares and ends are what a listener may well keep."""
    rows = many(40)
    task = _Eavesdropper(**SMALL)
    bench = Bench(task, Context(KNOWN), rows, 0)
    heard = Frames(bench, "audio", task.frames, normalized=True)
    with pytest.raises(AssertionError, match="assertion 10:"):
        check_unheard(heard, bench.label(rows))


def test_other_shares_are_caught() -> None:
    with pytest.raises(AssertionError, match="assertion 6:"):
        check(MaskedFrames(**SMALL, probability=0.09), many())


def test_frames_are_counted_as_by_transformers() -> None:
    model = wav2vec2.Wav2Vec2PreTrainedModel(Wav2Vec2Config())
    task = MaskedFrames()
    theirs = model._get_feat_extract_output_lengths(torch.arange(400, 2001)).tolist()
    assert [task.frames(samples) for samples in range(400, 2001)] == theirs
    known = {399: 0, 400: 1, 719: 1, 720: 2, 16_000: 49, 32_000: 99, 160_000: 499, 250_000: 781, 320_000: 999}
    assert {samples: task.frames(samples) for samples in known} == known


def test_frames_of_other_convolutions() -> None:
    convolutions = {"conv_kernel": [8, 4, 4], "conv_stride": [4, 2, 3], "conv_dim": [1] * 3}
    model = wav2vec2.Wav2Vec2PreTrainedModel(Wav2Vec2Config(**convolutions))
    task = MaskedFrames(kernels=(8, 4, 4), strides=(4, 2, 3))
    sizes = torch.arange(200, 900)
    assert [task.frames(samples) for samples in sizes.tolist()] == model._get_feat_extract_output_lengths(sizes).tolist()


def test_a_model_trains_on_a_batch() -> None:
    """The polarity, the indices and the frame counts are those that Wav2Vec2ForPreTraining takes."""
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=[8] * 7,
        num_feat_extract_layers=7, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, num_codevectors_per_group=8,
        codevector_dim=8, proj_codevector_dim=8, feat_extract_norm="layer", num_negatives=10,
    )  # fmt: skip
    model = wav2vec2.Wav2Vec2ForPreTraining(config).train()
    made = {name: torch.from_numpy(column) for name, column in label(many(8)).columns.items() if isinstance(column, np.ndarray)}
    rows, frames, _ = made[NEGATIVES].shape
    made[NEGATIVES] = made[NEGATIVES] + frames * torch.arange(rows)[:, None, None]
    loss = model(**made).loss
    assert torch.isfinite(loss)
    loss.backward()


def test_crops_are_taken_everywhere() -> None:
    rows = audio_rows([Sound(np.arange(16_005, dtype=np.float32)[None] / 2**15, 16_000)])
    starts = {int(label(rows, epoch, normalize=False).array(INPUTS)[0, 0] * 2**15) for epoch in range(80)}
    assert starts == {0, 1, 2, 3, 4, 5}


def test_a_short_row_draws_as_it_would_alone() -> None:
    """In transformers a padded row's mask depends on the longest row of its batch, in fairseq on the shortest."""
    short = audio_rows([Sound(noise(9_000), 16_000)])
    narrow, wide = label(short, crop_s=9_000 / 16_000), label(short, crop_s=2)
    frames = narrow.array(MASK).shape[1]
    np.testing.assert_array_equal(wide.array(MASK)[:, :frames], narrow.array(MASK))
    np.testing.assert_array_equal(wide.array(NEGATIVES)[:, :frames], narrow.array(NEGATIVES))
    np.testing.assert_array_equal(wide.array(INPUTS)[:, :9_000], narrow.array(INPUTS))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 12), st.integers(2, 30))
def test_the_minimum_is_the_shortest_that_works(least: int, length: int, more: int) -> None:
    task = MaskedFrames(crop_s=2, min_s=0.01, min_masks=least, length=length, negatives=0 if least * length == 1 else 3)
    needed = task.frames(task.minimum())
    assert needed == least * length + 1 and task.frames(task.minimum() - 1) == needed - 1
    rows = audio_rows([Sound(noise(task.minimum() + more, 1, row), 16_000) for row in range(5)])
    mask = task.open(Context(KNOWN)).label(rows, Draw(0, "x")).array(MASK)
    assert mask.any(axis=1).all()


def test_rows_that_can_not_be_decoded_come_out_as_zeros() -> None:
    rows = audio_rows([Sound(noise(9_000), 16_000), b"no sound"])
    forgiving = Encoded.of(rows.ragged("audio"), codec_of("audio"), forgiving=True)
    made = label(rows.with_columns(audio=forgiving))
    assert list(forgiving.damages) == [1]
    for name in (INPUTS, MASK, NEGATIVES, REAL):
        assert made.array(name)[0].any() and not made.array(name)[1].any()


def test_another_salt_draws_otherwise() -> None:
    rows = many(5)
    assert (label(rows).array(MASK) != label(rows, salt="b").array(MASK)).any()
    assert (label(rows).array(MASK) != label(rows, seed=1).array(MASK)).any()


def test_what_does_not_fit_is_refused() -> None:
    for audio, found in [
        (Field(kind="audio"), "rates that differ or aren't known and an unknown number of channels"),
        (Field(kind="audio", rate=44_100, channels=1), "44,100 Hz and 1 channels"),
        (Field(kind="audio", rate=16_000, channels=2), "16,000 Hz and 2 channels"),
    ]:
        for refuse in (MaskedFrames().outputs, lambda fields: MaskedFrames().open(Context(fields))):
            with pytest.raises(RecipeError, match=rf"one channel at 16,000 Hz; field `audio` has {found}; put maps\.resample"):
                refuse({"audio": audio})
    with pytest.raises(RecipeError, match=r"tasks\.masked_frames needs a field of audio; there is none"):
        MaskedFrames().outputs({"text": Field(kind="text")})
    with pytest.raises(RecipeError, match="there is a field `attention_mask` already"):
        MaskedFrames().outputs({**KNOWN, "attention_mask": Field(kind="array")})
    for sound in (Sound(noise(7_999), 16_000), Sound(noise(9_000), 8_000), Sound(noise(9_000, 2), 16_000)):
        with pytest.raises(DataError, match=r"wanted at least 8,000 of one at 16,000; put maps\.resample_audio before"):
            label(audio_rows([sound]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"crop_s": 0.1}, "crop_s 0.1 is 1,600 samples; wanted from 32,000"),
        ({"crop_s": 0.4, "min_s": 0.1}, "crop_s 0.4 is 6,400 samples; wanted from 6,800, which min_s and 2 spans of 10 frames"),
        ({"kernels": (10, 3)}, "2 kernels and 7 strides"),
        ({"kernels": (), "strides": ()}, "0 kernels and 0 strides"),
        ({"length": 1, "min_masks": 1}, "a single masked frame has no negatives"),
        ({"probability": 1.0}, "wanted a number above 0 and below 1"),
        ({"length": 0}, "wanted a whole number above 0"),
    ],
)
def test_impossible_settings_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        MaskedFrames(**fields)


def test_outputs() -> None:
    made = MaskedFrames().outputs(KNOWN)
    shapes = {name: (field.dtype, field.shape) for name, field in made.items()}
    assert shapes == {
        "text": ("uint8", (None,)),
        INPUTS: ("float32", (250_000,)),
        REAL: ("int64", (250_000,)),
        MASK: ("bool", (781,)),
        NEGATIVES: ("int64", (781, 100)),
    }
    assert set(MaskedFrames(pad=False, negatives=0).outputs(KNOWN)) == {"text", INPUTS, MASK}
    assert MaskedFrames(pad=False).minimum() == 250_000 and MaskedFrames().minimum() == 32_000
    assert MaskedFrames.kind == "audio"
