"""Claim: a small model learns from the stream. Its held-out loss falls below two controls.

(a) The entropy of single tokens in the held-out split: what a model that ignores the context can reach at best.
(b) The same model, trained as long on the same batches with the targets permuted within each batch: what can be learnt when
    inputs and labels don't belong together. A label one place off would land between the two.

Run: python -m benchmarks.learns_text DATASET [--steps 1000]     (DATASET: a finished build with a `val` split)
"""

from __future__ import annotations

import argparse
import math
import time

import torch
from torch import nn

import sslpipe
from sslpipe import packs, tasks

LENGTH, BATCH, WIDTH = 128, 8, 96


class TinyGpt(nn.Module):
    """Two layers of causal attention over tied embeddings."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, WIDTH)
        self.places = nn.Embedding(LENGTH, WIDTH)
        nn.init.normal_(self.tokens.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        hidden = self.layers(self.tokens(ids) + self.places(places % LENGTH), mask=mask, is_causal=True)
        return self.norm(hidden) @ self.tokens.weight.T


def loss_of(model: TinyGpt, batch: dict[str, torch.Tensor], permute: torch.Generator | None = None) -> torch.Tensor:
    """Cross-entropy with the shift that unshifted labels want."""
    logits = model(batch["input_ids"], batch["position_ids"])[:, :-1].flatten(0, 1)
    labels = batch["labels"][:, 1:].flatten()
    real = labels != -100
    logits, labels = logits[real], labels[real]
    if permute is not None:
        labels = labels[torch.randperm(len(labels), generator=permute)]
    return nn.functional.cross_entropy(logits, labels)


def train(dataset: sslpipe.Dataset, steps: int, permuted: bool) -> TinyGpt:
    """A model after so many steps."""
    torch.manual_seed(0)
    model = TinyGpt(dataset.tokenizer.get_vocab_size())
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    generator = torch.Generator().manual_seed(0) if permuted else None
    stream = dataset.stream(packs.Concatenate(length=LENGTH), tasks.NextToken(), batch_size=BATCH)
    done = 0
    while done < steps:
        for batch in stream:
            optimizer.zero_grad()
            loss_of(model, batch, generator).backward()
            optimizer.step()
            done += 1
            if done == steps:
                break
    return model


@torch.no_grad()
def held_out(model: TinyGpt, batches: list[dict[str, torch.Tensor]]) -> float:
    """Mean loss over held-out batches."""
    return sum(loss_of(model, batch).item() for batch in batches) / len(batches)


def entropy(batches: list[dict[str, torch.Tensor]]) -> float:
    """Entropy of single held-out targets, in nats."""
    labels = torch.cat([batch["labels"][:, 1:].flatten() for batch in batches])
    counts = torch.bincount(labels[labels != -100]).double()
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * shares.log()).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("--steps", type=int, default=1000)
    arguments = parser.parse_args()
    dataset = sslpipe.open(arguments.dataset)
    stream = dataset.stream(packs.Concatenate(length=LENGTH), tasks.NextToken(), batch_size=BATCH, split="val")
    batches = [batch for batch, _ in zip(stream, range(40), strict=False)]
    print(f"{'uniform over the vocabulary':<44} {math.log(dataset.tokenizer.get_vocab_size()):.3f} nats")
    print(f"{'(a) entropy of single held-out tokens':<44} {entropy(batches):.3f}")
    for name, permuted in (("(b) targets permuted within the batch", True), ("trained", False)):
        started = time.perf_counter()
        loss = held_out(train(dataset, arguments.steps, permuted), batches)
        seconds = time.perf_counter() - started
        print(f"{f'{name}, {arguments.steps} steps':<44} {loss:.3f}   ({seconds:.0f} s)")


if __name__ == "__main__":
    main()
