"""`sslpipe status`: how far a build is, from its commits alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sslpipe.commands.options import Json


def status(
    out: Annotated[Path, typer.Argument(help="The folder of the dataset.")],
    as_json: Json = False,
) -> None:
    """Show how far a build is, or what a finished one holds. Works beside a running build, and after a crash."""
    if as_json:
        from sslpipe.building.state import stages_of
        from sslpipe.shards.storage import LocalStorage

        typer.echo(json.dumps([list(stage) for stage in stages_of(LocalStorage(out))]))
        return
    typer.echo("\n".join(describe(out)))


def describe(out: Path) -> list[str]:
    """The lines of `status`."""
    from sslpipe.building.state import stages_of
    from sslpipe.commands.progress import words
    from sslpipe.commands.table import summary
    from sslpipe.core.errors import DataError
    from sslpipe.shards.manifest import NAME, Manifest
    from sslpipe.shards.storage import LocalStorage

    storage = LocalStorage(out)
    if storage.size(NAME) is not None:
        return ["finished", *summary(Manifest.load(storage), out).splitlines()]
    stages = stages_of(storage)
    if not stages:
        raise DataError(f"{out} holds no build; `sslpipe build RECIPE -o {out}` starts one")
    lines = [f"  {words(name):<24} {done} of {total} tasks" for name, done, total in stages]
    return ["not finished; the build's command, run again, goes on from here", *lines]
