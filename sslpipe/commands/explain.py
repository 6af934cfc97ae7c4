"""`sslpipe explain`: why a record is in the dataset, or is not."""

from __future__ import annotations

from typing import Annotated

import typer

from sslpipe.commands.options import Out


def explain(
    out: Out,
    wanted: Annotated[str, typer.Argument(metavar="KEY|PATH", help="A record's key, or a file that was read.")],
    trust: Annotated[bool, typer.Option("--trust", help="Let steps of other packages, which its recipe names, run.")] = False,
) -> None:
    """Say why a record is in, or is not.

    Its numbers, the threshold that it missed and by how much, the survivor that it repeats, or the shard that it lies in. PATH
    may be the end of a file's path, and KEY the start of a key.
    """
    from sslpipe.building.explain import LIMIT
    from sslpipe.building.explain import explain as stories
    from sslpipe.shards.storage import LocalStorage

    found = stories(LocalStorage(out), wanted, trust=trust)
    typer.echo("\n\n".join("\n".join(story) for story in found))
    if len(found) == LIMIT:
        typer.echo(f"\nonly the first {LIMIT} are shown; give a longer key or path")
