"""`sslpipe status`: how far a build is, from its commits alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sslpipe.commands.options import Json, Out

if TYPE_CHECKING:
    from sslpipe.shards.storage import LocalStorage


def status(
    out: Out,
    as_json: Json = False,
) -> None:
    """Show how far a build is, or what it made.

    Reads what finished tasks have written down, so it works beside a running build, from another machine, and after a crash.
    """
    if as_json:
        typer.echo(json.dumps(_facts(out)))
        return
    typer.echo("\n".join(describe(out)))


def describe(out: Path) -> list[str]:
    """The lines of `status`."""
    from sslpipe.building.lock import holder
    from sslpipe.building.state import updating
    from sslpipe.commands.table import summary
    from sslpipe.shards.manifest import NAME, Manifest
    from sslpipe.shards.storage import LocalStorage

    storage = LocalStorage(out)
    running = holder(out)
    if storage.size(NAME) is None:
        state = f"running: {running}" if running else "not finished; the build's command, run again, goes on from here"
        return [state, *_so_far(storage)]
    lines = ["finished", *summary(Manifest.load(storage), out).splitlines()]
    if updating(storage):
        rest = f"is running: {running}" if running else "is not finished; its command, run again, goes on from here"
        lines += ["", f"a build that will replace it {rest}"]
        lines += _so_far(storage)
    return lines


def _so_far(storage: LocalStorage) -> list[str]:
    """What the commits of an unfinished build say: tasks by stage, then rows by outcome."""
    from sslpipe.building.state import counts_of, stages_of
    from sslpipe.commands.progress import words
    from sslpipe.commands.table import aligned, outcomes
    from sslpipe.core.errors import DataError

    stages = stages_of(storage)
    if not stages:
        raise DataError(f"{storage.root} holds no build; `sslpipe build RECIPE -o {storage.root}` starts one")
    lines = [f"  {words(name):<24} {done} of {total} tasks" for name, done, total in stages]
    return [*lines, "", "so far", *aligned(outcomes(counts_of(storage)))]


def _facts(out: Path) -> dict[str, object]:
    """What `--json` prints; `stages` are those of the build that began last, each as name, tasks done, tasks in all."""
    from sslpipe.building.state import counts_of, stages_of, updating
    from sslpipe.core.errors import DataError
    from sslpipe.shards.manifest import NAME, Manifest
    from sslpipe.shards.storage import LocalStorage

    storage = LocalStorage(out)
    stages = stages_of(storage)
    if not stages:
        raise DataError(f"{out} holds no build; `sslpipe build RECIPE -o {out}` starts one")
    finished = storage.size(NAME) is not None
    by_source = Manifest.load(storage).by_source if finished else counts_of(storage)
    return {"finished": finished, "updating": finished and updating(storage), "stages": stages, "by_source": by_source}
