"""`sslpipe demo`: the whole road on data that every machine has, offline."""

from __future__ import annotations

import ast
import itertools
import json
import sys
import sysconfig
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

MAX_FILES = 1000
MAX_FILE_BYTES = 1 << 20


def demo(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="The folder to work in.")] = Path("sslpipe-demo"),
    engine: Annotated[str, typer.Option(metavar="ENGINE", help="`ray` or `inline`.")] = "ray",
) -> None:
    """Go the whole road on docstrings; offline.

    Builds a dataset from the docstrings of installed Python files, and takes batches of two tasks from it. Half a minute.
    """
    from sslpipe.api import build_located, make_engine
    from sslpipe.api import open as open_dataset
    from sslpipe.commands.progress import progress_for
    from sslpipe.commands.table import summary
    from sslpipe.packs.concatenate import Concatenate
    from sslpipe.recipe.load import load_located
    from sslpipe.tasks.masked_tokens import MaskedTokens
    from sslpipe.tasks.next_token import NextToken

    runner = make_engine(engine, None, None)
    raw = out / "raw" / "docstrings.jsonl"
    count = write_docstrings(raw)
    typer.echo(f"{count:,} docstrings of at most {MAX_FILES:,} installed Python files in {raw}\n")
    started = time.monotonic()
    located = load_located("demo", input=raw)
    progress = progress_for(sys.stderr, quiet=False)
    try:
        manifest = build_located(located, out / "dataset", runner, progress, update=True)
    finally:
        progress.close()
    typer.echo(summary(manifest, out / "dataset", time.monotonic() - started, progress.input_bytes))
    dataset = open_dataset(out / "dataset")
    pack = Concatenate(length=128)
    for name, task in (("next token", NextToken()), ("masked tokens", MaskedTokens())):
        batch = next(iter(dataset.stream(pack, task, batch_size=8)))
        typer.echo(f"\none batch of {name}")
        for field, value in batch.items():
            typer.echo(f"  {field:<16} {_kind(value)}")
        ids = batch["input_ids"][0, :24].tolist()
        typer.echo(f"  reads: {dataset.tokenizer.decode(ids, skip_special_tokens=False)!r}")
    typer.echo(
        f"\nnext: {sys.argv[0]} explain {out / 'dataset'} {dataset.keys[0]}\n"
        f"      {sys.argv[0]} build text -i FOLDER_OF_TEXTS -o OUT\n"
        f"      {sys.argv[0]} list"
    )


def _kind(value: object) -> str:
    shape = getattr(value, "shape", None)
    return f"{getattr(value, 'dtype', '')} {list(shape)}" if shape is not None else repr(value)


def write_docstrings(target: Path) -> int:
    """Write the docstrings of installed Python files as JSON lines; files are parsed, never imported."""
    target.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with target.open("w", encoding="utf-8") as file:
        for path in itertools.islice(_python_files(), MAX_FILES):
            for text in docstrings(path):
                file.write(json.dumps({"text": text, "path": path.name}, ensure_ascii=True) + "\n")
                count += 1
    return count


def _python_files() -> Iterator[Path]:
    """The standard library first: it is everywhere, and its prose is the best."""
    for name in ("stdlib", "purelib"):
        root = Path(sysconfig.get_path(name))
        skipped = {"site-packages", "test", "tests", "idlelib", "__pycache__"} if name == "stdlib" else {"__pycache__"}
        for path in sorted(root.rglob("*.py")):
            inside = path.relative_to(root).parts
            if not skipped.intersection(inside) and path.stat().st_size <= MAX_FILE_BYTES:
                yield path


def docstrings(path: Path) -> Iterator[str]:
    """The docstrings of one file, in order; none where it can't be parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # What the files of others make the parser say.
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text.encode("utf-8", "replace").decode()
