"""The state of a stream: a place, and what the place is bound to."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from sslpipe.core.errors import RecipeError
from sslpipe.core.hashes import fingerprint
from sslpipe.core.steps import Step
from sslpipe.shards.manifest import Manifest
from sslpipe.stream.difference import steps_differ

SCHEMA: Final = "sslpipe.stream.1"
LIMIT: Final = 1024
"""Bytes of JSON that a state takes at most."""

_LONG: Final = re.compile(r'[^ -~]|["\\]')
"""Characters that take more than a byte of JSON."""
_LARGEST: Final = 2**62
_PLACE: Final = {"n": _LARGEST, "global_batch_size": _LARGEST}
"""What is added to an identity to make a state, at its longest."""

_MEANING: Final = {
    "split": "the split",
    "seed": "the seed",
    "shuffle": "the shuffle",
    "tail": "the tail",
    "rows": "rows an epoch",
    "stream": "the stream",
}


def identity(
    manifest: Manifest, rows: int, steps: Sequence[Step], *, split: str, seed: int, shuffle: Any, tail: str
) -> dict[str, Any]:
    """All that a place depends on: two streams of equal identity have the same row at each place.

    `fields`, what the steps were given beyond their defaults, decides nothing: it lets a mismatch be told in words. Where the
    state would grow too large, it is null for the last steps, then the steps are told apart only as a whole.
    """
    hashes = [[step.path(), fingerprint(step.version, step.model_dump(mode="json"))[:12]] for step in steps]
    parts = {
        "schema": SCHEMA,
        "dataset": _LONG.sub("?", manifest.name[:100]),
        "domain": manifest.domain(),
        "rows": rows,
        "steps": hashes,
        "split": split,
        "seed": seed,
        "shuffle": shuffle,
        "tail": tail,
        "stream": fingerprint(hashes, split, seed, shuffle, tail),
    }
    fields: list[Any] = [None] * len(steps)
    if not _fits({**parts, "fields": fields}):
        return {**parts, "steps": [[f"{len(hashes)} steps", fingerprint(hashes)[:12]]], "fields": []}
    for number, step in enumerate(steps):
        given = step.model_dump(mode="json", exclude_defaults=True)
        if _fits({**parts, "fields": [*fields[:number], given, *fields[number + 1 :]]}):
            fields[number] = given
    return {**parts, "fields": fields}


def _fits(parts: dict[str, Any]) -> bool:
    return len(json.dumps({**parts, **_PLACE}).encode()) < LIMIT


def check_state(state: Any, mine: dict[str, Any]) -> int:
    """The place that a state names; raises RecipeError that names what differs from this stream."""
    if not isinstance(state, dict):
        raise RecipeError(f"a stream's state is a dict, got {type(state).__name__}")
    if state.get("schema") != SCHEMA:
        raise RecipeError(f"got a state of schema {_shown(state.get('schema'))}, this version reads {SCHEMA}")
    missing = [name for name in (*mine, *_PLACE) if name not in state and name != "fields"]
    if missing:
        raise RecipeError(f"the state is damaged: it has no {', '.join(missing)}")
    if state["domain"] != mine["domain"]:
        raise RecipeError(
            f"the state belongs to another dataset: it was saved on `{_shown(state['dataset'])}`, this is `{mine['dataset']}`;"
            " rows or elements of its shards differ, so its place means other rows here"
        )
    if told := _differences(state, mine):
        raise RecipeError(
            f"the state belongs to another stream: {'; '.join(told)}. Open the stream as it was when the state was saved"
        )
    for name, least in (("n", 0), ("global_batch_size", 1)):
        value = state[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < _LARGEST:
            raise RecipeError(f"the state is damaged: {name} is {_shown(value)}, wanted an integer from {least} to {_LARGEST}")
    return int(state["n"])


def _differences(state: dict[str, Any], mine: dict[str, Any]) -> list[str]:
    """What differs, in words; the number of rows and the hash of the stream follow from the rest, and are told only alone."""
    told = steps_differ(state, mine) if state["steps"] != mine["steps"] else []
    for name, meaning in _MEANING.items():
        if state[name] != mine[name] and not (told and name in ("rows", "stream")):
            told.append(f"{meaning}: saved {_shown(state[name])}, here {_shown(mine[name])}")
    return told


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)[:200]
