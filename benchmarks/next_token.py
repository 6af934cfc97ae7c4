"""Claim: batches for next-token training, 32 x 1024 from documents, 20 times as fast as `datasets` with a collator.

    python -m benchmarks.next_token [--dataset DIR] [--quick]

Peer: Hugging Face `datasets` over rows that were packed beforehand, as `group_texts` of its examples packs them (documents end
to end, an end token behind each), saved to disk and mapped into memory. Batches come by `DataLoader(shuffle=True)`:

* with `DataCollatorForLanguageModeling(mlm=False)`, which makes the labels, and `position_ids` stored as a column;
* with `default_data_collator`, labels and `position_ids` both stored, so that nothing is left to do but stacking;
* the quickest by hand: a `BatchSampler` over the stored columns, so that a batch is one read and no collator runs;
* the first with a worker process for each core, against our default threads.

Fair: the rows are the same (checked, an epoch of ours against the peer's data), shuffled on both sides; `input_ids`, `labels`
and `position_ids` are int64 of one shape (checked). The peer is spared the packing, and keeps one cut of the documents for
ever; ours packs on the fly and moves the cuts every epoch. Torch computes in one thread. Differences: the first collator's
labels hold the first token of each document, which ours and the stored ones ignore (-100); ours also makes `document_ids` and
`cu_seqlens`. `DataCollatorWithFlattening` isn't taken: it lays a batch out as one row of `[1, B L]`. The goal is set for the
first way; the others, which spend disk to save the work, are judged beside it. Limit: copying one batch of ours from memory to
memory on one core.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpus import open_dataset, options, read_rows, save_rows, tokenizer_of, workspace
from benchmarks.harness import Pace, Side, report, verdict, versions
from benchmarks.streams import check_alike, check_rows, copying, endless, one_thread

BATCH, LENGTH, GOAL = 32, 1024, 20.0
OURS, OURS_DEFAULT = "sslpipe, threads=1", "sslpipe, default threads"
LANGUAGE, STACKED, BY_HAND = (
    "datasets, language-model collator",
    "datasets, default collator",
    "datasets, BatchSampler, no collator",
)


def ours(folder: Path, threads: int | None) -> Iterable[Any]:
    """Our stream."""
    from sslpipe import packs, tasks

    one_thread()
    return open_dataset(folder).stream(packs.Concatenate(length=LENGTH), tasks.NextToken(), batch_size=BATCH, threads=threads)


def by_collator(folder: Path, language: bool, workers: int = 0) -> Iterable[Any]:
    """The peer as documented."""
    from torch.utils.data import DataLoader
    from transformers import DataCollatorForLanguageModeling, default_data_collator

    one_thread()
    rows = read_rows(folder / "rows", "torch")
    collator: Any = default_data_collator
    if language:
        rows = rows.select_columns(["input_ids", "position_ids"])
        collator = DataCollatorForLanguageModeling(tokenizer_of(open_dataset(folder)), mlm=False)
    return DataLoader(
        rows, BATCH, shuffle=True, drop_last=True, collate_fn=collator, num_workers=workers, persistent_workers=workers > 0
    )


def by_hand(folder: Path) -> Iterable[Any]:
    """The peer without its detour through one dict a row."""
    from torch.utils.data import BatchSampler, DataLoader, RandomSampler

    one_thread()
    rows = read_rows(folder / "rows", "torch")
    return DataLoader(rows, batch_size=None, sampler=BatchSampler(RandomSampler(rows), BATCH, drop_last=True))


def sides(folder: Path) -> list[Side]:
    """All that are measured."""
    cores = os.cpu_count() or 1
    many = f"datasets, language-model collator, {cores} workers"
    return [
        Side(OURS, endless(lambda: ours(folder, 1))),
        Side(LANGUAGE, endless(lambda: by_collator(folder, True)), OURS),
        Side(STACKED, endless(lambda: by_collator(folder, False)), OURS),
        Side(BY_HAND, endless(lambda: by_hand(folder)), OURS),
        Side("copying the same tensors", copying(lambda: ours(folder, 1)), OURS, limit=True),
        Side(OURS_DEFAULT, endless(lambda: ours(folder, None))),
        Side(many, endless(lambda: by_collator(folder, True, cores)), OURS_DEFAULT, weigh=False),
    ]


def columns(batch: dict[str, Any]) -> dict[str, Any]:
    """What the peer stores; int32, as its library stores token ids."""
    return {name: batch[name].numpy().astype(np.int32) for name in ("input_ids", "labels", "position_ids")}


def ours_epoch(folder: Path) -> Iterable[Any]:
    """All rows of our first epoch, one a batch, so that none belongs to the next."""
    from sslpipe import packs, tasks

    return open_dataset(folder).stream(packs.Concatenate(length=LENGTH), tasks.NextToken(), batch_size=1)


def main() -> None:
    """Check, measure, print."""
    chosen = options(__doc__).parse_args()
    print(versions("sslpipe", "datasets", "transformers", "torch", "numpy", "pyarrow"))
    with workspace(chosen.dataset, chosen.quick) as folder:
        save_rows(open_dataset(folder), LENGTH, folder / "rows", columns)
        check_rows(ours_epoch(folder), read_rows(folder / "rows", "numpy"))
        batch = next(iter(ours(folder, 1)))
        for name, theirs in (
            (LANGUAGE, by_collator(folder, True)),
            (STACKED, by_collator(folder, False)),
            (BY_HAND, by_hand(folder)),
        ):
            check_alike(batch, next(iter(theirs)), name)
        found = report("next_token", folder, sides(folder), "batches", Pace.of(chosen.quick), 20 if chosen.quick else 200)
    for name in (LANGUAGE, STACKED, BY_HAND):
        verdict(name, found[name], GOAL)


if __name__ == "__main__":
    main()
