"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe file, or a shipped recipe such as `text`.")]
Inputs = Annotated[
    list[str] | None, typer.Option("-i", "--input", help="Files or folders, in place of those of the recipe's only source.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a field: filters.gopher_quality.min_words=30."),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="A quick look: at most so many rows, and so many bad records, of the first part of each source."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
