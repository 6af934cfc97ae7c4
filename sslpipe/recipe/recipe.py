"""The typed recipe: what to read, what to do once, what to do in every epoch."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import xxhash
from pydantic import Field, InstanceOf, field_validator, model_validator

from sslpipe.core.errors import RecipeError
from sslpipe.core.hashes import fingerprint
from sslpipe.core.steps import Filter, Reader, Step
from sslpipe.core.units import Bytes
from sslpipe.core.value import Value
from sslpipe.recipe.order import misplaced
from sslpipe.recipe.splits import Splits

MAX_SOURCES: Final = 255
SOURCE_NAME: Final = re.compile(r"[a-z0-9_-]{1,64}")


class Shards(Value):
    """How the rows that stay are divided into files."""

    max_bytes: Annotated[Bytes, Field(ge=1000)] = 256_000_000
    """The size a shard should have; a target, since rows are never divided."""
    count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Shards of the training split; by default it follows from `max_bytes`."""
    splits: Splits = Splits()
    """Which rows are held out."""


class Limits(Value):
    """What a build may use up before it stops; limits never change what it makes."""

    max_bad: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of a source's records that may be unreadable; more, and the build ends with exit code 3."""
    max_duplicate: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Share of a source's rows that may be duplicates; more is taken for a wrong setting, and the build stops."""
    part_bytes: Annotated[Bytes, Field(ge=1000)] = 32_000_000
    """About how many bytes of input one task reads."""
    memory_bytes: Annotated[Bytes, Field(ge=1_000_000)] = 512_000_000
    """Sort buffers of one worker."""


class Recipe(Value):
    """A pure value: equal recipes make equal datasets, wherever and by whomever they are run.

    `build` runs once and its result is stored, `stream` runs in every epoch inside the trainer; steps run in the order given.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
    """What the dataset is called."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Moves the order, the samples and every draw; never the splits."""
    sources: dict[str, InstanceOf[Reader]]
    """The readers by the name of their source."""
    build: tuple[InstanceOf[Step], ...] = ()
    """Steps that run once, before the shards are written."""
    stream: tuple[InstanceOf[Step], ...] = ()
    """Steps of every epoch, inside the trainer; `dataset.stream()` takes others in their place."""
    shards: Shards = Shards()
    """How rows are divided into files and splits."""
    limits: Limits = Limits()
    """When a build stops, and what its tasks may use."""

    @field_validator("sources")
    @classmethod
    def _named(cls, sources: dict[str, Reader]) -> dict[str, Reader]:
        if problem := source_problem(list(sources)):
            raise RecipeError(problem)
        return sources

    @model_validator(mode="after")
    def _in_order(self) -> Recipe:
        for (half, position), message in misplaced([s.path() for s in self.build], [s.path() for s in self.stream]):
            raise RecipeError(f"{half}[{position}]: {message}")
        return self

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON with every field written out; `from_json` gives an equal recipe."""
        return {
            "name": self.name,
            "seed": self.seed,
            "sources": {name: _written(reader) for name, reader in self.sources.items()},
            "build": [_written(step) for step in self.build],
            "stream": [_written(step) for step in self.stream],
            "shards": self.shards.model_dump(mode="json"),
            "limits": self.limits.model_dump(mode="json"),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, trust: bool = False) -> Recipe:
        """The inverse of `to_json`; raises RecipeError. Foreign steps take `trust`, see `registry.resolve`."""
        from sslpipe.recipe.node import Node
        from sslpipe.recipe.reading import read_recipe

        return read_recipe(Node.of(data, "recipe"), trust=trust).recipe

    def fingerprint(self) -> str:
        """A name for all of it, versions of the steps included; 32 hex digits."""
        return fingerprint("recipe", self.to_json(), [_version(step) for step in (*self.build, *self.stream)])

    def build_fingerprint(self) -> str:
        """A name for what decides the bytes of the dataset, given the records; 32 hex digits.

        Sources' settings without their paths, build steps with their versions and the content of files that they name, shards,
        seed. Neither `stream` nor `limits` enters, nor the name.
        """
        readers = {name: step_stamp(reader) for name, reader in self.sources.items()}
        steps = [step_stamp(step) for step in self.build]
        return fingerprint("build", readers, steps, self.shards.model_dump(mode="json"), self.seed)


def source_problem(names: list[str]) -> str:
    """What is wrong with the names of sources, or nothing."""
    if not names:
        return "got no source, wanted at least one"
    if len(names) > MAX_SOURCES:
        return f"got {len(names)} sources, wanted {MAX_SOURCES} at most"
    wrong = [name for name in names if not SOURCE_NAME.fullmatch(name)]
    return f"got a source named {wrong[0]!r}, wanted 1 to 64 of a-z, 0-9, `_` and `-`" if wrong else ""


def step_stamp(step: Step) -> list[Any]:
    """All of a step that its results depend on: class, version, fields, files that it names, foreign source code, measures.

    Files count by content and base name, so a recipe can move with them; what a reader reads is no part of it. The code of a
    step of another package counts by its module's file, since its author may not think of `version`; what that file imports
    doesn't count. A filter has the stamps of its measures, which run with it.
    """
    fields = step.model_dump(mode="json", exclude={"paths"} if isinstance(step, Reader) else None)
    files = step.files()
    fields = {name: Path(value).name if isinstance(value, str) and value in files else value for name, value in fields.items()}
    content = [xxhash.xxh3_128_hexdigest(Path(file).read_bytes()) for file in files]
    foreign = not type(step).__module__.startswith("sslpipe.")
    source = fingerprint(inspect.getsource(inspect.getmodule(type(step)) or type(step))) if foreign else ""
    measures = [step_stamp(measure) for measure in step.needs()] if isinstance(step, Filter) else []
    return [step.path(), step.version, fields, content, source, measures]


def _written(step: Step) -> dict[str, Any]:
    return {type(step).path(): step.model_dump(mode="json")}


def _version(step: Step) -> tuple[str, int]:
    return type(step).path(), step.version
