"""From a step's name to its class, by the folder; and what there is to choose from."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import textwrap
from dataclasses import dataclass
from typing import Any, Final

from sslpipe.core import steps as shapes
from sslpipe.core.errors import RecipeError
from sslpipe.core.rooms import class_of, stems
from sslpipe.core.words import did_you_mean

ROLES: Final[dict[str, type[shapes.Step]]] = {
    "readers": shapes.Reader,
    "measures": shapes.Measure,
    "filters": shapes.Filter,
    "maps": shapes.Map,
    "cuts": shapes.Cut,
    "dedups": shapes.Dedup,
    "fits": shapes.Fit,
    "packs": shapes.Pack,
    "tasks": shapes.Task,
}
"""The folders that hold steps, and the shape of those in each."""


class UnknownStep(RecipeError):
    """No step has this name; `hint` may say which one was meant."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message + (f"; {hint}" if hint else ""))
        self.message, self.hint = message, hint


class Untrusted(UnknownStep):
    """The step is code of another package, which may not run."""


def role_of(name: str) -> str:
    """The role that a name states: `filters` in `filters.gopher_quality` and in `my_package.filters.foo`; else empty."""
    parts = name.split(".")
    return parts[-2] if len(parts) >= 2 and parts[-2] in ROLES else ""


def step_names(role: str) -> list[str]:
    """The names of the built-in steps of a role, sorted."""
    room = importlib.import_module(f"sslpipe.{role}")
    return [f"{role}.{stem}" for stem in stems(list(room.__path__))]


def all_names() -> list[str]:
    """The names of all built-in steps that a recipe can hold."""
    return [name for role in ROLES for name in step_names(role)]


def resolve(name: str, *, trust: bool = False) -> type[shapes.Step]:
    """The class of a step; raises UnknownStep.

    A name with a package in front is somebody else's class by the same rule. Finding it runs that package's code, so it takes
    `trust=True`: recipes that a user wrote are trusted, those that came with a downloaded dataset are not.
    """
    parts = name.removeprefix("sslpipe.").split(".")
    if not all(part.isidentifier() and part.isascii() and not part.startswith("_") for part in parts):
        raise UnknownStep(f"got the step `{name[:80]}`, wanted a name like `filters.gopher_quality`")
    if len(parts) == 2 and parts[0] in ROLES:
        return _built_in(parts[0], parts[1])
    if len(parts) < 3:
        raise _unknown_role(name, parts)
    if parts[-2] not in ROLES:
        raise UnknownStep(
            f"got the step `{name}`, wanted its folder to be a role: one of {', '.join(ROLES)}", did_you_mean(parts[-2], ROLES)
        )
    if not trust:
        raise Untrusted(
            f"`{name}` is code of the package `{parts[0]}`, which this recipe may not run; pass trust=True if it may"
        )
    return _foreign(parts)


def _unknown_role(name: str, parts: list[str]) -> UnknownStep:
    if len(parts) == 1:
        same = [full for full in all_names() if full.endswith(f".{name}")]
        hint = f"did you mean `{same[0]}`?" if same else did_you_mean(name, ROLES)
        return UnknownStep(f"got the step `{name}`, wanted a role before it, as in `filters.{name}`", hint)
    near = [
        f"{role}.{parts[1]}" for role in ROLES if did_you_mean(parts[0], [role]) and f"{role}.{parts[1]}" in step_names(role)
    ]
    hint = f"did you mean `{near[0]}`?" if near else did_you_mean(parts[0], ROLES)
    return UnknownStep(f"there is no role `{parts[0]}`; the roles are {', '.join(ROLES)}", hint)


def _built_in(role: str, stem: str) -> type[shapes.Step]:
    names = step_names(role)
    if f"{role}.{stem}" not in names:
        stem_hint = did_you_mean(stem, [name.removeprefix(f"{role}.") for name in names]).replace("mean `", f"mean `{role}.")
        listed = f"`sslpipe list {role}` shows all" if names else f"there are no {role} yet"
        hint = stem_hint or did_you_mean(f"{role}.{stem}", all_names())
        raise UnknownStep(f"there is no step `{role}.{stem}`; {listed}", hint)
    return _checked(class_of(f"sslpipe.{role}", stem), f"{role}.{stem}", role)


