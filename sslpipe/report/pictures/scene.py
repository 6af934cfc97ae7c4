"""What a picture is drawn from: some rows as a trainer would get them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from sslpipe.core.steps import Step


@dataclass(frozen=True)
class Sample:
    """One row of a batch."""

    name: str
    values: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Scene:
    """Rows of a stream, with what is needed to show them."""

    title: str
    steps: tuple[Step, ...]
    """The steps of the stream, the task among them or last."""
    samples: Sequence[Sample]
    piece: Callable[[int], str]
    """A token as text."""
    mask: int | None
    """The id of the mask token."""
    control: frozenset[int]
    """The ids of all control tokens."""
    original: Callable[[str], NDArray[Any] | None]
    """The stored picture of a row, by its name; None where it is not found."""

    def subtitle(self) -> str:
        """The steps with the fields that are not as they are by default."""
        return "  ·  ".join(map(written, self.steps))


def written(step: Step) -> str:
    """A step as it would stand in a recipe, defaults left out: `packs.concatenate {length: 512}`."""
    changed = [name for name in type(step).model_fields if name in step.model_fields_set and not _usual(step, name)]
    fields = ", ".join(f"{name}: {_value(getattr(step, name))}" for name in changed)
    return step.path() + (f" {{{fields}}}" if fields else "")


def _usual(step: Step, name: str) -> bool:
    info = type(step).model_fields[name]
    return not info.is_required() and getattr(step, name) == info.get_default(call_default_factory=True)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
