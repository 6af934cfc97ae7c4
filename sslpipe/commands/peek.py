"""`sslpipe peek`: what a trainer would get, as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sslpipe.commands.options import Out


def peek(
    out: Out,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The folder for the pictures; OUT/peek by default.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Draw this task only, such as `masked_tokens`; all that fit by default.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, max=64, help="How many rows.")] = 4,
    seed: Annotated[int | None, typer.Option(min=0, help="The seed of the stream; the dataset's own by default.")] = None,
) -> None:
    """Draw what tasks make of a dataset.

    A PNG for each task that fits: masks, views, boundaries of packed documents. Rows come from the stream that trainers use, so
    what is shown is what a model gets.
    """
    from sslpipe.report.peek import peek as draw

    drawn = draw(out, output or out / "peek", task=task, rows=rows, seed=seed)
    for path in drawn.paths:
        typer.echo(f"wrote {path}")
    for note in drawn.notes:
        typer.echo(f"not drawn: {note}", err=True)
