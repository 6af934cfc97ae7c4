"""Masked frames of sound, for models of the wav2vec 2.0 family."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Self

import numpy as np
import pydantic
from numpy.typing import NDArray
from pydantic import PositiveInt

from sslpipe.codecs.audio_header import MAX_RATE, MIN_RATE
from sslpipe.codecs.encoded import sounds
from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.fields import Field, Fields, Kind
from sslpipe.core.rows import AnyColumn, Rows
from sslpipe.core.steps import Context, Labeller, Task, pick_field

_MOST_NEGATIVES: Final = 4096
_MOST_SAMPLES: Final = 1 << 26

Seconds = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]


class MaskedFrames(Task):
    """Hide spans of frames and tell each hidden one from others (wav2vec 2.0, arXiv 2006.11477), anew each epoch.

    A random crop of each row, and for the frames that the model's convolutions make of it: which are masked, and for each
    masked one, negatives among the others. Spans are those of fairseq and transformers: all of one length, starts drawn without
    replacement, free to overlap, so that about half of the frames are masked (49 % of 15 s). Unlike there, a row's mask depends
    on nothing but the row: no count is made equal over a batch, so that spans stay whole, the last frame is masked as often as
    the first, and padding never is. HuBERT, data2vec and WavLM take the same masks, without negatives.

    A row shorter than the crop is padded with zeros behind it, and `attention_mask` says so; with `pad: false` such rows are
    left out beforehand instead. Models whose first convolution has a group norm (wav2vec 2.0 base) were trained without a mask:
    leave it out for them, or don't pad.
    """

    kind: ClassVar[Kind] = "audio"

    rate: int = pydantic.Field(default=16_000, ge=MIN_RATE, le=MAX_RATE)
    """Samples a second that the model is made for; the field must have it, see maps.resample_audio."""
    crop_s: Seconds = 15.625
    """Seconds of a crop: 250,000 samples in wav2vec 2.0 base. Rows of all lengths come out as long."""
    min_s: Seconds = 2
    """Shortest row, in seconds, when rows are padded: 32,000 samples in wav2vec 2.0."""
    pad: bool = True
    """Whether rows shorter than a crop are padded, or left out."""
    probability: float = pydantic.Field(default=0.065, gt=0, lt=1)
    """Of all frames, the share that begin a span (wav2vec 2.0; HuBERT has 0.08). fairseq and transformers call ten times this
    `mask_prob`, 0.65, since they divide by the length."""
    length: PositiveInt = 10
    """Frames of a span (wav2vec 2.0)."""
    min_masks: PositiveInt = 2
    """Fewest spans of a row (fairseq's wav2vec 2.0), which matters below 25 frames."""
    negatives: int = pydantic.Field(default=100, ge=0, le=_MOST_NEGATIVES)
    """Negatives of each masked frame (wav2vec 2.0), with replacement; 0 leaves them out."""
    kernels: tuple[PositiveInt, ...] = (10, 3, 3, 3, 3, 2, 2)
    """Widths of the model's convolutions (`conv_kernel` in transformers)."""
    strides: tuple[PositiveInt, ...] = (5, 2, 2, 2, 2, 2, 2)
    """Their strides (`conv_stride`): one frame every 320 samples, 20 ms."""
    normalize: bool = True
    """Whether each crop gets a mean of 0 and a variance of 1 (`do_normalize` in transformers); false leaves full scale at 1."""
    field: str | None = None
    """The field of audio; by default the only one."""

    @pydantic.model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.kernels or len(self.kernels) != len(self.strides):
            raise ValueError(f"{len(self.kernels)} kernels and {len(self.strides)} strides: wanted as many, and at least one")
        if self.negatives and max(self.length, self.min_masks) < 2:
            raise ValueError("a single masked frame has no negatives; raise length or min_masks, or set negatives to 0")
        if not self._shortest() <= self._crop() <= _MOST_SAMPLES:
            raise ValueError(
                f"crop_s {self.crop_s:g} is {self._crop():,} samples; wanted from {self._shortest():,}, which min_s and "
                f"{self.min_masks} spans of {self.length} frames need, to {_MOST_SAMPLES:,}"
            )
        return self

    def outputs(self, fields: Fields) -> Fields:
        """In place of the audio, what was made of it; `S` are samples, `T` frames, and `K` negatives of each.

        `input_values` float32 `[S]`; `mask_time_indices` bool `[T]`, True is masked; `sampled_negative_indices` int64 `[T, K]`,
        places within the row, 0 where nothing is masked; `attention_mask` int64 `[S]`, 1 = sound, where rows are padded.
        """
        name = pick_field(self, fields, "audio", self.field)
        audio = fields[name]
        if audio.rate != self.rate or audio.channels != 1:
            rate = "rates that differ or aren't known" if audio.rate is None else f"{audio.rate:,} Hz"
            channels = "an unknown number of channels" if audio.channels is None else f"{audio.channels} channels"
            raise RecipeError(
                f"{self.path()} needs one channel at {self.rate:,} Hz; field `{name}` has {rate} and {channels}; "
                f"put maps.resample_audio before it (in `build:`)"
            )
        kept = {other: value for other, value in fields.items() if other != name}
        made = self._made()
        clash = sorted(set(made) & set(kept))
        if clash:
            raise RecipeError(f"{self.path()}: there is a field `{clash[0]}` already; one task makes it")
        return {**kept, **made}

    def _made(self) -> dict[str, Field]:
        samples, frames = self._crop(), self.frames(self._crop())
        made = {"input_values": Field(kind="array", dtype="float32", shape=(samples,))}
        if self.pad:
            made["attention_mask"] = Field(kind="array", dtype="int64", shape=(samples,))
        made["mask_time_indices"] = Field(kind="array", dtype="bool", shape=(frames,))
        if self.negatives:
            made["sampled_negative_indices"] = Field(kind="array", dtype="int64", shape=(frames, self.negatives))
        return made

    def minimum(self) -> int:
        """In samples at `rate`: `min_s`, or what the fewest spans and a visible frame need if that is more; else a crop."""
        return self._shortest() if self.pad else self._crop()

    def frames(self, samples: int) -> int:
        """How many frames the model's convolutions make of so many samples."""
        for width, stride in zip(self.kernels, self.strides, strict=True):
            samples = (samples - width) // stride + 1 if samples >= width else 0
        return samples

    def _crop(self) -> int:
        return round(Fraction(repr(self.crop_s)) * self.rate)

    def _shortest(self) -> int:
        samples = self.min_masks * self.length + 1
        for width, stride in zip(reversed(self.kernels), reversed(self.strides), strict=True):
            samples = (samples - 1) * stride + width
        return max(samples, -int(-Fraction(repr(self.min_s)) * self.rate // 1))

    def open(self, context: Context) -> Labeller:
        """The task with its field known; raises RecipeError as `outputs` does."""
        self.outputs(context.fields)
        return _Opened(self, pick_field(self, context.fields, "audio", self.field), self._made())


@dataclass(frozen=True)
class _Opened:
    step: MaskedFrames
    field: str
    made: dict[str, Field]

    def label(self, rows: Rows, draw: Draw) -> Rows:
        """The training pairs of a batch; a row that can't be decoded, and is taken out later, comes out as zeros."""
        from sslpipe.kernels.mask_frames import SHARE_RANGE, mask_spans, masked_negatives

        step = self.step
        out: dict[str, NDArray[Any]] = {
            name: np.zeros((len(rows), *field.shape), field.dtype)  # type: ignore[arg-type]  # no axis of these is ragged
            for name, field in self.made.items()
        }
        lengths = self._crops(rows, draw, out["input_values"])
        frames = np.array([step.frames(length) for length in lengths.tolist()], np.int64)
        words, keys = rows.names.words(), draw.keys(len(rows))
        share = round(step.probability * SHARE_RANGE)
        mask_spans(words, keys, frames, share, step.length, step.min_masks, out["mask_time_indices"])
        if step.negatives:
            masked_negatives(words, keys, out["mask_time_indices"], out["sampled_negative_indices"])
        if step.pad:
            out["attention_mask"][:] = np.arange(out["attention_mask"].shape[1]) < lengths[:, None]
        made: dict[str, AnyColumn] = {**out}
        return rows.without(self.field).with_columns(**made)

    def _crops(self, rows: Rows, draw: Draw, out: NDArray[np.float32]) -> NDArray[np.int64]:
        """Write a crop of each row; returns how many samples of it are sound, 0 for a row that can't be decoded."""
        from sslpipe.kernels.mask_frames import normalized

        column = sounds(rows, self.field)
        draws = draw.uint32(rows.names, 1)[:, 0].tolist()
        size = out.shape[1]
        lengths = np.zeros(len(rows), np.int64)
        for row, drawn in enumerate(draws):
            sound = column.value(row)
            if row in column.damages:
                continue
            if sound.rate != self.step.rate or sound.channels != 1 or sound.frames < self.step.minimum():
                raise DataError(
                    f"{self.step.path()}: row {rows.names.take(np.array([row])).texts()[0]} has {sound.frames:,} samples of "
                    f"{sound.channels} channels at {sound.rate:,} Hz; wanted at least {self.step.minimum():,} of one at "
                    f"{self.step.rate:,}; put maps.resample_audio before, and leave shorter rows out"
                )
            start = drawn * (sound.frames - size + 1) >> 32 if sound.frames > size else 0
            crop = np.ascontiguousarray(sound.samples[0, start : start + size])
            lengths[row] = len(crop)
            if self.step.normalize:
                normalized(crop, out[row, : len(crop)])
            else:
                out[row, : len(crop)] = crop
        return lengths
