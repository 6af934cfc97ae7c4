"""What pydantic found wrong, in a user's words."""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Union, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt
from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sslpipe.core.units import parse_bytes
from sslpipe.core.words import did_you_mean, show

_WANTED: Final = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "list": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
    "path": "a path",
    "none": "null",
    "finite": "a number",
}
_BOUNDS: Final = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong: where below the model, what, and perhaps what was meant."""

    path: tuple[str | int, ...]
    """Keys and positions from the model down to the value."""
    message: str
    """What was found and what was wanted, without the place."""
    hint: str = ""
    """What was perhaps meant; empty for no idea."""
    at_key: bool = False
    """Whether the key is wrong, and not its value."""


def complaints(model: type[BaseModel], error: ValidationError, data: Any, name: str) -> list[Complaint]:
    """All complaints about one model called `name` in the recipe; alternatives of one union are one complaint."""
    grouped: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        grouped.setdefault(_data_path(detail["loc"], data), []).append(detail)
    return [_complaint(model, path, details, name) for path, details in grouped.items()]


def sentences(model: type[BaseModel], error: ValidationError, data: Any, name: str) -> str:
    """All complaints as one message, a line each, for a model that was made in Python."""
    lines = []
    for found in complaints(model, error, data, name):
        where = "" if f"`{name}`" in found.message else f"{name}: "
        lines.append(f"{where}{found.message}" + (f"; {found.hint}" if found.hint else ""))
    return "\n".join(lines)


def _data_path(loc: tuple[str | int, ...], data: Any) -> tuple[str | int, ...]:
    """The part of a location that is in the data; the rest names members of unions, and `[key]`."""
    path: list[str | int] = []
    for part in loc:
        inside = (
            part in data
            if isinstance(data, dict)
            else isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)
        )
        if inside:
            data = data[part]
            path.append(part)
    return tuple(path)


def _complaint(model: type[BaseModel], path: tuple[str | int, ...], details: list[ErrorDetails], name: str) -> Complaint:
    detail = details[0]
    kind, loc = detail["type"], detail["loc"]
    if kind == "missing" and not isinstance(loc[-1], int):
        return Complaint(path, f"`{loc[-1]}` of `{name}` is missing")
    if kind == "extra_forbidden":
        known = list(_model_at(model, path[:-1]).model_fields)
        name = ".".join((name, *map(str, path[:-1])))
        listed = ", ".join(known) or "none"
        return Complaint(
            path, f"got `{path[-1]}`, wanted a field of `{name}`: {listed}", did_you_mean(str(path[-1]), known), True
        )
    if loc and loc[-1] == "[key]":
        return Complaint(path, f"got `{path[-1]}`, wanted {_literal(detail)}", _nearest(detail), True)
    if not path:
        return Complaint(path, f"`{name}`: {_sentence(detail)}")
    info = _model_at(model, path[:-1]).model_fields.get(str(path[-1]))
    label = ".".join(str(part) for part in path if isinstance(part, str))
    if kind in ("value_error", "assertion_error") and _sentence(detail).startswith("got "):
        return Complaint(path, _sentence(detail))
    first, *others = dict.fromkeys(_wanted(one, info, path) for one in details)
    wanted = " or ".join([first, *(other.removeprefix("wanted ") for other in others)])
    return Complaint(path, f"got {show(detail['input'])} for `{label}`, {wanted}", _nearest(detail))


def _model_at(model: type[BaseModel], path: tuple[str | int, ...]) -> type[BaseModel]:
    """The model that a field of a field is of, or the outer one where it is of none."""
    for part in path:
        info = model.model_fields.get(str(part))
        inner = info.annotation if info is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return model
        model = inner
    return model


def _wanted(detail: ErrorDetails, info: FieldInfo | None, path: tuple[str | int, ...]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return _sentence(detail)
    if kind == "literal_error" or kind == "enum":
        return f"wanted {_literal(detail)}"
    if kind == "string_pattern_mismatch":
        return f"wanted text that matches {context['pattern']}"
    whole, bounds = _constraints(info.annotation, info.metadata) if info is not None else (None, [])
    if (size := _length(info.annotation) if info is not None else 0) and kind in ("missing", "too_long"):
        return f"wanted a list of {size}"
    if kind in _BOUNDS:
        return f"wanted {whole or 'a number'} {range_words(bounds) or _bound_words(kind, context)}"
    typing = kind.endswith(("_type", "_parsing", "_size", "_from_float", "_number", "required"))
    words = next((words for stem, words in _WANTED.items() if typing and kind.startswith(stem)), None)
    if words is None:
        return f"but {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    if kind == "string_type" and isinstance(detail["input"], int | float):
        return "wanted text; put it in quotes"
    ranged = range_words(bounds) if words in ("a whole number", "a number") else ""
    return f"wanted {words}" + (f" {ranged}" if ranged else "")


def _sentence(detail: ErrorDetails) -> str:
    raised = detail.get("ctx", {}).get("error")
    return str(raised) if raised is not None else detail["msg"]


def _literal(detail: ErrorDetails) -> str:
    return "one of " + ", ".join(f"`{value}`" for value in _choices(detail))


def _choices(detail: ErrorDetails) -> list[str]:
    text = str(detail.get("ctx", {}).get("expected", ""))
    return [word.strip().strip("'") for word in text.replace(" or ", ", ").split(", ") if word.strip()]


def _nearest(detail: ErrorDetails) -> str:
    if detail["type"] not in ("literal_error", "enum") or not isinstance(detail["input"], str):
        return ""
    return did_you_mean(detail["input"], _choices(detail))


def _bound_words(kind: str, context: dict[str, Any]) -> str:
    made: dict[str, type[Ge | Gt | Le | Lt]] = {
        "greater_than": Gt,
        "greater_than_equal": Ge,
        "less_than": Lt,
        "less_than_equal": Le,
    }
    return range_words([made[kind](next(iter(context.values())))])


def _length(annotation: Any) -> int:
    """How many items a tuple has, looked up through Annotated and `| None`; 0 where any number may be."""
    if hasattr(annotation, "__metadata__"):
        return _length(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return max(map(_length, get_args(annotation)))
    items = get_args(annotation) if get_origin(annotation) is tuple else ()
    return 0 if Ellipsis in items else len(items)


def _constraints(annotation: Any, metadata: Iterable[Any]) -> tuple[str | None, list[Any]]:
    """The type in words and the bounds of a field, looked up through Annotated and `| None`."""
    found = list(metadata)
    for part in found:
        if isinstance(part, FieldInfo):
            found.extend(part.metadata)
    if hasattr(annotation, "__metadata__"):
        return _constraints(annotation.__origin__, [*found, *annotation.__metadata__])
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [part for part in get_args(annotation) if part is not type(None)]
        if len(inner) == 1:
            return _constraints(inner[0], found)
    sized = any(isinstance(part, BeforeValidator) and part.func is parse_bytes for part in found)
    word = "a size in bytes" if sized else {int: "a whole number", float: "a number"}.get(annotation)
    return word, [part for part in _flat(found) if isinstance(part, Ge | Gt | Le | Lt)]


def _flat(metadata: Iterable[Any]) -> list[Any]:
    """Constraints one by one: `Interval(ge=0, le=1)` is two."""
    return [one for part in metadata for one in (part if isinstance(part, GroupedMetadata) else [part])]


def range_words(bounds: Iterable[Any]) -> str:
    """`from 0 to 1`, `above 0 and below 1`, `of at least 50`; empty without bounds."""
    low = next((bound for bound in bounds if isinstance(bound, Ge | Gt)), None)
    high = next((bound for bound in bounds if isinstance(bound, Le | Lt)), None)
    if isinstance(low, Ge) and isinstance(high, Le):
        return f"from {_number(low.ge)} to {_number(high.le)}"
    words = []
    if low is not None:
        words.append(f"of at least {_number(low.ge)}" if isinstance(low, Ge) else f"above {_number(low.gt)}")
    if high is not None:
        words.append(f"of at most {_number(high.le)}" if isinstance(high, Le) else f"below {_number(high.lt)}")
    return " and ".join(words)


def _number(value: Any) -> str:
    return "2^63" if value == 2**63 else str(value)
