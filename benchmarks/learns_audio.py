"""Claim: a small model learns from masked frames of speech. Its held-out loss falls below what can be had without learning.

    python -m benchmarks.learns_audio [--dataset DIR] [--steps 300] [--quick]

A small wav2vec 2.0: its seven convolutions, with their widths and strides, so that frames are where the task says; hidden
frames replaced; places told by one more convolution, as there; two layers of attention; and for each hidden frame a choice
between it and the negatives that the task drew. The frames to choose from are those of the convolutions, not quantised.

Without learning a model that can't tell frames apart has log(K + 1). Beside it the same model untrained, and trained as long
on the same batches with the frames of other rows to choose from, at the same places: what can be learnt when a mask and its
frames don't belong together.

Fair: the dataset is built by the shipped recipe `audio`, batches come from its stream as a trainer would take them, what is
held out is never trained on, and each loss is measured on the same held-out batches. Seeds are fixed; torch computes in one
thread. DIR has a `val` split. By default it is the demo's speech, sixty sentences by a synthesiser, of which a fifth is held
out, so that real speech is the better proof. The seconds are those of training, batches included.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn

from benchmarks.corpus import open_dataset, options, workspace
from benchmarks.harness import versions
from benchmarks.learning import Batch, Lesson, layers, permuted, some, study
from benchmarks.recordings import build_sentences
from benchmarks.streams import one_thread
from sslpipe import tasks

BATCH, HELD_OUT = 16, 8
WIDTH, NEGATIVES, TEMPERATURE = 64, 20, 0.1
TASK = tasks.MaskedFrames(crop_s=2, pad=False, negatives=NEGATIVES)


class TinyWav2Vec(nn.Module):
    """Convolutions, attention, and what frames are compared by."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for number, (kernel, stride) in enumerate(zip(TASK.kernels, TASK.strides, strict=True)):
            width = WIDTH if number else 1
            blocks += [nn.Conv1d(width, WIDTH, kernel, stride, bias=False), nn.GroupNorm(1, WIDTH), nn.GELU()]
        self.convolutions, self.norm = nn.Sequential(*blocks), nn.LayerNorm(WIDTH)
        self.hidden = nn.Parameter(0.1 * torch.randn(WIDTH))
        self.places = nn.Sequential(nn.Conv1d(WIDTH, WIDTH, 31, padding=15), nn.GELU())
        self.attention = layers(WIDTH, 2)
        self.made, self.wanted = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, samples: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        frames = self.norm(self.convolutions(samples[:, None]).transpose(1, 2))
        if frames.shape[1] != mask.shape[1]:
            raise SystemExit(f"the model makes {frames.shape[1]} frames, the task says {mask.shape[1]}")
        seen = torch.where(mask[:, :, None], self.hidden, frames)
        seen = seen + self.places(seen.transpose(1, 2)).transpose(1, 2)
        return self.made(self.attention(seen)), self.wanted(frames)


def frame_loss(model: nn.Module, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
    """Which of the `K + 1` frames is the hidden one?"""
    mask = batch["mask_time_indices"]
    made, frames = model(batch["input_values"], mask)
    frames = permuted(nn.functional.normalize(frames, dim=-1), generator)
    rows, places = mask.nonzero(as_tuple=True)
    choices = torch.cat([places[:, None], batch["sampled_negative_indices"][mask]], 1)
    made = nn.functional.normalize(made[rows, places], dim=-1)
    alike = (frames[rows[:, None], choices] * made[:, None]).sum(-1) / TEMPERATURE
    return nn.functional.cross_entropy(alike, torch.zeros_like(rows))


def lesson(folder: Path) -> Lesson:
    """What is to be learnt."""
    dataset = open_dataset(folder)
    held = dataset.stream(TASK, batch_size=1, threads=1, split="val").report()["selected"]
    if held < 4:
        raise SystemExit(f"only {held} recordings are held out; build with a larger share, `--set shards.splits.val=0.1`")
    size = min(BATCH, held)
    training = dataset.stream(TASK, batch_size=size, threads=1, tail="drop")
    held_out = some(dataset.stream(TASK, batch_size=size, threads=1, tail="drop", split="val"), HELD_OUT)
    chance = {"chance, log(K + 1)": math.log(NEGATIVES + 1)}
    return Lesson("masked frames", TinyWav2Vec, frame_loss, training, held_out, chance)


def main() -> None:
    """Train, print."""
    parser = options(__doc__, "sound and a `val` split")
    parser.add_argument("--steps", type=int, default=300)
    chosen = parser.parse_args()
    one_thread()
    print(versions("sslpipe", "torch", "numpy"))
    with workspace(chosen.dataset, chosen.quick, build_sentences) as folder:
        study(lesson(folder), min(chosen.steps, 20) if chosen.quick else chosen.steps)


if __name__ == "__main__":
    main()
