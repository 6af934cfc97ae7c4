"""How far a build is, read from what it wrote down."""

from __future__ import annotations

import json

from sslpipe.building.stages import STAGES
from sslpipe.shards.commits import FOLDER
from sslpipe.shards.storage import LocalStorage

RECIPE = ".sslpipe/recipe.json"
ROLLUP = ".sslpipe/build.json"


def stages_of(storage: LocalStorage) -> list[tuple[str, int, int]]:
    """Stages that have begun, in order: name, tasks committed, tasks in all."""
    if storage.size(RECIPE) is None:
        return []
    build = json.loads(storage.get(RECIPE))["build"]
    if storage.size(ROLLUP) is not None:
        rollup = json.loads(storage.get(ROLLUP))
        if rollup["build"] == build:
            return [(stage, len(commits), len(commits)) for stage, commits in rollup["stages"].items()]
    found = []
    for name in storage.list(f"{STAGES}/{build}"):
        stage = json.loads(storage.get(name))
        committed = set(storage.list(f"{FOLDER}/{stage['stage']}"))
        done = sum(f"{FOLDER}/{stage['stage']}/{task}.json" in committed for task in stage["tasks"])
        found.append((stage["stage"], done, len(stage["tasks"])))
    return found
