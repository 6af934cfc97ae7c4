"""Shards of pictures and of sound open unchanged in the readers that people have.

`datasets` decodes pictures itself. Sound it neither decodes nor even wraps without torchcodec, which isn't among what the tests
install: there it is asked for the bytes as a column (`features=`), and soundfile decodes them, as anybody could.
"""

from __future__ import annotations

import gc
import io
import tarfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from sslpipe.core.steps import Step
from sslpipe.dedups.exact import Exact
from sslpipe.maps.encode_flac import EncodeFlac
from sslpipe.maps.encode_jpeg import EncodeJpeg
from sslpipe.readers.audio import Audio
from sslpipe.readers.images import Images
from sslpipe.recipe.recipe import Recipe, Shards
from sslpipe.recipe.splits import Splits
from sslpipe.stream.dataset import Dataset
from tests.building.corpora import limits, run, sound
from tests.support_images import jpeg, photo, saved

Sample = tuple[str, bytes, str]
"""Key, what it decodes to, path of its file."""


class Medium(NamedTuple):
    """A kind of dataset, and how other readers see it."""

    source: Callable[[Path], Step]
    step: Step
    field: str
    member: str
    files: Callable[[], Mapping[str, bytes]]
    value: Callable[[Any], np.ndarray]
    """What is decoded of what a reader hands out, as our dataset does."""


def pictures() -> Mapping[str, bytes]:
    """Plain JPEGs, which keep their bytes, and PNGs, which don't."""
    made = {f"{number}.jpg": jpeg(photo(30 + number, 40, number)) for number in range(20)}
    return made | {f"{number}.png": saved(photo(30, 40, number), "PNG") for number in range(20, 30)}


def recordings() -> Mapping[str, bytes]:
    """One and two channels, of different lengths."""
    made = {}
    rng = np.random.default_rng(0)
    for number in range(30):
        file = io.BytesIO()
        samples = rng.integers(-9000, 9000, (800 + 10 * number, 1 + number % 2), dtype=np.int16)
        soundfile.write(file, samples, 8000, format="WAV" if number < 20 else "FLAC", subtype="PCM_16")
        made[f"{number}.{'wav' if number < 20 else 'flac'}"] = file.getvalue()
    return made


def decoded_sound(value: Any) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(value), dtype="float32")
    assert rate == 8000
    return samples.reshape(len(samples), -1).T


def decoded_picture(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    return np.asarray(value.convert("RGB"))


MEDIA = {
    "images": Medium(
        lambda folder: Images(paths=(str(folder),), keep=("path",)), EncodeJpeg(), "image", "jpg", pictures, decoded_picture
    ),
    "audio": Medium(
        lambda folder: Audio(paths=(str(folder),), keep=("path",)), EncodeFlac(), "audio", "flac", recordings, decoded_sound
    ),
}  # fmt: skip
Built = tuple[Medium, Dataset]


@pytest.fixture(scope="module", params=MEDIA)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    medium, folder = MEDIA[request.param], tmp_path_factory.mktemp("media")
    (folder / "in").mkdir()
    for name, data in medium.files().items():
        (folder / "in" / name).write_bytes(data)
    splits = Shards(count=3, splits=Splits(val=0.3, test=0.1))
    recipe = Recipe(
        name="media", seed=5, sources={"main": medium.source(folder / "in")}, build=(Exact(), medium.step), shards=splits,
        limits=limits(),
    )  # fmt: skip
    manifest = run(recipe, folder / "out")
    assert manifest.totals["kept"] == 30
    return medium, sound(folder / "out", manifest)


def plain(values: np.ndarray) -> bytes:
    return f"{values.dtype} {values.shape} ".encode() + np.ascontiguousarray(values).tobytes()


def wanted(built: Built, split: str) -> Counter[Sample]:
    medium, dataset = built
    first = 0
    for name, count in dataset.splits.items():
        if name == split:
            rows = [dataset[row] for row in range(first, first + count)]
            return Counter((row["__key__"], plain(np.asarray(row[medium.field])), row["meta"]["path"]) for row in rows)
        first += count
    raise AssertionError(split)


def found(medium: Medium, rows: Iterable[dict[str, Any]]) -> Counter[Sample]:
    return Counter((row["__key__"], plain(medium.value(row[medium.member])), row["json"]["path"]) for row in rows)


def read_by_webdataset(medium: Medium, paths: list[str]) -> Counter[Sample]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It leaves open files to the collector.
        import webdataset

        handlers = ["rgb8"] if medium.field == "image" else []
        rows = list(webdataset.WebDataset(paths, shardshuffle=False).decode(*handlers, partial=True))
        gc.collect()
    return found(medium, rows)


def shards(dataset: Dataset, split: str) -> list[str]:
    return [str(dataset._storage.root / shard.path) for shard in dataset.manifest.split(split)]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_webdataset(split: str, built: Built) -> None:
    assert read_by_webdataset(built[0], shards(built[1], split)) == wanted(built, split) != Counter()


def exchanged(medium: Medium, shard: str, target: Path) -> str:
    """A copy of a shard in which two samples have each other's picture or sound."""
    with tarfile.open(shard) as old, tarfile.open(target, "w") as new:
        members = [(member, old.extractfile(member).read()) for member in old]  # type: ignore[union-attr]  # all are files
        one, other = [at for at, (member, _) in enumerate(members) if member.name.endswith(medium.member)][:2]
        swap = {one: other, other: one}
        for at, (member, _) in enumerate(members):
            data = members[swap.get(at, at)][1]
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return str(target)


def test_mutants(built: Built, tmp_path: Path) -> None:
    """Samples that have each other's data, and a shard that is missing, or there twice."""
    medium, dataset = built
    paths = shards(dataset, "train")
    for mutant in ([exchanged(medium, paths[0], tmp_path / "x.tar"), *paths[1:]], paths[1:], [*paths, paths[0]]):
        assert read_by_webdataset(medium, mutant) != wanted(built, "train")


def hugging_face(built: Built, streaming: bool, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    medium, dataset = built
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets

        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
        datasets.disable_progress_bars()
        text, stored = datasets.Value("string"), datasets.Value("binary")
        bare = datasets.Features({"__key__": text, "__url__": text, medium.member: stored, "json": {"path": text}})
        features = {"features": bare} if medium.field == "audio" else {}
        loaded = datasets.load_dataset(str(dataset._storage.root), streaming=streaming, cache_dir=str(cache), **features)
        assert set(loaded) == {"train", "validation", "test"}
        return {split: list(loaded["validation" if split == "val" else split]) for split in ("train", "val", "test")}


@pytest.mark.parametrize("streaming", [False, True])
def test_hugging_face(streaming: bool, built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for split, rows in hugging_face(built, streaming, tmp_path, monkeypatch).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert found(built[0], rows) == wanted(built, split) != Counter()


def test_files_that_needed_no_change_are_handed_out_as_they_were(built: Built) -> None:
    medium, dataset = built
    kept = {name: data for name, data in medium.files().items() if name.endswith(medium.member)}
    members: Counter[bytes] = Counter()
    for shard in dataset.manifest.shards:
        with tarfile.open(dataset._storage.root / shard.path) as archive:
            members.update(archive.extractfile(member).read() for member in archive if member.name.endswith(medium.member))  # type: ignore[union-attr]  # all are files
    assert members.total() == 30 and Counter(kept.values()) <= members
