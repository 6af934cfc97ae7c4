"""The recipe as it was run, step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sslpipe.core.errors import RecipeError
from sslpipe.report.findings import Findings
from sslpipe.report.html import Child, Html, cut, joined, tag

VALUE: Final = 160
"""Characters of a field's value."""
STEPS: Final = 100


def recipe(found: Findings) -> Html:
    """Sources, what ran once, what runs in every epoch. Of fields the changed ones are shown, and all thresholds of filters."""
    written = found.recipe
    if written is None:
        return tag(
            "p", "Another build has begun in this folder, and its recipe has taken the place of this one.", class_="quiet"
        )
    sources = [{f"{name}: {step}": fields for step, fields in reader.items()} for name, reader in written.sources.items()]
    parts = [
        _part("Read", sources),
        _part("Build, once", written.build),
        _part("Stream, in every epoch", written.stream),
    ]
    shards = {name: _given(value) for name, value in written.shards.items() if _given(value) not in (None, {})}
    return joined(tag("div", parts, class_="recipe"), tag("div", tag("h3", "Shards"), _fields(shards, {})) if shards else None)


def _given(value: Any) -> Any:
    """A value without the parts of it that are left open."""
    return {key: part for key, part in value.items() if part is not None} if isinstance(value, dict) else value


def _part(title: str, steps: Sequence[Mapping[str, Any]]) -> Html | None:
    items, told = [], set()
    for name, fields in [item for step in steps[:STEPS] for item in step.items()]:
        items.append(_step(name, fields or {}, again=name.rpartition(": ")[2] in told))
        told.add(name.rpartition(": ")[2])
    if len(steps) > STEPS:
        items.append(tag("li", f"{len(steps) - STEPS:,} more"))
    return tag("div", tag("h3", title), tag("ol", items)) if items else None


def _step(name: str, fields: Mapping[str, Any], again: bool) -> Html:
    """One step; what it does is said the first time."""
    path = name.rpartition(": ")[2]
    sentence, defaults = _known(path)
    said = tag("span", _prose(sentence), class_="quiet") if sentence and not again else None
    everything = path.split(".")[-2:-1] == ["filters"]
    shown = {key: value for key, value in fields.items() if everything or key not in defaults or value != defaults[key]}
    return tag("li", tag("code", cut(name, VALUE)), said, _fields(shown, defaults))


def _prose(sentence: str) -> Html:
    """A sentence with what stands between backticks set as code."""
    return joined([tag("code", part) if place % 2 else part for place, part in enumerate(sentence.split("`"))])


def _known(name: str) -> tuple[str, Mapping[str, Any]]:
    """What a built-in step says of itself, and its defaults; of another package's nothing, since that would run its code."""
    from pydantic_core import to_jsonable_python

    from sslpipe.recipe.registry import describe, resolve

    try:
        step = resolve(name)
    except RecipeError:
        return "", {}
    fields = {key: info for key, info in step.model_fields.items() if not info.is_required()}
    defaults = {key: to_jsonable_python(info.get_default(call_default_factory=True)) for key, info in fields.items()}
    return describe(step, name).sentence, defaults


def _fields(fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> Html | None:
    shown: list[Child] = []
    for name, value in fields.items():
        usual = name in defaults and value == defaults[name]
        if not usual or value not in (None, "", [], {}):
            text = cut(json.dumps(value, ensure_ascii=False), VALUE)
            shown.append(tag("span", f"{name}: ", tag("b", text), class_="field" if usual else "field changed"))
    return tag("span", shown, class_="fields") if shown else None
