"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe file, or a shipped recipe such as `text`.")]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="The folder of the dataset.")]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "-i",
        "--input",
        metavar="PATH",
        help="A file or folder to read in place of the recipe's own; may be given several times.",
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Change a field of the recipe: filters.gopher_quality.min_words=30; several times."
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="A quick look: at most so many rows, and so many bad records, of the first part of each source.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
