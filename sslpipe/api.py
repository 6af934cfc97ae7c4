"""What `import sslpipe` offers beside the steps."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sslpipe.core.errors import RecipeError, TooMuchBadData

if TYPE_CHECKING:
    from sslpipe.building.progress import Progress
    from sslpipe.building.stages import Engine
    from sslpipe.recipe.located import Located
    from sslpipe.recipe.recipe import Recipe
    from sslpipe.shards.manifest import Manifest
    from sslpipe.stream.dataset import Dataset

PathLike = str | os.PathLike[str]


def open(path: PathLike) -> Dataset:
    """The finished dataset in a folder; raises DataError where there is none."""
    from sslpipe.stream.dataset import Dataset

    return Dataset(path)


def build(
    recipe: PathLike | Recipe,
    out: PathLike,
    *,
    input: PathLike | Sequence[PathLike] | None = None,
    engine: Literal["ray", "inline"] = "ray",
    workers: int | None = None,
    limit: int | None = None,
    update: bool = False,
) -> Dataset:
    """Build a dataset, or go on building it, and open it.

    `recipe` is a path, the name of a shipped recipe, or a Recipe; `input` replaces the paths of its only source. An interrupted
    build goes on where it stopped when the same call runs again. Raises RecipeError before anything is written, and
    TooMuchBadData after a build whose quarantine is larger than `limits.max_bad`.
    """
    from sslpipe.recipe.load import load_located
    from sslpipe.recipe.located import Located
    from sslpipe.recipe.recipe import Recipe

    if isinstance(recipe, Recipe):
        if input is not None:
            raise RecipeError("`input` replaces the paths of a recipe that is read from a file; a Recipe has its own")
        located = Located.of(recipe)
    else:
        located = load_located(recipe, input=input)
    folder = Path(out).expanduser()
    with closing(make_engine(engine, workers, None)) as runner:
        manifest = build_located(located, folder, runner, limit=limit, update=update)
    check_bad(manifest, located.recipe, folder)
    return open(folder)


def build_located(
    located: Located,
    out: Path,
    engine: Engine,
    progress: Progress | None = None,
    *,
    limit: int | None = None,
    update: bool = False,
) -> Manifest:
    """Check a recipe and run it on an engine, which is left open: whoever made it closes it."""
    from sslpipe.building.driver import Builder
    from sslpipe.recipe.check import check_inputs
    from sslpipe.recipe.plan import Plan

    check_inputs(located.recipe, out, located)
    Plan.of(located.recipe, locate=located.locate)
    return Builder(located.recipe, out, engine, progress, limit=limit, update=update, located=located).run()


def make_engine(name: str, workers: int | None, address: str | None) -> Engine:
    """The engine of that name."""
    if name == "inline":
        if address is not None:
            raise RecipeError("--address joins a Ray cluster, and --engine inline uses none; leave one of them out")
        if workers not in (None, 1):
            raise RecipeError(f"got {workers} workers for the engine inline, which is this process alone; use `ray`")
        from sslpipe.engines.inline import Inline

        return Inline()
    if name == "ray":
        from sslpipe.engines.ray import Ray

        return Ray(workers, address)
    raise RecipeError(f"got engine `{name}`, wanted `ray` or `inline`")


def check_bad(manifest: Manifest, recipe: Recipe, out: Path) -> None:
    """Raise TooMuchBadData where a finished dataset has a source with too many records that could not be read."""
    for source, outcomes in manifest.by_source.items():
        bad = sum(number for outcome, number in outcomes.items() if outcome.startswith("quarantined:"))
        read = outcomes.get("read", 0)
        if bad > recipe.limits.max_bad * read:
            raise TooMuchBadData(
                f"the dataset is finished, but {bad:,} of {read:,} records of source `{source}` could not be read, more than"
                f" `limits: {{max_bad: {recipe.limits.max_bad}}}` allows. `sslpipe status {out}` lists the reasons,"
                f" `sslpipe report {out}` files too; if they are as you expect, run it again with"
                f" `--set limits.max_bad={math.ceil(100 * bad / read) / 100}`"
            )
