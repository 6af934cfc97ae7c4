"""How far a build is, read from what it wrote down."""

from __future__ import annotations

import json

from sslpipe.building.stages import STAGES
from sslpipe.shards.commits import FOLDER, Commit, add_counts
from sslpipe.shards.layout import rollup_name
from sslpipe.shards.manifest import NAME, Manifest
from sslpipe.shards.storage import LocalStorage

RECIPE = ".sslpipe/recipe.json"


def stages_of(storage: LocalStorage) -> list[tuple[str, int, int]]:
    """Stages that have begun, in order: name, tasks committed, tasks in all."""
    if storage.size(RECIPE) is None:
        return []
    build = json.loads(storage.get(RECIPE))["build"]
    if storage.size(rollup_name(build)) is not None:
        return [(stage, len(commits), len(commits)) for stage, commits in json.loads(storage.get(rollup_name(build))).items()]
    return [(stage, len(done), total) for stage, done, total in _committed(storage, build)]


def counts_of(storage: LocalStorage) -> dict[str, dict[str, int]]:
    """Rows by source and outcome, as far as the tasks that are committed know; of a build that is not finished."""
    build = json.loads(storage.get(RECIPE))["build"]
    names = [name for _, done, _ in _committed(storage, build) for name in done]
    return add_counts(Commit.model_validate_json(storage.get(name)).counts for name in names)


def updating(storage: LocalStorage) -> bool:
    """Whether a build has begun that will replace the finished dataset."""
    if storage.size(RECIPE) is None or storage.size(NAME) is None:
        return False
    return bool(json.loads(storage.get(RECIPE))["build"] != Manifest.load(storage).build)


def _committed(storage: LocalStorage, build: str) -> list[tuple[str, list[str], int]]:
    """Stages that a build has announced, in order: name, commit records, tasks in all."""
    found = []
    for name in storage.list(f"{STAGES}/{build}"):
        stage = json.loads(storage.get(name))
        committed = set(storage.list(f"{FOLDER}/{stage['stage']}"))
        wanted = [f"{FOLDER}/{stage['stage']}/{task}.json" for task in stage["tasks"]]
        found.append((stage["stage"], [name for name in wanted if name in committed], len(wanted)))
    return found
