"""`sslpipe plan`: what a recipe would do, without doing it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from sslpipe.commands.options import Inputs, Json, RecipeName, Sets

_LISTS = {
    "image": "a list of uint8 [height, width, 3]",
    "audio": "a list of float32 [channels, samples]",
    "text": "a list of texts",
    "meta": "a list of mappings",
}
"""What a batch has of fields that no task turned into arrays of one shape."""


def plan(
    recipe: RecipeName,
    inputs: Inputs = None,
    sets: Sets = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT", help="Also say what is in OUT.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a build would do.

    Files found and not read, what runs together, what a batch will hold, input and free bytes. Checks every step and field of
    the recipe, and writes nothing.
    """
    from sslpipe.building.inputs import parts_by_source, unread
    from sslpipe.commands.checks.folder import nearest
    from sslpipe.core.words import counted
    from sslpipe.recipe.check import check_inputs
    from sslpipe.recipe.load import load_located
    from sslpipe.recipe.plan import Plan, explained

    located = load_located(recipe, input=inputs or None, overrides=sets or [])
    check_inputs(located.recipe, out, located)
    made = Plan.of(located.recipe, locate=located.locate)
    parts = parts_by_source(located.recipe, located)
    sizes = {name: {file: size for part in p for file, size in zip(part.files, part.sizes, strict=True)}
             for name, p in parts.items()}  # fmt: skip
    found = {name: (len(p), len(sizes[name]), sum(sizes[name].values())) for name, p in parts.items()}
    batch = made.stream_fields
    fields = {name: field.model_dump(mode="json", exclude_none=True) for name, field in batch.items()}
    if as_json:
        typer.echo(json.dumps({"sources": found, "segments": explained(made.segments), "fields": fields}))
        return
    lines = [f"{located.recipe.name}, seed {located.recipe.seed}", "", "sources"]
    for name, (tasks, files, size) in found.items():
        lines.append(f"  {name}: {counted(files, 'file')}, {size / 1e6:,.1f} MB, read in {counted(tasks, 'task')}")
        if skipped := unread([located.recipe.sources[name].unclaimed()]):
            lines.append(f"    not read: {' '.join(skipped)}")
    lines += ["", "build", *(f"  {line}" for line in explained(made.segments))]
    lines += ["", "stream", *(f"  {step.path()}" for step in located.recipe.stream)]
    lines += [
        "",
        "a batch holds",
        *(f"  {name}: {_LISTS.get(field.kind) or f'{field.dtype} {_shape(field.shape)}'}" for name, field in batch.items()),
    ]
    total = sum(size for _, _, size in found.values())
    free = shutil.disk_usage(nearest(out or Path())).free
    lines += ["", f"input {total / 1e6:,.1f} MB; while it runs a build takes about the decompressed input in temporary files;"
              f" {free / 1e9:,.1f} GB are free"]  # fmt: skip
    if out is not None and (out / ".sslpipe" / "recipe.json").exists():
        from sslpipe.commands.status import describe

        lines += ["", *describe(out)]
    typer.echo("\n".join(lines))


def _shape(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("any" if axis is None else str(axis) for axis in shape) + "]"
