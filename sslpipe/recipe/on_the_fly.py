"""Which steps can run on the fly, in which order: one rule for `stream:` of a recipe and for steps handed to a stream."""

from __future__ import annotations

from collections.abc import Sequence

from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Fields
from sslpipe.core.steps import Filter, Map, Pack, Step, Task

_RANKS = ((Filter, "filters"), (Map, "maps"), (Pack, "a pack"), (Task, "a task"))
_ORDER = "filters, then maps, then one pack, then one task, each of them optional"

Misfit = tuple[int, str]
"""The position of a step, and what is wrong with it."""


def misfit(steps: Sequence[Step]) -> Misfit | None:
    """The first step that can't stand where it stands among those of a stream; none where all can."""
    return _disorder(steps) or _misplaced_map(steps)


def short_rows(steps: Sequence[Step], fields: Fields) -> Misfit | None:
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


def _disorder(steps: Sequence[Step]) -> Misfit | None:
    last = -1
    for position, step in enumerate(steps):
        rank = next((rank for rank, (kind, _) in enumerate(_RANKS) if isinstance(step, kind)), None)
        if rank is None:
            return position, f"a stream can't run {_shown(step)} on the fly; it takes {_ORDER}{_instead(step)}"
        if rank < last:
            return position, f"{step.path()} stands behind {_RANKS[last][1]}; a stream takes {_ORDER}"
        if rank == last and rank >= 2:
            return position, f"{step.path()} is {_RANKS[rank][1]} too many; a stream takes {_ORDER}"
        last = rank
    return None


def _misplaced_map(steps: Sequence[Step]) -> Misfit | None:
    pack = next((step for step in steps if isinstance(step, Pack)), None)
    task = next((step for step in steps if isinstance(step, Task)), None)
    for position, step in enumerate(steps):
        if isinstance(step, Map) and pack is not None:
            return position, f"{step.path()} stands before {pack.path()}, which reads what is stored; put the map into `build:`"
        if isinstance(step, Map) and step.changes_lengths and task is not None:
            return position, (
                f"{step.path()} changes lengths, and {task.path()} must know them before the first batch;"
                f" put {step.path()} into `build:`"
            )
    return None


def _shown(step: object) -> str:
    """A step by its path; what is none, as it was given."""
    if isinstance(step, Step):
        return step.path()
    return f"the class {step.__name__}" if isinstance(step, type) else repr(step)[:80]


def _instead(step: object) -> str:
    if isinstance(step, Step):
        return ". Put other steps into `build:`"
    if isinstance(step, type) and issubclass(step, Step):
        return f". A step is an instance: write {step.__name__}()"
    return ""
