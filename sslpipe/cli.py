"""The command line. A command is one function in `sslpipe/commands/`; what it needs is imported when it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from sslpipe import __version__
from sslpipe.commands.build import Terminated, build
from sslpipe.commands.demo import demo
from sslpipe.commands.doctor import doctor
from sslpipe.commands.explain import explain
from sslpipe.commands.init import init
from sslpipe.commands.list_steps import list_steps
from sslpipe.commands.peek import peek
from sslpipe.commands.plan import plan
from sslpipe.commands.report import report
from sslpipe.commands.status import status
from sslpipe.commands.verify import verify

app = typer.Typer(
    name="sslpipe",
    help="Raw corpora in, self-supervised training batches out.",
    epilog="`sslpipe demo` goes the whole road, offline. The help of each command ends in examples.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)


def _add(name: str, command: Callable[..., None], *examples: str) -> None:
    """Make a command known; its help ends in examples, as they stand."""
    app.command(name, epilog="\n".join(["\b", "For example:", *(f"  {example}" for example in examples)]))(command)


_add(
    "build", build,
    "sslpipe build text -i ~/texts -o out",
    "sslpipe build text -i ~/texts -o look --limit 1000",
    "sslpipe build my.yaml -o out --set filters.gopher_quality.min_words=30 --workers 8",
    "sslpipe build my.yaml -o /shared/out --address 10.0.0.1:6379",
)  # fmt: skip
_add("plan", plan, "sslpipe plan text -i ~/texts", "sslpipe plan my.yaml -o out")
_add("status", status, "sslpipe status out", "sslpipe status out --json")
_add("verify", verify, "sslpipe verify out")
_add("explain", explain, "sslpipe explain out printf.3.gz", "sslpipe explain out 3f6a09")
_add("report", report, "sslpipe report out", "sslpipe report /shared/out -o out.html")
_add("peek", peek, "sslpipe peek out", "sslpipe peek out --task masked_tokens --rows 8 -o pictures")
_add("demo", demo, "sslpipe demo", "sslpipe demo -o /tmp/demo --engine inline")
_add("init", init, "sslpipe init text -o my.yaml")
_add("list", list_steps, "sslpipe list", "sslpipe list filters", "sslpipe list filters.gopher_quality")
_add("doctor", doctor, "sslpipe doctor -o out", "sslpipe doctor -o out --ray")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Raw corpora in, self-supervised training batches out."""


def main() -> None:
    """Run a command. Errors raised on purpose are one message and their exit code; a traceback is a bug of ours.

    So are a full disk, a lack of permission and the like, wherever they are met. Ctrl-C ends in 130, a wrong option in 2.
    """
    from sslpipe.core.errors import EnvironmentFault, SslpipeError, advice

    try:
        app()
    except Terminated:
        sys.exit(143)
    except SslpipeError as error:
        sys.stderr.write(f"sslpipe: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if not (todo := advice(error)):
            raise
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"sslpipe: {where}{error.strerror}; {todo}\n")
        sys.exit(EnvironmentFault.exit_code)
