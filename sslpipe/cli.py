"""The command line. A command is one function in `sslpipe/commands/`; what it needs is imported when it runs."""

from __future__ import annotations

import sys

import typer

from sslpipe.commands.build import Terminated, build
from sslpipe.commands.demo import demo
from sslpipe.commands.explain import explain
from sslpipe.commands.init import init
from sslpipe.commands.list_steps import list_steps
from sslpipe.commands.plan import plan
from sslpipe.commands.status import status
from sslpipe.commands.verify import verify

app = typer.Typer(
    name="sslpipe",
    help="Raw corpora in, self-supervised training batches out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
app.command("build")(build)
app.command("plan")(plan)
app.command("status")(status)
app.command("verify")(verify)
app.command("explain")(explain)
app.command("demo")(demo)
app.command("init")(init)
app.command("list")(list_steps)


@app.callback()
def _root() -> None:
    """Raw corpora in, self-supervised training batches out."""


def main() -> None:
    """Run a command. Errors raised on purpose are one message and their exit code; a traceback is a bug of ours.

    Ctrl-C ends in 130, a wrong option in 2.
    """
    from sslpipe.core.errors import SslpipeError

    try:
        app()
    except Terminated:
        sys.exit(143)
    except SslpipeError as error:
        sys.stderr.write(f"sslpipe: {error}\n")
        sys.exit(error.exit_code)
