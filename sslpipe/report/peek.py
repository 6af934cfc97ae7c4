"""What the tasks that fit a dataset hand out, as pictures."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs.encoded import codec_of
from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.fields import Vocabulary
from sslpipe.core.steps import Step
from sslpipe.report.fitting import Fitting, Steps, described
from sslpipe.report.pictures.drawers import drawer_of
from sslpipe.report.pictures.scene import Sample, Scene
from sslpipe.report.stored_row import stored_row
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.dataset import Dataset

if TYPE_CHECKING:
    from PIL.Image import Image

_OF_BATCH: Final = ("cu_seqlens", "max_seqlen", "__key__")
"""What a batch holds as a whole, and not for each of its rows."""


@dataclass(frozen=True)
class Peeked:
    """The pictures that were drawn, and why others were not."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def peek(out: Path, folder: Path, *, task: str | None = None, rows: int = 4, seed: int | None = None) -> Peeked:
    """Draw the first rows of the stream of each task that fits, or of the one named, into `<folder>/<task>.png`.

    Batches come from `dataset.stream`, so what is shown is what a trainer gets in epoch 0. A task of the recipe's `stream:`
    half is taken with its settings there, another with its defaults. Raises DataError where the dataset is not finished or
    empty, RecipeError where no task fits.
    """
    storage = LocalStorage(out)
    manifest = Manifest.finished(storage)
    dataset = Dataset(out)
    if not manifest.split("train"):
        raise DataError(f"{out} has no rows to train on; `sslpipe report {out}` shows what became of all")
    fitting = Fitting.of(manifest, {name: storage.path(file.path) for name, file in manifest.artefacts.items()})
    chosen = dict([fitting.named(task)]) if task is not None else fitting.steps
    if not chosen:
        why = "".join(f"\n  {name}: {reason}" for name, reason in fitting.unfit.items())
        raise RecipeError(f"no task fits {out}, a row of which holds {described(manifest.fields)}:{why}")
    paths, notes = [], [fitting.note] if fitting.note else []
    for name, steps in chosen.items():
        try:
            samples = _samples(dataset, steps, rows, seed)
        except RecipeError as error:
            notes.append(f"{name}: {error}")
            continue
        draw = drawer_of(samples)
        if draw is None:
            notes.append(f"{name}: there is no picture for rows of {', '.join(samples[0].values)}")
            continue
        paths.append(folder / f"{name}.png")
        _save(draw(_scene(dataset, storage, name, steps, samples)), paths[-1])
    if not paths:
        raise RecipeError("nothing was drawn:" + "".join(f"\n  {note}" for note in notes))
    return Peeked(tuple(paths), tuple(notes))


def _samples(dataset: Dataset, steps: Steps, rows: int, seed: int | None) -> list[Sample]:
    """The first rows of the stream. One a batch: what a row is depends on no other, and so none is padded."""
    stream = dataset.stream(*map(_telling, steps), batch_size=1, seed=seed, rank=0, world=1, threads=1, with_keys=True)
    return [
        Sample(batch["__key__"][0], {name: _first(value) for name, value in batch.items() if name not in _OF_BATCH})
        for batch in itertools.islice(stream, rows)
    ]


def _telling(step: Step) -> Step:
    """A task that also hands out what it drew, where it can; that changes no draw."""
    return step.model_copy(update={"view_params": True}) if "view_params" in type(step).model_fields else step


def _first(values: Any) -> Any:
    """The only row of a column of a batch."""
    return values.numpy()[0] if hasattr(values, "numpy") else values[0]


def _scene(dataset: Dataset, storage: LocalStorage, name: str, steps: Steps, samples: list[Sample]) -> Scene:
    manifest = dataset.manifest
    vocabulary = next(
        (field.vocabulary for field in manifest.fields.values() if field.vocabulary is not None), Vocabulary(size=1)
    )
    picture = next((field for field, kind in manifest.fields.items() if kind.kind == "image"), None)

    def original(key: str) -> NDArray[np.uint8] | None:
        found = stored_row(storage, manifest, key) if picture is not None else None
        if found is None or picture is None:
            return None
        shard, row = found
        pixels: NDArray[np.uint8] = codec_of("image").decode(shard.row(picture, row).tobytes())[0]
        return pixels

    title = f"{manifest.name}: {name.replace('_', ' ')}"
    control = frozenset(vocabulary.control)
    return Scene(title, steps, samples, _piece(dataset.tokenizer), vocabulary.mask, control, original)


def _piece(tokenizer: Any) -> Callable[[int], str]:
    """A token as text; its number where no tokenizer is known."""
    if tokenizer is None:
        return lambda token: f" {token}"
    size = tokenizer.get_vocab_size()

    def piece(token: int) -> str:
        text: str = tokenizer.decode([token], skip_special_tokens=False) if token < size else f" {token}"
        return text

    return piece


def _save(image: Image, target: Path) -> None:
    import io

    data = io.BytesIO()
    image.save(data, "PNG")
    LocalStorage(target.parent).replace(target.name, data.getvalue())
