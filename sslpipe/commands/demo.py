"""`sslpipe demo`: the whole road on data that every machine has, offline."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sslpipe.building.stages import Engine
    from sslpipe.core.steps import Step


@dataclass(frozen=True)
class _Corpus:
    """One corpus of the demo."""

    name: str
    what: str
    raw: str
    write: Callable[[Path], int]
    recipe: str
    tasks: dict[str, tuple[Step, ...]]
    changes: Sequence[str] = field(default_factory=tuple)


def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder to work in.")] = Path("sslpipe-demo"),
    engine: Annotated[str, typer.Option(help="`ray` or `inline`.")] = "ray",
) -> None:
    """Run the whole road on offline data.

    Builds datasets of text, pictures and speech, and takes batches of each task from them. Needs no network.

    The text are docstrings of installed Python files, the pictures tiles of two photographs, the speech sentences of a
    synthesiser. What is made lies under -o, to be looked at with every other command.
    """
    from sslpipe.api import make_engine

    with closing(make_engine(engine, None, None)) as runner:
        for corpus in _corpora():
            _show(corpus, out, runner)
    typer.echo(
        f"\nnext: {sys.argv[0]} report {out / 'text'}          what was kept and dropped, as a page\n"
        f"      {sys.argv[0]} peek {out / 'images'}          what the tasks hand out, as pictures\n"
        f"      {sys.argv[0]} explain {out / 'text'} {_first_key(out / 'text')}\n"
        f"      {sys.argv[0]} build images -i FOLDER_OF_PHOTOGRAPHS -o OUT\n"
        f"      {sys.argv[0]} list"
    )


def _corpora() -> list[_Corpus]:
    from sslpipe import packs, tasks
    from sslpipe._demo.docstrings import write_docstrings
    from sslpipe._demo.photographs import write_photographs
    from sslpipe._demo.speech import write_speech

    pack = packs.Concatenate(length=128)
    return [
        _Corpus(
            "text", "docstrings of installed Python files", "docstrings.jsonl", write_docstrings, "demo",
            {"next token": (pack, tasks.NextToken()), "masked tokens": (pack, tasks.MaskedTokens())},
        ),
        _Corpus(
            "images", "tiles of two photographs", "photographs", write_photographs, "images",
            {"two views": (tasks.TwoViews(size=96),), "masked patches": (tasks.MaskedPatches(size=96),)},
            ["filters.image_quality.min_side=100"],
        ),
        _Corpus(
            "audio", "spoken sentences", "speech", write_speech, "audio",
            {"masked frames": (tasks.MaskedFrames(crop_s=2.0),)},
        ),
    ]  # fmt: skip


def _show(corpus: _Corpus, out: Path, engine: Engine) -> None:
    """Write, build, stream and print one of them."""
    from sslpipe.api import build_located
    from sslpipe.api import open as open_dataset
    from sslpipe.commands.progress import progress_for
    from sslpipe.commands.table import summary
    from sslpipe.recipe.load import load_located

    raw = out / "raw" / corpus.raw
    count = corpus.write(raw)
    typer.echo(f"\n{corpus.name}: {count:,} {corpus.what} in {raw}\n")
    started = time.monotonic()
    located = load_located(corpus.recipe, input=raw, overrides=corpus.changes)
    progress = progress_for(sys.stderr, quiet=False)
    try:
        manifest = build_located(located, out / corpus.name, engine, progress, update=True)
    finally:
        progress.close()
    typer.echo(summary(manifest, out / corpus.name, time.monotonic() - started, progress.input_bytes))
    dataset = open_dataset(out / corpus.name)
    for name, steps in corpus.tasks.items():
        batch = next(iter(dataset.stream(*steps, batch_size=8)))
        typer.echo(f"\none batch of {name}")
        for label, value in batch.items():
            typer.echo(f"  {label:<24} {_kind(value)}")
        if "input_ids" in batch:
            ids = batch["input_ids"][0, :24].tolist()
            typer.echo(f"  reads: {dataset.tokenizer.decode(ids, skip_special_tokens=False)!r}")


def _first_key(folder: Path) -> str:
    from sslpipe.api import open as open_dataset

    return open_dataset(folder).keys[0]


def _kind(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"{getattr(value, 'dtype', '')} {list(shape)}" if shape is not None else repr(value)
