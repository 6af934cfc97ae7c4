"""How the steps of two streams differ, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"[\w.]{1,300}|(\d+) steps")


def steps_differ(saved: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """One sentence for each step that differs, or one for all; of two identities (see `state.py`) whose `steps` differ.

    The saved one comes from a file, so nothing is believed of its shape.
    """
    before, now = _named(saved["steps"]), _named(here["steps"])
    if before is None or now is None:
        return [f"the steps: saved {_shown(saved['steps'])}, here {_shown(here['steps'])}"]
    if [name for name, _ in before] != [name for name, _ in now]:
        return [f"the steps: saved {_listed(before)}, here {_listed(now)}"]
    told = []
    for number, ((name, old), (_, new)) in enumerate(zip(before, now, strict=True)):
        if old != new:
            told.append(_fields_differ(name, _given(saved, number), _given(here, number)))
    return told


def _named(steps: Any) -> list[tuple[str, str]] | None:
    """Names and hashes; None for what is no list of them."""
    if not isinstance(steps, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in steps):
        return None
    found: list[tuple[str, str]] = [(str(name), str(old)) for name, old in steps]
    return found if all(_NAME.fullmatch(name) for name, _ in found) else None


def _listed(steps: list[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in steps) or "none"


def _given(identity: Mapping[str, Any], number: int) -> Mapping[str, Any] | None:
    """What a step was given beyond its defaults; None where the state had no room for it."""
    fields = identity.get("fields")
    found = fields[number] if isinstance(fields, list) and number < len(fields) else None
    return found if isinstance(found, Mapping) else None


def _fields_differ(name: str, before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    if name.endswith(" steps"):
        return f"some of the {name}, which a state has no room to tell apart"
    if before is None or now is None:
        return f"{name} has other fields, or is of another version"
    changed = [field for field in dict.fromkeys((*before, *now)) if before.get(field, ...) != now.get(field, ...)]
    if not changed:
        return f"{name} is of another version, or has other defaults"
    values = [f"`{field}` was {_value(name, field, before)}, is {_value(name, field, now)}" for field in changed]
    return f"{name}: {', '.join(values)}"


def _value(name: str, field: str, given: Mapping[str, Any]) -> str:
    """The value of a field in words; one that wasn't given is the default, which is known of built-in steps."""
    if field in given:
        return _shown(given[field])
    from sslpipe.recipe.registry import UnknownStep, resolve

    try:
        info = resolve(name).model_fields.get(field)
    except UnknownStep:
        info = None
    return "the default" if info is None or info.is_required() else _shown(info.get_default(call_default_factory=True))


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)[:200]
