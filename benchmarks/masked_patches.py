"""Claim: MAE's crop and mask cost less than the decoding before them, so that batches come at more than half its speed.

    python -m benchmarks.masked_patches [--dataset DIR] [--quick]

Batches of 32 pictures, float32 `[32, 3, 224, 224]`, 147 of 196 patches hidden, in one thread.

Peer: torchvision v2's crop on tensors that simplejpeg decodes, and masking by sorted noise as in MAE's own code (`views.py`,
which compares the same task on rows in memory with more peers).

Fair: the same JPEG bytes; ours reads them from its shards, the peer from a list in memory. Shapes and dtypes are equal
(checked), and the mean and spread of both sides' values are printed. Differences: ours draws from keys (equal on any
machine), resizes in whole numbers, looks through each file for what would hurt a decoder, and hands batches over between
threads. Limit: decoding the same bytes by simplejpeg, each picture once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpus import members, open_dataset, options, workspace
from benchmarks.harness import Pace, Side, report, versions
from benchmarks.pictures import build_pictures
from benchmarks.streams import endless, one_thread
from benchmarks.views import BATCH, SIZE, decoding, masked

PIXELS, SHARE = "pixel_values", 0.5
OURS, PEER, LIMIT = "sslpipe, threads=1", "torchvision v2, MAE's masking", "decoding alone, by simplejpeg"


def ours(folder: Path) -> Iterable[Any]:
    """Our stream."""
    from sslpipe import tasks

    one_thread()
    return open_dataset(folder).stream(tasks.MaskedPatches(size=SIZE), batch_size=BATCH, threads=1)


def stored_batches(folder: Path) -> Iterator[list[bytes]]:
    """Encoded pictures, epoch after epoch."""
    pictures = itertools.cycle(members(folder, ".jpg"))
    while True:
        yield list(itertools.islice(pictures, BATCH))


def working(folder: Path, work: Callable[[list[bytes]], Any]) -> Iterator[dict[str, Any]]:
    """Batches of encoded pictures, given to `work`."""
    for stored in stored_batches(folder):
        yield {PIXELS: work(stored)}


def sides(folder: Path) -> list[Side]:
    """All that are measured."""
    return [
        Side(OURS, endless(lambda: ours(folder), PIXELS, BATCH)),
        Side(PEER, endless(lambda: working(folder, masked()), PIXELS, BATCH), OURS),
        Side(LIMIT, endless(lambda: working(folder, decoding()), PIXELS, BATCH), OURS, limit=True),
    ]


def check(folder: Path) -> None:
    """Stop where the peer's batch differs from ours in shape or dtype; print the mean and spread of both."""
    batches = {OURS: next(iter(ours(folder)))[PIXELS], PEER: next(working(folder, masked()))[PIXELS]}
    for name, values in batches.items():
        if (values.dtype, values.shape) != (batches[OURS].dtype, batches[OURS].shape):
            raise SystemExit(f"{name} makes {values.dtype} {list(values.shape)}")
        print(f"{name}: {values.dtype} {list(values.shape)}, mean {values.mean():+.3f}, spread {values.std():.3f}")


def main() -> None:
    """Check, measure, print."""
    chosen = options(__doc__, "pictures").parse_args()
    print(versions("sslpipe", "torch", "torchvision", "simplejpeg", "numpy", "numba"))
    with workspace(chosen.dataset, chosen.quick, build_pictures) as folder:
        check(folder)
        found = report("masked_patches", folder, sides(folder), "images", Pace.of(chosen.quick), 3 if chosen.quick else 20)
    met = "holds" if found[LIMIT] > SHARE else "does NOT hold"
    print(f"{found[LIMIT]:.0%} of the speed of decoding, {found[PEER]:.1f} x the peer: the claim {met}")


if __name__ == "__main__":
    main()
