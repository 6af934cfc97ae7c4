"""The state of a stream: a place, and what the place is bound to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sslpipe.core.errors import RecipeError
from sslpipe.core.hashes import fingerprint
from sslpipe.core.steps import Step
from sslpipe.shards.manifest import Manifest

SCHEMA: Final = "sslpipe.stream.1"
LIMIT: Final = 1024
"""Bytes of JSON that a state takes at most."""

_LISTED: Final = 12
"""More steps than this are told apart only as a whole."""

_LARGEST: Final = 2**62

_MEANING: Final = {
    "domain": "rows or elements of its shards",
    "dataset": "the dataset's name",
    "rows": "rows an epoch",
    "steps": "the steps",
    "split": "the split",
    "seed": "the seed",
    "shuffle": "the shuffle",
    "tail": "the tail",
    "stream": "the stream",
}


def identity(
    manifest: Manifest, rows: int, steps: Sequence[Step], *, split: str, seed: int, shuffle: Any, tail: str
) -> dict[str, Any]:
    """All that a place depends on: two streams of equal identity have the same row at each place."""
    hashes = [[step.path(), fingerprint(step.version, step.model_dump(mode="json"))[:12]] for step in steps]
    named = hashes if len(hashes) <= _LISTED else [[f"{len(hashes)} steps", fingerprint(hashes)[:12]]]
    parts = {
        "domain": manifest.domain(),
        "rows": rows,
        "steps": named,
        "split": split,
        "seed": seed,
        "shuffle": shuffle,
        "tail": tail,
    }
    return {
        "schema": SCHEMA,
        "dataset": manifest.name[:100],
        **parts,
        "stream": fingerprint(hashes, split, seed, shuffle, tail),
    }


def check_state(state: Any, mine: dict[str, Any]) -> int:
    """The place that a state names; raises RecipeError that names what differs from this stream."""
    if not isinstance(state, dict):
        raise RecipeError(f"a stream's state is a dict, got {type(state).__name__}")
    if state.get("schema") != SCHEMA:
        raise RecipeError(f"got a state of schema {_shown(state.get('schema'))}, this version reads {SCHEMA}")
    missing = [name for name in (*mine, "n", "global_batch_size") if name not in state]
    if missing:
        raise RecipeError(f"the state is damaged: it has no {', '.join(missing)}")
    if state["domain"] != mine["domain"]:
        raise RecipeError(
            f"the state belongs to another dataset: it was saved on `{_shown(state['dataset'])}`, this is `{mine['dataset']}`;"
            f" {_MEANING['domain']} differ, so its place means other rows here"
        )
    differing = [name for name in ("steps", "split", "seed", "shuffle", "tail", "rows", "stream") if state[name] != mine[name]]
    if differing:
        told = "; ".join(f"{_MEANING[name]}: saved {_shown(state[name])}, here {_shown(mine[name])}" for name in differing[:3])
        raise RecipeError(f"the state belongs to another stream: {told}. Open the stream as it was when the state was saved")
    for name, least in (("n", 0), ("global_batch_size", 1)):
        value = state[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < _LARGEST:
            raise RecipeError(f"the state is damaged: {name} is {_shown(value)}, wanted an integer from {least} to {_LARGEST}")
    return int(state["n"])


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)[:200]
