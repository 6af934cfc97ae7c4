"""Claim: small models learn from both tasks on pictures. Their held-out losses fall below what can be had without learning.

    python -m benchmarks.learns_images [--dataset DIR] [--steps 600] [--quick]

* *masked patches*: a small masked autoencoder (MAE). The loss is the squared error of the normalised pixels of hidden
  patches; without learning one can predict the mean of all targets of the training split, place by place, or the mean of
  those that are visible in the same picture, which has its colours right.
* *two views*: a small convolutional network (SimCLR). The loss is InfoNCE over the `2 B` views of a batch; a network that
  can't tell views apart has log(2B - 1).

Beside each the same model untrained, and trained as long on the same batches with the targets (or second views) of other rows
of the batch: what can be learnt when inputs and targets don't belong together.

Fair: the dataset is built by the shipped recipe `images`, batches come from its stream as a trainer would take them, what is
held out is never trained on, and each loss is measured on the same held-out batches. Seeds are fixed; torch computes in one
thread. DIR has a `val` split. By default the pictures are cells of two photographs, of which every fifth is held out: no
pixel is on both sides, but a neighbour of it is, so that real pictures are the better proof. The seconds are those of
training, batches included.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn

import sslpipe
from benchmarks.corpus import build_shipped, open_dataset, options, workspace
from benchmarks.harness import versions
from benchmarks.learning import Batch, Lesson, layers, permuted, some, study
from benchmarks.pictures import jpeg, photographs
from benchmarks.streams import one_thread
from sslpipe import tasks

CELL = 85
BATCH, HELD_OUT = 64, 8
SIDE, PATCH, WIDTH = 64, 8, 96
VIEW, TEMPERATURE = 48, 0.2


class TinyMae(nn.Module):
    """Three layers over visible patches, one over all."""

    def __init__(self) -> None:
        super().__init__()
        count, values = (SIDE // PATCH) ** 2, 3 * PATCH**2
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.places, self.hidden_places = (nn.Parameter(0.02 * torch.randn(count, WIDTH)) for _ in range(2))
        self.hidden = nn.Parameter(torch.zeros(WIDTH))
        self.encoder, self.decoder = layers(WIDTH, 3), layers(WIDTH, 1)
        self.pixels = nn.Linear(WIDTH, values)

    def forward(self, pictures: torch.Tensor, keep: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
        seen = self.patches(pictures).flatten(2).transpose(1, 2) + self.places
        seen = self.encoder(seen.gather(1, keep[:, :, None].expand(-1, -1, WIDTH)))
        hidden = self.hidden.expand(len(keep), restore.shape[1] - keep.shape[1], -1)
        whole = torch.cat([seen, hidden], 1).gather(1, restore[:, :, None].expand(-1, -1, WIDTH))
        made: torch.Tensor = self.pixels(self.decoder(whole + self.hidden_places))
        return made


def patch_loss(model: nn.Module, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
    """The squared error at hidden patches."""
    made = model(batch["pixel_values"], batch["ids_keep"], batch["ids_restore"])
    apart = made - permuted(batch["patch_targets"], generator)
    return apart.square().mean(-1)[batch["bool_masked_pos"]].mean()


def mean_losses(training: list[Batch], held_out: list[Batch]) -> dict[str, float]:
    """The squared errors of the mean target of each place, and of that of the visible patches of each picture."""
    mean = torch.cat([batch["patch_targets"] for batch in training]).mean(0)

    def loss(batch: Batch, made: torch.Tensor) -> torch.Tensor:
        return (batch["patch_targets"] - made).square().mean(-1)[batch["bool_masked_pos"]].mean()

    def seen(batch: Batch) -> torch.Tensor:
        shown = ~batch["bool_masked_pos"][:, :, None]
        return (batch["patch_targets"] * shown).sum(1, keepdim=True) / shown.sum(1, keepdim=True)

    found = [[loss(batch, mean), loss(batch, seen(batch))] for batch in held_out]
    all_pictures, same_picture = torch.tensor(found).mean(0).tolist()
    return {"the mean of all targets": all_pictures, "the mean of the picture's visible patches": same_picture}


class TinyNet(nn.Module):
    """Five convolutions and a projection."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 96, 128)
        blocks = [nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(8, b), nn.GELU()) for a, b in itertools.pairwise(widths)]
        self.layers = nn.Sequential(*blocks, nn.Conv2d(128, 128, 1), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.projection = nn.Sequential(nn.Linear(128, 128), nn.GELU(), nn.Linear(128, 64))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.projection(self.layers(pictures)), dim=-1)


