"""`sslpipe explain`: why a record is in the dataset, or is not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explain(
    out: Annotated[Path, typer.Argument(help="The folder of the dataset.")],
    wanted: Annotated[str, typer.Argument(metavar="KEY|PATH", help="A key or how it starts, or a path or how it ends.")],
    trust: Annotated[bool, typer.Option("--trust", help="Let steps of other packages, which its recipe names, run.")] = False,
) -> None:
    """Tell a record's way: its numbers, the threshold it missed, the survivor it repeats, or where it lies."""
    from sslpipe.building.explain import LIMIT
    from sslpipe.building.explain import explain as stories
    from sslpipe.shards.storage import LocalStorage

    found = stories(LocalStorage(out), wanted, trust=trust)
    typer.echo("\n\n".join("\n".join(story) for story in found))
    if len(found) == LIMIT:
        typer.echo(f"\nonly the first {LIMIT} are shown; give a longer key or path")
