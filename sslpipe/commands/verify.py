"""`sslpipe verify`: is every byte what it was when it was written?"""

from __future__ import annotations

import typer

from sslpipe.commands.options import Out


def verify(out: Out) -> None:
    """Check every byte of a dataset.

    Hashes each shard, index and row anew and compares with what was written down; names what differs, with exit code 2.
    """
    from sslpipe.core.errors import DataError
    from sslpipe.core.words import counted
    from sslpipe.shards.manifest import Manifest
    from sslpipe.shards.storage import LocalStorage
    from sslpipe.shards.verify import verify as verify_files

    storage = LocalStorage(out)
    manifest = Manifest.load(storage)
    problems: list[str] = []
    checked = 0
    for _, found in verify_files(storage, manifest):
        checked += 1
        problems += found
    if problems:
        listed = "\n  ".join(problems[:20])
        raise DataError(
            f"{len(problems)} problems in {out}:\n  {listed}\nBuild again into another folder, or restore these files"
        )
    rows = counted(sum(shard.samples for shard in manifest.shards), "row")
    typer.echo(f"{counted(checked, 'file')} and {rows} are whole")
