"""Goal: documents are read from tar shards 20 times as fast as `webdataset` reads them.

    python -m benchmarks.members [--dataset DIR] [--quick]

Peer: `webdataset` over the same tar files, in stored order, without shuffling, on one core. Two pairs:

* *as bytes*: `WebDataset(urls)`, the bytes of each sample, against ours by the index: the ids of 256 documents at a time copied
  out of the mapped tars into one ragged column. The same bytes but for the `.npy` header of 128, which ours passes over;
* *as arrays*: `WebDataset(urls).decode()`, each sample a dict with a numpy array, against the same column cut into arrays.

Fair: both are opened once a turn, read through the page cache after a warm-up, and copy what they read; the ids of all samples
are the same (checked). Differences: ours has an index, made when the shards were written, and `webdataset` reads any tar; it
gives samples one by one, ours 256 at a time. Two rows have no peer: random rows, which `webdataset` can't read, and
`dataset.stream(batch_size=256, shuffle=None, threads=1)` without a pack and a task, whose batches are int64 and padded to their
longest document: with documents as uneven as these most of such a batch is padding. Limit: a bare read of the same files into
one buffer.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import open_dataset, options, workspace
from benchmarks.harness import Pace, Side, report, verdict, versions
from benchmarks.streams import one_thread
from sslpipe.core.ragged import Ragged

AT_ONCE, GOAL = 256, 20.0
BYTES, ARRAYS = "sslpipe, by index", "sslpipe, by index, as arrays"
RANDOM, STREAM = "sslpipe, by index, random rows", "sslpipe, stream of padded batches, threads=1"
PEER_BYTES, PEER_ARRAYS = "webdataset", "webdataset, decode()"


class Members:
    """The documents of the training shards, opened once, as a training opens them."""

    def __init__(self, folder: Path) -> None:
        from sslpipe.shards.shard import Shard
        from sslpipe.shards.storage import LocalStorage

        manifest, storage = open_dataset(folder).manifest, LocalStorage(folder / "dataset")
        self._shards = [Shard(storage, entry, manifest.fields) for entry in manifest.split("train")]
        fields = [shard.documents("ids") for shard in self._shards]
        self._dtype = fields[0].dtype
        self._addresses = np.concatenate([field.starts + field.data.ctypes.data for field in fields]).astype(np.uint64)
        self._sizes = np.concatenate([field.lengths * field.dtype.itemsize for field in fields])

    def epoch(self, mixed: bool = False) -> Iterator[Ragged]:
        """The ids of all documents, shard after shard or in a random order of all rows."""
        from sslpipe.kernels.gather import gather_bytes

        count = len(self._sizes)
        order = np.random.default_rng(0).permutation(count) if mixed else np.arange(count)
        for start in range(0, count, AT_ONCE):
            rows = order[start : start + AT_ONCE]
            offsets = np.zeros(len(rows) + 1, np.int64)
            np.cumsum(self._sizes[rows], out=offsets[1:])
            out = np.empty(int(offsets[-1]), np.uint8)
            gather_bytes(self._addresses[rows], offsets, out)
            yield Ragged(out.view(self._dtype), offsets // self._dtype.itemsize)

    def arrays(self) -> Iterator[list[NDArray[Any]]]:
        """The same in stored order, an array for each document."""
        for column in self.epoch():
            ends = column.offsets.tolist()
            yield [column.values[a:b] for a, b in itertools.pairwise(ends)]


def urls(folder: Path) -> list[str]:
    """The training shards."""
    return [str(folder / "dataset" / entry.path) for entry in open_dataset(folder).manifest.split("train")]


def webdataset(folder: Path, decoded: bool) -> Any:
    """The peer."""
    import webdataset as wds

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samples = wds.WebDataset(urls(folder), shardshuffle=False)
    return samples.decode() if decoded else samples


def counted(opened: Callable[[], Callable[[], Any]], size: Callable[[Any], int]) -> Callable[[], Iterator[int]]:
    """Epoch after epoch of samples, opened once a turn."""

    def start() -> Iterator[int]:
        epoch = opened()
        while True:
            for item in epoch():
                yield size(item)

    return start


def ours(folder: Path) -> Any:
    """Our stream, of documents as they are."""
    from sslpipe.shards.storage import LocalStorage
    from sslpipe.stream.stream import Stream

    one_thread()
    dataset = open_dataset(folder)
    manifest = dataset.manifest.model_copy(update={"stream": ()})  # Else the recipe's own pack and task would run.
    return Stream(LocalStorage(folder / "dataset"), manifest, (), batch_size=AT_ONCE, shuffle=None, threads=1, tail="carry")


def bare(folder: Path) -> Callable[[], Iterator[int]]:
    """Reads the shards into one buffer."""

    def start() -> Iterator[int]:
        manifest = open_dataset(folder).manifest
        buffer = bytearray(max(entry.bytes for entry in manifest.split("train")))
        while True:
            for entry in manifest.split("train"):
                with (folder / "dataset" / entry.path).open("rb", buffering=0) as file:
                    while file.readinto(buffer):
                        pass
                yield entry.samples

    return start


def sides(folder: Path) -> list[Side]:
    """All that are measured."""
    return [
        Side(BYTES, counted(lambda: Members(folder).epoch, len)),
        Side(PEER_BYTES, counted(lambda: partial(iter, webdataset(folder, False)), lambda sample: 1), BYTES),
        Side("a bare read of the same files", bare(folder), BYTES, limit=True),
        Side(ARRAYS, counted(lambda: Members(folder).arrays, len)),
        Side(PEER_ARRAYS, counted(lambda: partial(iter, webdataset(folder, True)), lambda sample: 1), ARRAYS),
        Side(RANDOM, counted(lambda: partial(Members(folder).epoch, True), len)),
        Side(STREAM, counted(lambda: partial(iter, ours(folder)), lambda batch: len(batch["ids"]))),
    ]


def check(folder: Path) -> None:
    """Stop unless all samples are the same."""
    found = itertools.chain.from_iterable(Members(folder).arrays())
    count = 0
    for mine, theirs in zip(found, webdataset(folder, True), strict=True):
        if not np.array_equal(mine, theirs["ids.npy"]):
            raise SystemExit(f"sample {count} differs")
        count += 1
    batch, sample = next(iter(ours(folder))), next(iter(webdataset(folder, True)))["ids.npy"]
    if not np.array_equal(batch["ids"][0, : len(sample)].numpy(), sample):
        raise SystemExit("the first row of the stream differs")
    print(f"samples: {count:,}, the same ids on both sides")


def main() -> None:
    """Check, measure, print."""
    chosen = options(__doc__).parse_args()
    print(versions("sslpipe", "webdataset", "torch", "numpy"))
    with workspace(chosen.dataset, chosen.quick) as folder:
        check(folder)
        found = report("members", folder, sides(folder), "samples", Pace.of(chosen.quick), 20 if chosen.quick else 200)
    for name in (PEER_BYTES, PEER_ARRAYS):
        verdict(name, found[name], GOAL)


if __name__ == "__main__":
    main()
