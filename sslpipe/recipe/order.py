"""Which steps may stand where in a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Fields
from sslpipe.core.steps import Filter, Map, Pack, Step, Task
from sslpipe.recipe.registry import role_of

BUILD_ROLES: Final = ("maps", "measures", "filters", "cuts", "dedups", "fits", "packs", "tasks")
STREAM_ROLES: Final = ("filters", "maps", "packs", "tasks")

_INSTEAD: Final = {
    "readers": "readers go under `source:`",
    "measures": "a measure is computed once and stored, so it goes into `build:`",
    "fits": "a fit learns from the whole corpus, so it goes into `build:`",
    "dedups": "duplicates are found over the whole corpus, so a dedup goes into `build:`",
    "cuts": "a cut changes how many rows there are, so it goes into `build:`",
}

_RANKS: Final = ((Filter, "filters"), (Map, "maps"), (Pack, "a pack"), (Task, "a task"))
_ORDER: Final = "filters, then maps, then one pack, then one task, each of them optional"

Misplaced = tuple[tuple[str, int], str]
"""Where (half and position), and what is wrong there."""


def misplaced(build: Sequence[str], stream: Sequence[str]) -> list[Misplaced]:
    """The steps, by name, that may not stand where they stand, in the order written."""
    found: list[Misplaced] = []
    pack = task = ""
    for half, names, allowed in (("build", build, BUILD_ROLES), ("stream", stream, STREAM_ROLES)):
        for position, name in enumerate(names):
            role = role_of(name)
            if role not in allowed:
                # A name without a known role is the registry's to complain about.
                if role:
                    found.append(((half, position), f"got `{name}` in `{half}:`; {_INSTEAD[role]}"))
            elif role == "packs":
                if task:
                    found.append(((half, position), f"got the pack `{name}` after the task `{task}`, wanted it before"))
                elif pack:
                    found.append(((half, position), f"got a second pack, `{name}`, after `{pack}`; wanted one at most"))
                pack = pack or name
            elif role == "tasks":
                if task:
                    found.append(((half, position), f"got a second task, `{name}`, after `{task}`; wanted one at most"))
                task = task or name
    return found


def unstreamable(steps: Sequence[Step]) -> tuple[int, str] | None:
    """The first step that can't run on the fly where it stands, and why; None where all can."""
    return _out_of_order(steps) or _maps_too_late(steps)


def short_rows(steps: Sequence[Step], fields: Fields) -> tuple[int, str] | None:
    """The task that needs longer rows than the pack before it makes; `fields` are those stored."""
    pack = next((step for step in steps if isinstance(step, Pack)), None)
    for position, step in enumerate(steps):
        if isinstance(step, Task) and pack is not None and step.minimum() > (length := packed_length(pack, fields)):
            return position, (
                f"{step.path()} needs rows of {step.minimum()} elements, {pack.path()} makes rows of {length};"
                " choose a longer `length:`"
            )
    return None


def packed_length(pack: Pack, fields: Fields) -> int:
    """Elements of a packed row."""
    shapes = [field.shape for field in pack.outputs(fields).values() if field.kind == "ids"]
    if len(shapes) != 1 or len(shapes[0]) != 1 or shapes[0][0] is None:
        raise RecipeError(f"{pack.path()}: packed rows have the shapes {shapes}, wanted one field of ids of one length")
    return shapes[0][0]


def _out_of_order(steps: Sequence[Step]) -> tuple[int, str] | None:
    last = -1
    for position, step in enumerate(steps):
        rank = next((rank for rank, (kind, _) in enumerate(_RANKS) if isinstance(step, kind)), None)
        if rank is None:
            if isinstance(step, type) and issubclass(step, Step):
                return position, f"a stream takes steps, and got the class {step.__name__}: write {step.__name__}()"
            what = step.path() if isinstance(step, Step) else repr(step)[:80]
            return position, f"a stream can't run {what} on the fly; it takes {_ORDER}. Put other steps into `build:`"
        if rank < last:
            return position, f"{step.path()} stands behind {_RANKS[last][1]}; a stream takes {_ORDER}"
        if rank == last and rank >= 2:
            return position, f"{step.path()} is {_RANKS[rank][1]} too many; a stream takes {_ORDER}"
        last = rank
    return None


def _maps_too_late(steps: Sequence[Step]) -> tuple[int, str] | None:
    """A map that others would have had to wait for, of steps that are in order."""
    pack = next((step for step in steps if isinstance(step, Pack)), None)
    task = next((step for step in steps if isinstance(step, Task)), None)
    for position, step in enumerate(steps):
        if isinstance(step, Map) and pack is not None:
            return position, (
                f"{step.path()} stands before {pack.path()}, which reads what is stored; put the map into `build:`"
            )
        if isinstance(step, Map) and step.changes_lengths and task is not None:
            return position, (
                f"{step.path()} changes lengths, and {task.path()} must know them before the first batch;"
                f" put {step.path()} into `build:`"
            )
    return None
