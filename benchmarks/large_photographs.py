"""Goal: two SimCLR views from 12-megapixel photographs, ten times as fast after a build as by torchvision from the originals.

    python -m benchmarks.large_photographs [--pictures DIR] [--quick]

Batches of 8 pictures, float32 `[8, 2, 3, 224, 224]`, in one thread:

* ours: the stream of a dataset that the shipped recipe `images` built, in which short sides are 512 pixels;
* torchvision v2 on the originals, as a trainer does that reads a folder of photographs: decoded whole by simplejpeg, the
  quickest decoder it can be given here, then SimCLR's transforms;
* the same on what the build stored, so that it can be seen what the build alone brings.

Fair: all make the same number of views by the same law, those of SimCLR. The build is done once; its seconds a picture, in
one process, are printed. Differences: a crop of 8 % of the area of an original has more pixels than the view made of it, one
of a stored picture may have fewer: 8 % of 512 x 683 are 167 x 167. DIR holds JPEGs. By default they are pieces of two
photographs enlarged to 4000 x 3000, with noise as a sensor's, so that they take about 3.5 MB as those of cameras do. Limit:
decoding what the build stored by simplejpeg.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.corpus import build_shipped, describe, members, open_dataset
from benchmarks.harness import Pace, Side, report, verdict, versions
from benchmarks.pictures import jpeg, photographs
from benchmarks.streams import endless, one_thread
from benchmarks.views import SIZE, decoded, decoding, simclr

BATCH, GOAL = 8, 10.0
WIDTH, HEIGHT, NOISE, COUNT, QUICK = 4000, 3000, 8.0, 32, 8
OURS, ORIGINALS, STORED = "sslpipe, after the build", "torchvision v2, originals", "torchvision v2, what the build stored"


def write_large(target: Path, count: int) -> None:
    """Enlarged pieces of two photographs."""
    import cv2

    draw, whole = np.random.default_rng(0), photographs()
    target.mkdir()
    for number in range(count):
        photograph = whole[number % len(whole)]
        top, left = draw.integers(0, photograph.shape[0] - 375), draw.integers(0, photograph.shape[1] - 500)
        piece = photograph[top : top + 375, left : left + 500]
        large = cv2.resize(piece, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        large += NOISE * draw.standard_normal(large.shape, np.float32)
        (target / f"{number:06d}.jpg").write_bytes(jpeg(np.clip(large, 0, 255).astype(np.uint8)))


def originals(folder: Path) -> list[bytes]:
    """The photographs as they were."""
    return [path.read_bytes() for path in sorted((folder / "pictures").iterdir())]


def ours(folder: Path) -> Iterable[Any]:
    """Our stream."""
    from sslpipe import tasks

    one_thread()
    return open_dataset(folder).stream(tasks.TwoViews(size=SIZE), batch_size=BATCH, threads=1)


def working(stored: list[bytes], work: Callable[[list[bytes]], Any]) -> Iterator[dict[str, Any]]:
    """Batches of encoded pictures, given to `work`."""
    pictures = itertools.cycle(stored)
    while True:
        yield {"views": work(list(itertools.islice(pictures, BATCH)))}


def peer(stored: list[bytes]) -> Iterator[dict[str, Any]]:
    """SimCLR of torchvision's transforms."""
    return working(stored, simclr(decoded)())


def sides(folder: Path) -> list[Side]:
    """All that are measured."""
    return [
        Side(OURS, endless(lambda: ours(folder), "views", BATCH)),
        Side(ORIGINALS, endless(lambda: peer(originals(folder)), "views", BATCH), OURS),
        Side(STORED, endless(lambda: peer(members(folder, ".jpg")), "views", BATCH), OURS),
        Side(
            "decoding what the build stored",
            endless(lambda: working(members(folder, ".jpg"), decoding()), "views", BATCH),
            OURS,
            True,
        ),
    ]


@contextmanager
def workspace(pictures: Path | None, quick: bool) -> Iterator[tuple[Path, float]]:
    """A temporary folder with photographs and a dataset built from them, and the seconds that a picture took."""
    with TemporaryDirectory(prefix="sslpipe-bench-") as name:
        folder = Path(name)
        if pictures is None:
            write_large(folder / "pictures", QUICK if quick else COUNT)
        else:
            (folder / "pictures").mkdir()
            found = sorted(path for path in pictures.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
            for number, path in enumerate(found):
                (folder / "pictures" / f"{number:06d}.jpg").symlink_to(path.resolve())
        sizes = [path.stat().st_size for path in (folder / "pictures").iterdir()]
        if not sizes:
            raise SystemExit(f"no JPEGs below {pictures}")
        print(f"{len(sizes)} photographs ({'given' if pictures else 'made up'}), {np.mean(sizes) / 1e6:.1f} MB each")
        build_shipped("images", folder / "pictures", folder / "warm-up", "shards.splits={}")  # its kernels are compiled here
        start = time.perf_counter()
        build_shipped("images", folder / "pictures", folder / "dataset", "shards.splits={}")
        spent = (time.perf_counter() - start) / len(sizes)
        describe(open_dataset(folder), "built")
        yield folder, spent


def check(folder: Path) -> None:
    """Stop where the peer's batch differs from ours in shape or dtype; print the mean and spread of all."""
    batches = {OURS: next(iter(ours(folder))), ORIGINALS: next(peer(originals(folder)))}
    batches[STORED] = next(peer(members(folder, ".jpg")))
    for name, batch in batches.items():
        views = batch["views"]
        if (views.dtype, views.shape) != (batches[OURS]["views"].dtype, batches[OURS]["views"].shape):
            raise SystemExit(f"{name} makes {views.dtype} {list(views.shape)}")
        print(f"{name}: {views.dtype} {list(views.shape)}, mean {views.mean():+.3f}, spread {views.std():.3f}")


def main() -> None:
    """Build, check, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds on few pictures, to see that it works")
    parser.add_argument("--pictures", type=Path, help="a folder of large JPEGs; by default some are made of two photographs")
    chosen = parser.parse_args()
    print(versions("sslpipe", "torch", "torchvision", "simplejpeg", "numpy", "numba"))
    with workspace(chosen.pictures, chosen.quick) as (folder, spent):
        check(folder)
        found = report("large_photographs", folder, sides(folder), "images", Pace.of(chosen.quick), 2 if chosen.quick else 10)
    print(f"the build took {1e3 * spent:.0f} ms a picture, once")
    verdict(ORIGINALS, found[ORIGINALS], GOAL)


if __name__ == "__main__":
    main()
