"""Goal: batches of masked tokens, 64 x 512, 100 times as fast as `datasets` with transformers' collator.

    python -m benchmarks.masked_tokens [--dataset DIR] [--quick]

Peer: Hugging Face `datasets` over the same packed rows, saved to disk and mapped into memory, with
`DataCollatorForLanguageModeling` (`mlm_probability=0.15`), in the ways that its users know:

* `DataLoader(shuffle=True, collate_fn=collator)` over `with_format("torch")` and `with_format("numpy")`;
* the first of these with a worker process for each core, against our default threads;
* the quickest by hand: a `BatchSampler`, so that a batch is one read, and the collator's masking function called on its tensor.

Fair: the rows are the same (checked, an epoch of ours against the peer's data), shuffled on both sides; `input_ids` and
`labels` are int64 of one shape (checked), and nothing else is made: documents are joined (`documents: joined`), as the peer has
no notion of where they end. The peer is given `special_tokens_mask` as a stored column, as its documentation recommends, and is
spared the packing, which ours does on the fly. Torch computes in one thread. Differences: ours draws each number from a key
(equal on any machine), and never puts a control token in as a random one; the peer does. The goal is set for the documented
ways; the one by hand is judged beside them.
Limit: copying one batch of ours from memory to memory on one core.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpus import open_dataset, options, read_rows, save_rows, tokenizer_of, workspace
from benchmarks.harness import Pace, Side, report, verdict, versions
from benchmarks.streams import check_alike, check_rows, copying, endless, one_thread

BATCH, LENGTH, GOAL = 64, 512, 100.0
OURS, OURS_DEFAULT = "sslpipe, threads=1", "sslpipe, default threads"
LOADERS = {"torch": "datasets, DataLoader, torch", "numpy": "datasets, DataLoader, numpy"}
BY_HAND = "datasets, BatchSampler, masking by hand"


def ours(folder: Path, threads: int | None, tail: str = "carry") -> Iterable[Any]:
    """Our stream."""
    from sslpipe import packs, tasks

    one_thread()
    pack, task = packs.Concatenate(length=LENGTH, documents="joined"), tasks.MaskedTokens()
    return open_dataset(folder).stream(pack, task, batch_size=BATCH, threads=threads, tail=tail)


def loader(folder: Path, form: str, workers: int = 0) -> Iterable[Any]:
    """The peer as documented."""
    from torch.utils.data import DataLoader
    from transformers import DataCollatorForLanguageModeling

    one_thread()
    collator = DataCollatorForLanguageModeling(tokenizer_of(open_dataset(folder)), mlm_probability=0.15)
    return DataLoader(
        read_rows(folder / "rows", form), BATCH, shuffle=True, drop_last=True, collate_fn=collator, num_workers=workers,
        persistent_workers=workers > 0,
    )  # fmt: skip


def by_hand(folder: Path) -> Iterable[Any]:
    """The peer without its detour through one dict a row."""
    from torch.utils.data import BatchSampler, DataLoader, RandomSampler
    from transformers import DataCollatorForLanguageModeling

    one_thread()
    collator = DataCollatorForLanguageModeling(tokenizer_of(open_dataset(folder)), mlm_probability=0.15)

    def mask(batch: dict[str, Any]) -> dict[str, Any]:
        inputs, labels = collator.torch_mask_tokens(batch["input_ids"], batch["special_tokens_mask"])
        return {"input_ids": inputs, "labels": labels}

    rows = read_rows(folder / "rows", "torch")
    sampler = BatchSampler(RandomSampler(rows), BATCH, drop_last=True)
    return DataLoader(rows, batch_size=None, sampler=sampler, collate_fn=mask)


def sides(folder: Path) -> list[Side]:
    """All that are measured."""
    cores = os.cpu_count() or 1
    many = f"datasets, DataLoader, torch, {cores} workers"
    return [
        Side(OURS, endless(lambda: ours(folder, 1))),
        *(Side(name, endless(lambda form=form: loader(folder, form)), OURS) for form, name in LOADERS.items()),
        Side(BY_HAND, endless(lambda: by_hand(folder)), OURS),
        Side("copying the same tensors", copying(lambda: ours(folder, 1)), OURS, limit=True),
        Side(OURS_DEFAULT, endless(lambda: ours(folder, None))),
        Side(many, endless(lambda: loader(folder, "torch", cores)), OURS_DEFAULT, weigh=False),
    ]


def columns(folder: Path) -> Any:
    """What the peer stores: ids, and which of them are control tokens, in the dtypes that its own library chooses for them."""
    vocabulary = open_dataset(folder).manifest.fields["ids"].vocabulary
    assert vocabulary is not None
    control = np.array(vocabulary.control)

    def made(batch: dict[str, Any]) -> dict[str, Any]:
        ids = batch["input_ids"].numpy()
        return {"input_ids": ids.astype(np.int32), "special_tokens_mask": np.isin(ids, control).astype(np.int8)}

    return made


def first(batches: Iterable[Any]) -> Any:
    """One batch."""
    iterator: Iterator[Any] = iter(batches)
    return next(iterator)


def main() -> None:
    """Check, measure, print."""
    chosen = options(__doc__).parse_args()
    print(versions("sslpipe", "datasets", "transformers", "torch", "numpy", "pyarrow"))
    with workspace(chosen.dataset, chosen.quick) as folder:
        save_rows(open_dataset(folder), LENGTH, folder / "rows", columns(folder))
        check_rows(ours_epoch(folder), read_rows(folder / "rows", "numpy"))
        batch = first(ours(folder, 1))
        for form, name in LOADERS.items():
            check_alike(batch, first(loader(folder, form)), name)
        check_alike(batch, first(by_hand(folder)), BY_HAND)
        found = report("masked_tokens", folder, sides(folder), "batches", Pace.of(chosen.quick), 20 if chosen.quick else 200)
    for name in (*LOADERS.values(), BY_HAND):
        verdict(name, found[name], GOAL)


def ours_epoch(folder: Path) -> Iterable[Any]:
    """All rows of our first epoch, one a batch, so that none belongs to the next."""
    from sslpipe import packs, tasks

    return open_dataset(folder).stream(packs.Concatenate(length=LENGTH), tasks.MaskedTokens(), batch_size=1)


if __name__ == "__main__":
    main()