def _foreign(parts: list[str]) -> type[shapes.Step]:
    name, package, stem = ".".join(parts), ".".join(parts[:-1]), parts[-1]
    try:
        room = importlib.import_module(package)
        names = stems(list(getattr(room, "__path__", ())))
        if stem not in names:
            hint = did_you_mean(stem, names).replace("mean `", f"mean `{package}.")
            raise UnknownStep(f"the package `{package}` has no module `{stem}`", hint)
        found = class_of(package, stem)
    except UnknownStep:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or package
        raise UnknownStep(
            f"`{name}` can't be imported: there is no module `{missing}`; install it, or put it on PYTHONPATH"
        ) from None
    except Exception as error:
        # Whatever a stranger's module raises while it is imported is a fault of the recipe's choice, said with its cause.
        raise UnknownStep(f"`{name}` can't be imported: {type(error).__name__}: {error}") from error
    return _checked(found, name, parts[-2])


def _checked(found: type, name: str, role: str) -> type[shapes.Step]:
    if not issubclass(found, ROLES[role]):
        raise UnknownStep(f"`{name}` is the class {found.__name__}, wanted a subclass of sslpipe's {ROLES[role].__name__}")
    return found


@dataclass(frozen=True)
class FieldEntry:
    """One field of a step as `sslpipe list` shows it."""

    name: str
    """As a recipe writes it."""
    type: str
    """Its annotation."""
    default: str
    """As it would be written in a recipe; empty where the field must be given."""
    doc: str
    """The text below it; empty where there is none."""


@dataclass(frozen=True)
class StepEntry:
    """One step as `sslpipe list` shows it."""

    name: str
    """As a recipe writes it: `filters.gopher_quality`."""
    sentence: str
    """The first of its docstring."""
    doc: str
    """All of its docstring."""
    fields: tuple[FieldEntry, ...]
    """In the order they are declared."""


def catalogue(role: str) -> list[StepEntry]:
    """The built-in steps of a role with their docs, sorted by name; raises UnknownStep for what is no role."""
    if role not in ROLES:
        raise UnknownStep(f"there is no role `{role}`; the roles are {', '.join(ROLES)}", did_you_mean(role, ROLES))
    return [describe(resolve(name), name) for name in step_names(role)]


def describe(step: type[shapes.Step], name: str) -> StepEntry:
    """The docs of one step: its docstring and its fields."""
    doc = inspect.cleandoc(step.__doc__ or "")
    docs = _field_docs(step)
    fields = tuple(
        FieldEntry(
            field_name,
            inspect.formatannotation(info.annotation).replace("NoneType", "None"),
            "" if info.is_required() else _written(info.get_default(call_default_factory=True, validated_data={})),
            " ".join((info.description or docs.get(field_name, "")).split()),
        )
        for field_name, info in step.model_fields.items()
    )
    return StepEntry(name, first_sentence(doc), doc, fields)


def first_sentence(doc: str) -> str:
    """The sentence a docstring opens with; the full stops of `et al.` and of what stands in brackets end none."""
    text = " ".join(doc.split("\n\n")[0].split())
    for stop in re.finditer(r"\.(?= )", text):
        before = text[: stop.start()]
        if before.count("(") == before.count(")") and not before.endswith((" al", "e.g", "i.e")):
            return f"{before}."
    return text.rstrip(".") + "."


def _written(value: Any) -> str:
    from sslpipe.core.words import show

    if value is None:
        return "null"
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, tuple | list) else show(value)


def _field_docs(step: type[shapes.Step]) -> dict[str, str]:
    """The string literals below the fields, those of base classes first."""
    docs: dict[str, str] = {}
    for cls in reversed([base for base in step.__mro__ if issubclass(base, shapes.Step)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        assert isinstance(body, ast.ClassDef)
        for before, after in zip(body.body, body.body[1:], strict=False):
            named = isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)
            if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                docs[before.target.id] = inspect.cleandoc(str(after.value.value))  # type: ignore[attr-defined]
    return docs
