"""Pictures made by code, small and nasty enough for every law: all outcomes, duplicates of every kind, one large row."""

from __future__ import annotations

import io
import random
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from sslpipe.core.steps import Reader
from sslpipe.dedups.exact import Exact
from sslpipe.filters.image_quality import ImageQuality
from sslpipe.maps.encode_jpeg import EncodeJpeg
from sslpipe.maps.resize_image import ResizeImage
from sslpipe.readers.images import Images
from sslpipe.readers.parquet import Parquet
from sslpipe.readers.webdataset import WebDataset
from sslpipe.recipe.recipe import Limits, Recipe, Shards
from sslpipe.recipe.splits import Splits
from sslpipe.tasks.two_views import TwoViews
from tests.laws.modality import Modality, Records

SOURCES = ("alpha", "beta", "gamma")
SIDE = 32


def _picture(rng: np.random.Generator, height: int = 40, width: int = 48) -> NDArray[np.uint8]:
    """Coarse noise made large: it has edges and colours, and is small once encoded."""
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, 0).repeat(8, 1)[:height, :width])


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    return simplejpeg.encode_jpeg(picture, 90, "RGB", "444")


def _png(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def _damaged_png(picture: NDArray[np.uint8]) -> bytes:
    data = bytearray(_png(picture))
    data[data.index(b"IDAT") + 12] ^= 0xFF
    return bytes(data)


_CUT = _jpeg(_picture(np.random.default_rng(1)))[:-200]
_TEXT = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
_WRONG = _damaged_png(_picture(np.random.default_rng(2)))
BAD = frozenset({_CUT, _TEXT, _WRONG})


def records() -> Records:
    """The files of every source; the same ones at every call."""
    rng = np.random.default_rng(5)
    found: Records = {}
    shared = [_jpeg(_picture(rng)) for _ in range(15)]
    for source in SOURCES:
        made = [_jpeg(_picture(rng)) for _ in range(70)]
        made += [_jpeg(_picture(rng, 80, 64)) for _ in range(12)]  # larger than what is kept
        made += [_png(_picture(rng)) for _ in range(12)]
        for data in shared:
            made += [data, data, _png(simplejpeg.decode_jpeg(data, "RGB"))]  # equal bytes, and equal once decoded
        for _ in range(12):
            made.append(_jpeg(_picture(rng, 12, 12)))
            made.append(_jpeg(_picture(rng, 24, 120)))
            made.append(_png(np.full((40, 40, 3), rng.integers(0, 256, 3), np.uint8)))
            made += [_CUT, _TEXT, _WRONG]
        if source == "beta":
            made.append(_png(rng.integers(0, 256, (SIDE, 3 * SIDE, 3), dtype=np.uint8).repeat(2, 0).repeat(2, 1)))
            made.append(_png(rng.integers(0, 256, (400, 400, 3), dtype=np.uint8)))  # larger than a batch
        random.Random(5).shuffle(made)
        found[source] = made
    return found


def lay(folder: Path, *, files: int = 7, packing: str = ".jpg", seed: int | None = None) -> Path:
    """Write the corpus into so many folders, tars or tables a source, the pictures shuffled over them by a seed."""
    for source, made in records().items():
        if seed is not None:
            random.Random(seed).shuffle(made)
        if packing in CONTAINERS:
            (folder / source).mkdir(parents=True)
            for number in range(files):
                CONTAINERS[packing](folder / source / f"{number:03d}{packing}", made[number::files])
            continue
        for number, data in enumerate(made):
            target = folder / source / f"{number % files:03d}" / f"{number:04d}{packing or '.jpg'}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return folder


def _tar(target: Path, pictures: list[bytes]) -> None:
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for number, data in enumerate(pictures):
            member = tarfile.TarInfo(f"{number:06d}.jpg")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def _table(target: Path, pictures: list[bytes]) -> None:
    pq.write_table(pa.table({"image": pa.array(pictures, pa.binary())}), target, row_group_size=20)


CONTAINERS = {".tar": _tar, ".parquet": _table}


def _reader(folder: Path) -> Reader:
    """The reader of what was laid there: the same pictures are the same rows, whatever they come in."""
    if any(folder.glob("*.tar")):
        return WebDataset(paths=(str(folder),))
    if any(folder.glob("*.parquet")):
        return Parquet(paths=(str(folder),), fields={"image": "image"})
    return Images(paths=(str(folder),))


def law_recipe(folder: Path, **changes: object) -> Recipe:
    """Every kind of step for pictures, seven training shards."""
    fields: dict[str, object] = {
        "name": "law",
        "seed": 17,
        "sources": {source: _reader(folder / source) for source in SOURCES},
        "build": (ResizeImage(short_side=SIDE), ImageQuality(min_side=16), Exact(), EncodeJpeg()),
        "shards": Shards(count=7, splits=Splits(val=0.05, test=0.05)),
        "limits": Limits(part_bytes=200_000, memory_bytes=1_000_000, max_bad=0.5, max_duplicate=0.9),
    }
    return Recipe(**{**fields, **changes})  # type: ignore[arg-type]


IMAGES = Modality(
    name="images",
    records=records,
    lay=lay,
    recipe=law_recipe,
    drawing=lambda salt: (TwoViews(size=16, salt=salt),),
    divisions=((1, ".jpg", 1), (3, ".png", 2), (20, ".webp", 3), (5, ".tar", 4), (3, ".parquet", 5)),
    bad=BAD,
    survivors=15,
    copies=135,
)