def view_loss(model: nn.Module, batch: Batch, generator: torch.Generator | None) -> torch.Tensor:
    """InfoNCE (NT-Xent) of SimCLR: which of the other `2 B - 1` views shows the same picture?"""
    count = len(batch["views"])
    views = torch.cat([batch["views"][:, 0], permuted(batch["views"][:, 1], generator)])
    found = model(views)
    alike = (found @ found.T / TEMPERATURE).fill_diagonal_(-torch.inf)
    return nn.functional.cross_entropy(alike, torch.arange(2 * count).roll(count))


def write_cells(folder: Path) -> tuple[Path, Path]:
    """Two photographs as cells without overlap, most of them to train on, and every fifth, along diagonals, held out."""
    training, held_out = folder / "cells", folder / "held-out-cells"
    for target in (training, held_out):
        target.mkdir()
    for number, photograph in enumerate(photographs()):
        height, width = (side // CELL for side in photograph.shape[:2])
        for row, column in itertools.product(range(height), range(width)):
            top, left = CELL * row, CELL * column
            target = held_out if (row + 2 * column) % 5 == 0 else training
            stored = jpeg(photograph[top : top + CELL, left : left + CELL])
            (target / f"{number}-{row:02d}-{column:02d}.jpg").write_bytes(stored)
    return training, held_out


def build_cells(folder: Path, quick: bool) -> None:
    """Two finished datasets, that in `folder`, and `held-out` beside it."""
    for raw, target in zip(write_cells(folder.parent), (folder, folder.with_name("held-out")), strict=True):
        build_shipped("images", raw, target, f"filters.image_quality.min_side={CELL}", "shards.splits={}")


def streams(folder: Path, task: Any) -> tuple[Any, Any]:
    """What is trained on, and what is held out, in batches without a rest."""
    dataset, beside = open_dataset(folder), folder / "held-out"
    apart, split = (sslpipe.open(beside), "train") if beside.exists() else (dataset, "val")
    rows, held = (
        sum(entry.samples for entry in entries) for entries in (dataset.manifest.split("train"), apart.manifest.split(split))
    )
    if held < 8:
        raise SystemExit(f"only {held} pictures are held out; build with a larger share, `--set shards.splits.val=0.1`")
    return (
        dataset.stream(task, batch_size=min(BATCH, rows), threads=1, tail="drop"),
        apart.stream(task, batch_size=min(BATCH, held), threads=1, tail="drop", split=split),
    )


def lessons(folder: Path) -> list[Lesson]:
    """Both tasks."""
    training, apart = streams(folder, tasks.MaskedPatches(size=SIDE, patch=PATCH, patch_targets=True))
    held_out = some(apart, HELD_OUT)
    without = mean_losses(some(training, HELD_OUT), held_out)
    patches = Lesson("masked patches", TinyMae, patch_loss, training, held_out, without)
    training, apart = streams(folder, tasks.TwoViews(size=VIEW, scale=(0.2, 1), blur=0))
    held_out = some(apart, HELD_OUT)
    chance = {"chance, log(2B - 1)": math.log(2 * len(held_out[0]["views"]) - 1)}
    return [patches, Lesson("two views", TinyNet, view_loss, training, held_out, chance, rate=2e-3)]


def main() -> None:
    """Train, print."""
    parser = options(__doc__, "pictures and a `val` split")
    parser.add_argument("--steps", type=int, default=600)
    chosen = parser.parse_args()
    one_thread()
    print(versions("sslpipe", "torch", "numpy"))
    with workspace(chosen.dataset, chosen.quick, build_cells) as folder:
        for lesson in lessons(folder):
            study(lesson, min(chosen.steps, 20) if chosen.quick else chosen.steps)


if __name__ == "__main__":
    main()
