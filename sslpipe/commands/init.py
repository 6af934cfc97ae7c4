"""`sslpipe init`: a shipped recipe to edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The shipped recipe to start from, such as `text`.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write; NAME.yaml by default.")
    ] = None,
) -> None:
    """Write a shipped recipe, to edit.

    With its comments. Never overwrites a file.
    """
    from sslpipe.core.errors import EnvironmentFault, RecipeError
    from sslpipe.recipe.load import shipped_file

    source = shipped_file(name)
    target = output or Path(f"{name}.yaml")
    text = source.read_bytes()
    try:
        with target.open("xb") as file:
            file.write(text)
    except FileExistsError:
        raise RecipeError(f"{target} exists already, and init never overwrites; choose another file with -o") from None
    except OSError as error:
        raise EnvironmentFault(f"{target} can't be written: {error.strerror}") from error
    typer.echo(f"wrote {target}; edit `paths`, then: sslpipe build {target} -o OUT")
