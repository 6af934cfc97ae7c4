"""`sslpipe list`: the steps that a recipe can hold, from their docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sslpipe.recipe.registry import StepEntry


def list_steps(
    what: Annotated[str, typer.Argument(metavar="[ROLE|STEP]", help="A role, such as `filters`; or a step.")] = "",
) -> None:
    """Show steps, or the fields of one.

    All steps by role, those of one role, or one step with its fields, their defaults and where these come from. Steps of your
    own packages too: my_package.filters.foo.
    """
    from sslpipe.recipe.registry import ROLES, catalogue, describe, resolve

    if "." in what:
        typer.echo(_page(describe(resolve(what, trust=True), what)))
        return
    listed = {role: catalogue(role) for role in ([what] if what else ROLES)}
    typer.echo("\n\n".join(_table(role, entries) for role, entries in listed.items() if entries or what))


def _table(role: str, entries: list[StepEntry]) -> str:
    width = max((len(entry.name) for entry in entries), default=0)
    lines = [f"  {entry.name.ljust(width)}  {entry.sentence}" for entry in entries] or ["  none yet"]
    return "\n".join([role, *lines])


def _page(entry: StepEntry) -> str:
    lines = [entry.name, "", *(f"  {line}".rstrip() for line in entry.doc.splitlines()), ""]
    for field in entry.fields:
        lines.append(f"  {field.name}: {field.type}" + (f" = {field.default}" if field.default else "  (must be given)"))
        if field.doc:
            lines.append(f"      {field.doc}")
    return "\n".join(lines)
