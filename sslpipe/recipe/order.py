"""Which roles may stand where in a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
