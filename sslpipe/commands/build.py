"""`sslpipe build`: run a recipe, or go on running it."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from sslpipe.commands.options import Inputs, Json, Limit, RecipeName, Sets


def build(
    recipe: RecipeName,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="The folder of the dataset; made if need be.")],
    inputs: Inputs = None,
    sets: Sets = None,
    engine: Annotated[
        str, typer.Option(metavar="ENGINE", help="`ray` (all cores, or a cluster) or `inline` (this process).")
    ] = "ray",
    address: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Join the Ray cluster at this address.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, metavar="N", help="Cores to use; all of them by default.")] = None,
    limit: Limit = None,
    update: Annotated[bool, typer.Option("--update", help="Replace what another recipe, or other input, made in OUT.")] = False,
    as_json: Json = False,
) -> None:
    """Build a dataset, or go on building one.

    A build that was interrupted, or killed, goes on when the same command runs again, and ends in the same bytes. A finished
    one is left as it is. Exit codes: 2 wrong recipe or usage, 3 finished but with more unreadable records than
    `limits.max_bad`, 4 disk, memory or Ray, 5 another build works on OUT, 130 and 143 interrupted.
    """
    from sslpipe.api import build_located, check_bad, make_engine
    from sslpipe.commands.progress import progress_for
    from sslpipe.commands.table import summary
    from sslpipe.recipe.load import load_located

    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        # As Ctrl-C, which every library on the way up lets through; an exception of our own is swallowed by some.
        stopped.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    located = load_located(recipe, input=inputs or None, overrides=sets or [])
    runner = make_engine(engine, workers, address)
    started = time.monotonic()
    progress = progress_for(sys.stderr, quiet=as_json)
    try:
        with closing(runner):
            manifest = build_located(located, out, runner, progress, limit=limit, update=update)
    except KeyboardInterrupt:
        progress.close()
        typer.echo("interrupted; what is committed is kept. To go on, run the same command again", err=True)
        if stopped:
            raise Terminated from None
        raise
    finally:
        progress.close()
    seconds = time.monotonic() - started
    if as_json:
        told = {"out": str(out), "totals": manifest.totals, "by_source": manifest.by_source, "unread": manifest.unread}
        typer.echo(json.dumps({**told, "shards": len(manifest.shards), "seconds": round(seconds, 3)}))
    else:
        typer.echo(summary(manifest, out, seconds, progress.input_bytes, located.recipe.build))
    check_bad(manifest, located.recipe, out)


class Terminated(BaseException):
    """A build was stopped by SIGTERM; workers and lock are released by now."""
