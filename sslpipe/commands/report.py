"""`sslpipe report`: a page about a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sslpipe.commands.options import Out


def report(
    out: Out,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; OUT/report.html by default.")
    ] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Let steps of other packages, which its recipe names, run.")] = False,
) -> None:
    """Show a finished dataset as a page.

    It has the recipe, what became of every record, what was measured with the thresholds, and rows to look at: one file that
    needs no network, to open in a browser or to send to somebody. Of rows that were dropped it has the paths, not the content.
    """
    from sslpipe.report.report import write_report

    target = write_report(out, output, trust=trust)
    typer.echo(f"wrote {target} ({target.stat().st_size / 1e6:,.1f} MB)")
