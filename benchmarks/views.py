"""Goal: two SimCLR views of a 500 x 375 JPEG at 500 images a second and core, ten times as fast as torchvision v2.

    python -m benchmarks.views [--pictures DIR] [--quick]

Each side gets the same encoded JPEGs in memory, in turns, and makes float32 batches `[32, 2, 3, 224, 224]` of them in one
thread, decoding included. Peers, each in the way that its documentation shows:

* torchvision v2 on tensors, decoded by simplejpeg (the quickest decoder that it can be given here);
* torchvision v2 on Pillow's images, as most published code has it;
* lightly's `SimCLRTransform`, which is made of torchvision's first transforms on Pillow's images (goal: 6 times);
* NVIDIA DALI on the CPU, with one thread, antialiasing on (goal: 7 times).

The last two are left out, and the output says so, where they aren't installed (`lightly`; `nvidia-dali-cuda120`, which runs
without a GPU). For masked patches (MAE): torchvision's crop, and masking by sorted noise as in MAE's own code.

Fair: shares and ranges are those of SimCLR on all sides, each view is drawn by itself, crops are antialiased, and the mean and
spread of every side's values are printed: they differ by chance alone (256 views have a mean within 0.06 or so). DALI applies
the four colour operations in one order, which makes it quicker, if anything. Ours is the task as a stream calls it, on rows in
memory: no side reads shards. Draws of ours are keyed, and its pixels are the same on any machine; the peers' are not.
Limit: decoding alone, by simplejpeg, each picture once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import io
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Pace, Side, report, verdict, versions
from benchmarks.streams import one_thread

BATCH, SIZE = 32, 224
OURS, OURS_BYTES, OURS_MASKED = "sslpipe, two views", "sslpipe, two views, uint8", "sslpipe, masked patches"
TENSORS, PILLOW, LIGHTLY, DALI = (
    "torchvision v2, tensors",
    "torchvision v2, Pillow",
    "lightly, SimCLRTransform",
    "DALI on the CPU",
)
GOALS = {TENSORS: 10.0, PILLOW: 10.0, LIGHTLY: 6.0, DALI: 7.0}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Make = Callable[[], Callable[[list[bytes]], Any]]
"""What sets a side up, and gives what makes a batch of encoded pictures."""


def rounds_of(folder: Path) -> Iterator[list[bytes]]:
    """Batches of encoded pictures, over and over."""
    stored = [path.read_bytes() for path in sorted((folder / "pictures").iterdir())]
    endless = itertools.cycle(stored)
    while True:
        yield list(itertools.islice(endless, BATCH))


def working(folder: Path, make: Make) -> Callable[[], Iterator[int]]:
    """A side that makes batch after batch."""

    def start() -> Iterator[int]:
        work = make()
        for stored in rounds_of(folder):
            work(stored)
            yield len(stored)

    return start


def ours(task: str, **fields: Any) -> Make:
    """Our task, as a stream calls it."""

    def make() -> Callable[[list[bytes]], Any]:
        from sslpipe import tasks
        from sslpipe.core.draw import Draw
        from sslpipe.core.fields import Field
        from sslpipe.core.names import Names
        from sslpipe.core.ragged import Ragged
        from sslpipe.core.rows import Rows
        from sslpipe.core.steps import Context

        step = getattr(tasks, task)(**fields)
        opened, seen = step.open(Context({"image": Field(kind="image")})), itertools.count()

        def work(stored: list[bytes]) -> Any:
            keys = np.array([next(seen) for _ in stored], np.uint64)
            rows = Rows(Names.from_keys(keys, keys), {"image": Ragged.from_bytes(stored)})
            made = opened.label(rows, Draw(0, step.path()))
            return made.array("views" if task == "TwoViews" else "pixel_values")

        return work

    return make


def torchvision() -> Any:
    """torchvision's second transforms; its operators in C++ needn't load, since no transform here is one of them."""
    import torch

    real = torch.library.register_fake
    torch.library.register_fake = lambda name, *a, **k: (  # type: ignore[assignment]
        (lambda made: made) if name.startswith("torchvision::") else real(name, *a, **k)
    )
    try:
        return importlib.import_module("torchvision.transforms.v2")
    finally:
        torch.library.register_fake = real


def decoded(stored: bytes) -> Any:
    """A tensor `[3, h, w]` by simplejpeg."""
    import simplejpeg
    import torch

    return torch.from_numpy(simplejpeg.decode_jpeg(stored)).permute(2, 0, 1)


def opened(stored: bytes) -> Any:
    """A picture by Pillow."""
    from PIL import Image

    return Image.open(io.BytesIO(stored)).convert("RGB")


def simclr(read: Callable[[bytes], Any]) -> Make:
    """SimCLR of torchvision's transforms."""

    def make() -> Callable[[list[bytes]], Any]:
        one_thread()
        import torch

        v2 = torchvision()
        view = v2.Compose(
            [
                v2.RandomResizedCrop(SIZE, scale=(0.08, 1.0), antialias=True),
                v2.RandomHorizontalFlip(),
                v2.RandomApply([v2.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
                v2.RandomGrayscale(0.2),
                v2.RandomApply([v2.GaussianBlur(23, (0.1, 2.0))], p=0.5),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(MEAN, STD),
            ]
        )
        return lambda stored: torch.stack([torch.stack([view(one), view(one)]) for one in map(read, stored)])

    return make


def lightly() -> Callable[[list[bytes]], Any]:
    """lightly's own."""
    one_thread()
    import torch

    torchvision()
    views = importlib.import_module("lightly.transforms").SimCLRTransform(input_size=SIZE)
    return lambda stored: torch.stack([torch.stack(views(one)) for one in map(opened, stored)])


def dali() -> Callable[[list[bytes]], Any]:
    """DALI's operators on the CPU."""
    kit, fn = importlib.import_module("nvidia.dali"), importlib.import_module("nvidia.dali.fn")
    now: list[Any] = []

    def view(image: Any) -> Any:
        crop = fn.random_resized_crop(
            image, size=[SIZE, SIZE], random_area=[0.08, 1.0], random_aspect_ratio=[3 / 4, 4 / 3], antialias=True
        )
        on, blurs, grey = (fn.random.coin_flip(probability=share) for share in (0.8, 0.5, 0.2))
        brightness, contrast, saturation = (fn.random.uniform(range=[0.2, 1.8]) * on + (1 - on) for _ in range(3))
        hue = fn.random.uniform(range=[-72.0, 72.0]) * on
        view = fn.color_twist(crop, brightness=brightness, contrast=contrast, saturation=saturation * (1 - grey), hue=hue)
        sigma = fn.random.uniform(range=[0.1, 2.0]) * blurs + 0.01 * (1 - blurs)
        mean, std = ([255 * each for each in channels] for channels in (MEAN, STD))
        return fn.crop_mirror_normalize(
            fn.gaussian_blur(view, sigma=sigma, window_size=23),
            dtype=kit.types.FLOAT, mirror=fn.random.coin_flip(), mean=mean, std=std,
        )  # fmt: skip

    @kit.pipeline_def(batch_size=BATCH, num_threads=1, device_id=None, prefetch_queue_depth=1)
    def both() -> Any:
        image = fn.decoders.image(fn.external_source(source=lambda: now, dtype=kit.types.UINT8), device="cpu")
        return view(image), view(image)

    pipeline = both()

    def work(stored: list[bytes]) -> Any:
        now[:] = [np.frombuffer(one, np.uint8) for one in stored]
        if not hasattr(work, "built"):
            pipeline.build()
            work.built = True  # type: ignore[attr-defined]
        return np.stack([np.asarray(views.as_array()) for views in pipeline.run()], axis=1)

    return work


def masked() -> Callable[[list[bytes]], Any]:
    """torchvision's crop, and MAE's masking as its own code has it, by sorting noise."""
    one_thread()
    import torch

    v2 = torchvision()
    bicubic = importlib.import_module("torchvision.transforms").InterpolationMode.BICUBIC
    crop = v2.Compose(
        [
            v2.RandomResizedCrop(SIZE, scale=(0.2, 1.0), interpolation=bicubic, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )

    def work(stored: list[bytes]) -> Any:
        pictures = torch.stack([crop(decoded(one)) for one in stored])
        shuffle = torch.rand(len(stored), 196).argsort(dim=1)
        restore = shuffle.argsort(dim=1)
        _ = shuffle[:, :49].clone(), restore >= 49
        return pictures

    return work


def decoding() -> Callable[[list[bytes]], Any]:
    """Decodes and throws away."""
    import simplejpeg

    return lambda stored: [simplejpeg.decode_jpeg(one) for one in stored]


def peers() -> dict[str, Make]:
    """Those of two views that are installed."""
    found: dict[str, Make] = {TENSORS: simclr(decoded), PILLOW: simclr(opened)}
    if importlib.util.find_spec("lightly"):
        found[LIGHTLY] = lightly
    if importlib.util.find_spec("nvidia") and importlib.util.find_spec("nvidia.dali"):
        found[DALI] = dali
    return found


def sides(folder: Path) -> list[Side]:
    """All that are measured."""
    return [
        Side(OURS, working(folder, ours("TwoViews"))),
        Side(OURS_BYTES, working(folder, ours("TwoViews", output="uint8"))),
        *(Side(name, working(folder, make), OURS) for name, make in peers().items()),
        Side("decoding alone, beside two views", working(folder, lambda: decoding()), OURS, limit=True),
        Side(OURS_MASKED, working(folder, ours("MaskedPatches"))),
        Side("torchvision v2, masked patches", working(folder, masked), OURS_MASKED),
        Side("decoding alone, beside masked patches", working(folder, lambda: decoding()), OURS_MASKED, limit=True),
    ]


@contextlib.contextmanager
def workspace(pictures: Path | None) -> Iterator[Path]:
    """A temporary folder with JPEGs: the user's, or crops of two photographs that scikit-learn brings, 500 x 375."""
    with tempfile.TemporaryDirectory(prefix="sslpipe-bench-") as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        if pictures is not None:
            for number, path in enumerate(
                sorted(path for path in pictures.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
            ):
                (folder / "pictures" / f"{number:06d}.jpg").symlink_to(path.resolve())
        else:
            for number, stored in enumerate(made_up(64)):
                (folder / "pictures" / f"{number:06d}.jpg").write_bytes(stored)
        sizes = [path.stat().st_size for path in (folder / "pictures").iterdir()]
        if not sizes:
            raise SystemExit(f"no JPEGs below {pictures}")
        print(f"{len(sizes)} JPEGs ({'given' if pictures else 'made of two photographs'}), {np.mean(sizes) / 1e3:.0f} kB each")
        yield folder


def made_up(count: int) -> Iterator[bytes]:
    """JPEGs of 500 x 375 as cameras and Pillow make them: quality 90, colours at half the resolution."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    draw = np.random.default_rng(0)
    photographs = load_sample_images().images
    for number in range(count):
        top, left = draw.integers(0, 427 - 375), draw.integers(0, 640 - 500)
        picture = Image.fromarray(photographs[number % len(photographs)][top : top + 375, left : left + 500])
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=90, subsampling=2)
        yield out.getvalue()


def check(folder: Path) -> None:
    """Stop where a peer's batch differs from ours in shape or dtype; print the mean of both."""
    batches = {OURS: ours("TwoViews"), **peers()}
    wanted = ("float32", (BATCH, 2, 3, SIZE, SIZE))
    for name, make in batches.items():
        work, stored = make(), rounds_of(folder)
        values = [np.asarray(work(next(stored))) for _ in range(4)]
        found = (values[0].dtype.name, values[0].shape)
        if found != wanted:
            raise SystemExit(f"{name} makes {found}, wanted {wanted}")
        print(f"{name}: float32 {list(wanted[1])}, mean {np.mean(values):+.3f}, spread {np.std(values):.3f}")


def main() -> None:
    """Check, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds, to see that it works")
    parser.add_argument("--pictures", type=Path, help="a folder of JPEGs; by default some are made of two photographs")
    chosen = parser.parse_args()
    there = peers()
    print(versions("sslpipe", "torch", "torchvision", "numpy", "numba", "simplejpeg", "pillow"))
    for name in set(GOALS) - set(there):
        print(f"{name}: not installed, left out")
    with workspace(chosen.pictures) as folder:
        check(folder)
        found = report("views", folder, sides(folder), "images", Pace.of(chosen.quick), 3 if chosen.quick else 10)
    for name in there:
        verdict(name, found[name], GOALS[name])


if __name__ == "__main__":
    main()
