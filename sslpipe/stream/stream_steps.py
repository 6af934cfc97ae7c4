"""The steps of a stream, sorted by what they do and checked against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Fields
from sslpipe.core.steps import Context, Filter, Map, Pack, Step, Task
from sslpipe.recipe.order import packed_length, short_rows, unstreamable


@dataclass(frozen=True)
class StreamSteps:
    """What runs on the fly, in order; `given` are the same steps as they were handed in, before artefacts were bound."""

    given: tuple[Step, ...]
    filters: tuple[Filter, ...]
    maps: tuple[Map, ...]
    pack: Pack | None
    task: Task | None
    fields: Fields
    """The fields as stored."""
    artefacts: Mapping[str, Path]
    outputs: Fields
    """The fields after the last step."""
    units: str | None
    """The stored field that a pack or task works on; None without either."""

    @classmethod
    def of(cls, given: Sequence[Step], fields: Fields, artefacts: Mapping[str, Path]) -> StreamSteps:
        """Sort and check steps; raises RecipeError for an order or a combination that can't run on the fly."""
        if fault := unstreamable(given):
            raise RecipeError(fault[1])
        bound = [step.bind(artefacts) for step in given]
        filters = tuple(step for step in bound if isinstance(step, Filter))
        maps = tuple(step for step in bound if isinstance(step, Map))
        pack = next((step for step in bound if isinstance(step, Pack)), None)
        task = next((step for step in bound if isinstance(step, Task)), None)
        outputs = dict(fields)
        for step in (*maps, pack, task):  # filters judge stored measures; the field that was measured may be gone
            outputs = dict(step.outputs(outputs)) if step is not None else outputs
        worker = pack or task
        units = _units(worker, fields) if worker is not None else None
        if fault := short_rows(bound, fields):
            raise RecipeError(fault[1])
        return cls(tuple(given), filters, maps, pack, task, fields, artefacts, outputs, units)

    def opened(self) -> tuple[list[tuple[Map, Any]], Any, Any]:
        """The maps with what they open to, the packer and the labeller, None where there is no such step."""
        fields, maps, packer, labeller = dict(self.fields), [], None, None
        for step in (*self.maps, self.pack, self.task):
            if step is None:
                continue
            opened = step.open(Context(fields, self.artefacts))
            if isinstance(step, Map):
                maps.append((step, opened))
            elif isinstance(step, Pack):
                packer = opened
            elif isinstance(step, Task):
                labeller = opened
            fields = dict(step.outputs(fields))
        return maps, packer, labeller

    def packed_length(self) -> int:
        """Elements of a packed row."""
        assert self.pack is not None
        return packed_length(self.pack, self.fields)

    def wanted(self) -> list[str]:
        """The stored fields that a batch is made of, where no pack makes it: all that come out, and what the task reads."""
        stored = [name for name in self.fields if not name.startswith("_")]
        return stored if self.maps else [name for name in stored if name == self.units or name in self.outputs]


def parse_steps(written: Sequence[Any]) -> list[Step]:
    """The steps of a manifest's `stream` entry: names, or mappings of one name to its fields.

    Only built-in steps are looked up: a downloaded dataset can't choose code to run.
    """
    from sslpipe.recipe.registry import Untrusted, resolve

    steps: list[Step] = []
    for entry in written:
        name, values = (entry, {}) if isinstance(entry, str) else _single(entry)
        try:
            kind = resolve(name)
        except Untrusted:
            called = "".join(part.title() for part in name.rpartition(".")[2].split("_"))
            raise RecipeError(
                f"manifest.json, stream: `{name}` is code of another package, which a dataset may not run by itself;"
                f" hand the steps over: dataset.stream({name.rpartition('.')[0]}.{called}(), ...)"
            ) from None
        try:
            steps.append(kind.model_validate(values or {}))
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"])) or name
            raise RecipeError(f"manifest.json, stream: {name}: {where}: {problem['msg']}") from None
    return steps


def _single(entry: Any) -> tuple[str, Any]:
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, values),) = entry.items()
        if isinstance(name, str) and (values is None or isinstance(values, Mapping)):
            return name, values
    raise RecipeError(f"manifest.json, stream: got {str(entry)[:80]!r}, wanted `role.step` or one `role.step: {{fields}}`")


def _units(step: Step, fields: Fields) -> str:
    """The stored field that a pack or task works on: the one it names, else the only one of its kind, or of all."""
    named = getattr(step, "field", None)
    if isinstance(named, str):
        if named not in fields:
            raise RecipeError(f"{step.path()}: there is no field `{named}`; stored are {', '.join(fields) or 'none'}")
        return named
    kind = step.kind if isinstance(step, Task) else "ids"
    for found in ([n for n, f in fields.items() if f.kind == kind], [n for n, f in fields.items() if f.kind != "meta"]):
        if len(found) == 1:
            return found[0]
    raise RecipeError(f"{step.path()}: say which field with `field:`; stored are {', '.join(fields) or 'none'}")
