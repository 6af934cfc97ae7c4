"""What the benchmarks read: a dataset that the user names, or one that is made up, and the same rows for the peers.

Made-up documents have words of syllables, as frequent as Zipf's law says, lengths as uneven as those of web pages (log-normal),
and sentences and lines. A loader's speed depends on the lengths of documents, not on what they say.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import sslpipe

WORDS = 16_000_000
"""About 20 million tokens, 40 MB as stored."""
QUICK_WORDS = 1_500_000
STOP_WORDS = ["the", "of", "and", "to", "be", "that", "have", "with"]


def made_up(words: int, seed: int = 0) -> Iterator[str]:
    """Documents of so many words in all."""
    draw = np.random.default_rng(seed)
    starts, ends = list("bcdfghklmnprstvz"), ["a", "e", "i", "o", "u", "an", "er", "in", "or", "us"]
    syllables = np.array([a + b for a in starts for b in ends])
    lexicon = np.array(STOP_WORDS + ["".join(draw.choice(syllables, draw.integers(1, 5))) for _ in range(20_000)], object)
    weights = 1 / (np.arange(len(lexicon)) + 2.7)
    cumulative = np.cumsum(weights / weights.sum())
    while words > 0:
        count = int(np.clip(draw.lognormal(6.2, 1.0), 60, 20_000))
        words -= count
        text = lexicon[np.minimum(np.searchsorted(cumulative, draw.random(count)), len(lexicon) - 1)]
        text[14::15] += "."
        text[74::75] += "\n"
        yield " ".join(text)


def build_text(folder: Path, quick: bool) -> None:
    """A finished dataset in `folder` from made-up documents."""
    import sslpipe
    from sslpipe import dedups, fits, maps, readers

    raw = folder.with_name("raw.jsonl")
    with raw.open("w") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in made_up(QUICK_WORDS if quick else WORDS))
    recipe = sslpipe.Recipe(
        name="bench",
        sources={"main": readers.Jsonl(paths=[str(raw)])},
        build=(
            maps.NormalizeText(),
            dedups.Exact(),
            fits.ByteLevelBpe(vocab_size=16_000, sample_bytes=20_000_000),
            maps.Tokenize(),
        ),
        shards={"max_bytes": "16MB"},
    )
    sslpipe.build(recipe, folder, engine="inline")
    raw.unlink()


def build_shipped(recipe: str, raw: Path, folder: Path, *overrides: str) -> None:
    """A finished dataset in `folder` by the shipped recipe of this name, from the files below `raw`."""
    import sslpipe
    from sslpipe.recipe.load import load_recipe

    sslpipe.build(load_recipe(recipe, input=raw, overrides=overrides), folder, engine="inline")


def members(folder: Path, suffix: str) -> list[bytes]:
    """All members of the training shards with this suffix, for peers that are spared the reading of shards."""
    found: list[bytes] = []
    for entry in open_dataset(folder).manifest.split("train"):
        with tarfile.open(folder / "dataset" / entry.path) as tar:
            found += [tar.extractfile(member).read() for member in tar if member.name.endswith(suffix)]  # type: ignore[union-attr]
    return found


def options(doc: str | None, wanted: str = "ids") -> argparse.ArgumentParser:
    """What every benchmark of a stream can be told."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds on little data, to see that it works")
    parser.add_argument("--dataset", type=Path, help=f"a finished dataset with {wanted}; by default one is made up")
    return parser


@contextlib.contextmanager
def workspace(dataset: Path | None, quick: bool, make: Callable[[Path, bool], None] = build_text) -> Iterator[Path]:
    """A temporary folder that holds `dataset`, or one that `make` writes there, and takes what is made of it."""
    with tempfile.TemporaryDirectory(prefix="sslpipe-bench-") as name:
        folder = Path(name)
        if dataset is not None:
            (folder / "dataset").symlink_to(dataset.resolve(), target_is_directory=True)
        else:
            make(folder / "dataset", quick)
        describe(open_dataset(folder), "given" if dataset else "made up")
        yield folder


def open_dataset(folder: Path) -> sslpipe.Dataset:
    """The dataset of a workspace."""
    import sslpipe

    return sslpipe.open(folder / "dataset")


def describe(dataset: sslpipe.Dataset, origin: str) -> None:
    """Print what was measured on."""
    units = {"ids": "tokens", "image": "pixels", "audio": "samples of sound"}
    shards = dataset.manifest.split("train")
    counts = [
        f"{sum(shard.elements[name] for shard in shards):,} {units[field.kind]}"
        for name, field in dataset.manifest.fields.items()
        if field.kind in units
    ]
    rows, size = sum(shard.samples for shard in shards), sum(shard.bytes for shard in shards) / 1e6
    print(f"dataset ({origin}): {rows:,} rows, {', '.join(counts)}, {len(shards)} shards, {size:.1f} MB")


def save_rows(
    dataset: sslpipe.Dataset, length: int, target: Path, columns: Callable[[dict[str, Any]], dict[str, NDArray[Any]]]
) -> None:
    """Pack the training documents in stored order, and save what `columns` makes of each batch as a dataset of the peer's.

    Lists as the peer's own `map` would store them: not of fixed size, and as wide as its columns' dtypes are here.
    """
    import datasets
    import pyarrow as pa

    from sslpipe import packs, tasks

    datasets.disable_progress_bars()
    stream = dataset.stream(packs.Concatenate(length=length), tasks.NextToken(), batch_size=256, shuffle=None, tail="carry")
    tables, left = [], _rows(dataset, length)
    for batch in stream:
        made = {name: values[:left] for name, values in columns(dict(batch)).items()}
        left -= len(next(iter(made.values())))
        arrays = {
            name: pa.ListArray.from_arrays(np.arange(len(values) + 1, dtype=np.int32) * length, values.reshape(-1))
            for name, values in made.items()
        }
        tables.append(pa.table(arrays))
    datasets.Dataset(datasets.table.InMemoryTable(pa.concat_tables(tables).combine_chunks())).save_to_disk(target)


def _rows(dataset: sslpipe.Dataset, length: int) -> int:
    from sslpipe import packs

    return len(dataset.stream(packs.Concatenate(length=length), batch_size=1))


def read_rows(target: Path, form: str) -> Any:
    """The saved rows, mapped into memory, giving arrays of `form`."""
    import datasets

    datasets.disable_progress_bars()
    return datasets.load_from_disk(str(target)).with_format(form)


def tokenizer_of(dataset: sslpipe.Dataset) -> Any:
    """The dataset's tokenizer as the peer wants it; it makes no attention mask, since no row holds padding."""
    from transformers import PreTrainedTokenizerFast

    own, vocabulary = dataset.tokenizer, dataset.manifest.fields["ids"].vocabulary
    assert vocabulary is not None
    ids = {"pad_token": vocabulary.pad, "eos_token": vocabulary.eos, "mask_token": vocabulary.mask}
    names = {role: own.id_to_token(number) for role, number in ids.items() if number is not None}
    return PreTrainedTokenizerFast(tokenizer_object=own, model_input_names=["input_ids"], **names)
