"""The files that the tasks of a finished build left beside its shards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from sslpipe.core.errors import DataError
from sslpipe.shards.commits import Commit, Output
from sslpipe.shards.layout import rollup_name
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage


def commits_of(storage: LocalStorage, manifest: Manifest) -> list[Commit]:
    """The records of all tasks, stage by stage."""
    stages = json.loads(storage.get(rollup_name(manifest.build)))
    return [Commit.model_validate(commit) for done in stages.values() for commit in done]


def outputs(storage: LocalStorage, commits: Sequence[Commit], role: str) -> Iterator[tuple[Commit, Output]]:
    """The files of one role, each with its commit; raises DataError for one that isn't whole."""
    for commit in commits:
        for output in commit.all(role):
            found = storage.size(output.name)
            if found != output.bytes:
                what = "is missing" if found is None else f"has {found:,} bytes instead of {output.bytes:,}"
                raise DataError(f"{storage.path(output.name)} {what}; restore it, or build again with --update")
            yield commit, output
