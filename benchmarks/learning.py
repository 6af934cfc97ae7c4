"""How the benchmarks of learning train small models on a stream, and what stands beside the result."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

Batch = dict[str, Any]
Loss = Callable[[nn.Module, Batch, torch.Generator | None], torch.Tensor]
"""The loss of a batch; given a generator, the targets of different rows are exchanged first."""


@dataclass(frozen=True)
class Lesson:
    """One thing to be learnt."""

    name: str
    model: Callable[[], nn.Module]
    loss: Loss
    training: Iterable[Batch]
    """A stream: each pass over it is another epoch."""
    held_out: list[Batch]
    without: dict[str, float]
    """What can be had without learning."""
    rate: float = 1e-3


def endless(stream: Iterable[Batch]) -> Iterator[Batch]:
    """Epoch after epoch."""
    while True:
        yield from stream


def some(stream: Iterable[Batch], count: int) -> list[Batch]:
    """Batches to measure on, of as many epochs as it takes."""
    return list(itertools.islice(endless(stream), count))


def permuted(targets: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """Each row gets the targets of another one; without a generator all keep theirs."""
    if generator is None:
        return targets
    order = torch.randperm(len(targets), generator=generator)
    return targets[order.roll(1)[order.argsort()]]


def study(lesson: Lesson, steps: int) -> bool:
    """Train, print the table, and say whether the trained model is below all that it is compared with."""
    torch.manual_seed(0)
    print(f"\n{lesson.name + f', {steps} steps':<52}held-out loss   seconds", flush=True)
    without = {**lesson.without, "the same model untrained": _held_out(lesson, lesson.model())}
    for name, loss in without.items():
        print(f"  {name:<50}{loss:>13.3f}", flush=True)
    found = list(without.values())
    for name, exchanged in (("trained on targets of other rows of the batch", True), ("trained", False)):
        started = time.perf_counter()
        found.append(_held_out(lesson, _trained(lesson, steps, exchanged)))
        print(f"  {name:<50}{found[-1]:>13.3f}{time.perf_counter() - started:>10.0f}", flush=True)
    *others, learnt = found
    print(
        f"  trained is {'below all others' if learnt < min(others) else 'NOT below all others'}, by {min(others) - learnt:.3f}"
    )
    return learnt < min(others)


def _trained(lesson: Lesson, steps: int, exchanged: bool) -> nn.Module:
    torch.manual_seed(0)
    model = lesson.model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lesson.rate)
    warm = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (steps / 10)))
    generator = torch.Generator().manual_seed(0) if exchanged else None
    for batch in itertools.islice(endless(lesson.training), steps):
        optimizer.zero_grad()
        lesson.loss(model, batch, generator).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        warm.step()
    return model


@torch.no_grad()
def _held_out(lesson: Lesson, model: nn.Module) -> float:
    return sum(lesson.loss(model, batch, None).item() for batch in lesson.held_out) / len(lesson.held_out)


def layers(width: int, count: int) -> nn.Module:
    """Transformer layers without a mask."""
    layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, count, nn.LayerNorm(width), enable_nested_tensor=False)
