"""The beginning and the end of a build: may it start, and making its result visible."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sslpipe.building.own_files import artefact_name
from sslpipe.building.stages import Stages
from sslpipe.building.state import RECIPE
from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.fields import Field
from sslpipe.core.hashes import fingerprint
from sslpipe.recipe.plan import Plan
from sslpipe.recipe.recipe import Recipe
from sslpipe.shards.card import dataset_card
from sslpipe.shards.commits import FOLDER, Commit, Output, totals
from sslpipe.shards.layout import rollup_name
from sslpipe.shards.manifest import NAME, FileEntry, Manifest, ShardEntry
from sslpipe.shards.storage import LocalStorage

CARD = "README.md"
LIMITED = -1
"""The revision of a look by `--limit`, whose shards never take the names of a whole dataset's."""
PASSING = (".sslpipe/spill", ".sslpipe/records", ".sslpipe/sample", ".sslpipe/attempts")
"""Folders of files that only a running build needs."""
LASTING = (
    ".sslpipe/builds",
    ".sslpipe/ledger",
    ".sslpipe/quarantine",
    ".sslpipe/decisions",
    ".sslpipe/artefacts",
    ".sslpipe/index",
    "shards",
)


class Publisher:
    """Decides whether a folder may take this build, and publishes its result: shards, then manifest, then card."""

    def __init__(self, storage: LocalStorage, recipe: Recipe, inputs: str, *, limited: bool) -> None:
        self._storage, self._recipe, self._inputs, self._limited = storage, recipe, inputs, limited
        self._fingerprint = recipe.build_fingerprint()
        self._previous = Manifest.load(storage) if storage.size(NAME) is not None else None
        self.build = fingerprint(self._fingerprint, inputs)
        self._whole = 0
        if self._previous is not None:
            self._whole = self._previous.revision + (0 if self._previous.limited else 1)
        self.revision = LIMITED if limited else self._whole
        self._unread: dict[str, dict[str, int]] = {}

    def finished(self, update: bool) -> Manifest | None:
        """The manifest, where this very build is done already and whole; what a killed clean-up left is swept then."""
        previous = self._previous
        if previous is None or previous.limited != self._limited:
            return None
        if (previous.recipe, previous.inputs) != (self._fingerprint, self._inputs):
            return None
        missing = [entry.path for entry in previous.files() if self._storage.size(entry.path) != entry.bytes]
        if missing:
            if update:
                return None
            raise DataError(
                f"{self._storage.root} was finished, but {len(missing)} of its files are gone or cut short, {missing[0]} among"
                " them; restore them, or build again with --update"
            )
        now = {"name": self._recipe.name, "stream": tuple(self._recipe.to_json()["stream"])}
        manifest = previous.model_copy(update=now)
        if manifest != previous:
            self._storage.replace(NAME, _json(manifest))
        before = self._before()
        if before is not None and before["build"] != self.build:
            self._remember()  # Another build had begun here, and was given up for this one.
        if manifest.name != previous.name:
            self._storage.replace(CARD, dataset_card(manifest).encode())
        self._sweep(manifest)
        return manifest

    def begin(self, update: bool) -> None:
        """Refuse to mix two recipes in one folder unless told to; remember which one is being built."""
        before = self._before()
        if before is not None and not update and not (self._previous is not None and self._previous.limited):
            self._refuse_changes(before)
        for name in list(self._storage.temporaries()):
            self._storage.delete(name)
        if before is not None and before["build"] != self.build:
            self._forget_shards()
        self._remember()
        unclaimed = {name: dict(reader.unclaimed()) for name, reader in self._recipe.sources.items()}
        self._unread = {name: counts for name, counts in unclaimed.items() if counts}

    def _forget_shards(self) -> None:
        """Let go of another build's unpublished shards: ours have the same names, so its records may speak of our bytes."""
        for stage in self._storage.folders(FOLDER):
            if stage.endswith("-shards"):
                for name in self._storage.list(f"{FOLDER}/{stage}"):
                    self._storage.delete(name)

    def _remember(self) -> None:
        self._storage.replace(RECIPE, json.dumps({"build": self.build, "recipe": self._recipe.to_json()}).encode())

    def _refuse_changes(self, before: dict[str, Any]) -> None:
        """Refuse to replace or to mix what another recipe, or other input, made."""
        previous = self._previous
        changed = _difference(before["recipe"], self._recipe.to_json())
        if changed:
            what = f"a build of another recipe (changed: {', '.join(changed)})"
        elif previous is None:
            return
        elif self._limited:
            what = "a whole dataset, which a quick look with --limit would replace"
        elif previous.recipe != self._fingerprint:
            what = "a build of this recipe with another version of a step, or other content of a file that it names"
        else:
            what = "a build of other input files"
        kept = (
            "The old dataset stays until the new one is finished" if previous else "Tasks that the change leaves alone are kept"
        )
        raise RecipeError(
            f"{self._storage.root} holds {what}. To build again, run the same command with --update,"
            f" or choose another output folder. {kept}"
        )

    def _before(self) -> dict[str, Any] | None:
        if self._storage.size(RECIPE) is None:
            return None
        before: dict[str, Any] = json.loads(self._storage.get(RECIPE))
        return before

    def publish(
        self, stages: Stages, shards: Sequence[Commit], counts: dict[str, dict[str, int]], fields: dict[str, Field]
    ) -> Manifest:
        """Write the roll-up, the manifest and the card, then sweep away what nobody needs any more."""
        plan = Plan.of(self._recipe)
        manifest = Manifest(
            version=self._previous.version + 1 if self._previous is not None else 1,
            name=self._recipe.name,
            seed=self._recipe.seed,
            recipe=self._fingerprint,
            inputs=self._inputs,
            fields=fields,
            totals=totals(counts),
            by_source=counts,
            unread=self._unread,
            measures=plan.kept_measures,
            measured={label: dict(measure) for label, measure in plan.measured.items()},
            artefacts=self._artefacts(stages),
            shards=tuple(_entry(commit) for commit in shards if commit.facts["samples"]),
            stream=tuple(self._recipe.to_json()["stream"]),
            revision=self._whole,
            limited=self._limited,
        )
        rollup = {stage: [commit.model_dump(mode="json") for commit in done] for stage, done in stages.finished.items()}
        self._storage.replace(rollup_name(self.build), json.dumps(rollup).encode())
        self._storage.put_new(f".sslpipe/manifests/{manifest.version:06d}-{self.build[:12]}.json", _json(manifest))
        self._storage.replace(NAME, _json(manifest))
        self._storage.replace(CARD, dataset_card(manifest).encode())
        self._sweep(manifest)
        return manifest

    def _artefacts(self, stages: Stages) -> dict[str, FileEntry]:
        """Learnt ones, and copies of those that the recipe brought, so that the folder is complete by itself."""
        entries = {
            output.role: _file(output)
            for commits in stages.finished.values()
            for commit in commits
            for output in commit.outputs
            if output.name == stages.job.artefacts.get(output.role)
        }
        for step in self._recipe.build:
            for path in step.files():
                file = self._storage.put_unique(f".sslpipe/artefacts/{Path(path).stem}", Path(path).suffix)
                file.write(Path(path).read_bytes())
                file.publish()
                entries[artefact_name(step, path)] = _file(Output.of("given", file))
        return entries

    def _sweep(self, manifest: Manifest) -> None:
        """Delete what no retained record names: temporary spills, orphans of killed attempts, shards of older versions."""
        rollup = json.loads(self._storage.get(rollup_name(self.build)))
        named = {entry.path for entry in manifest.files()} | {rollup_name(self.build)}
        named |= {output["name"] for commits in rollup.values() for commit in commits for output in commit["outputs"]}
        for stage in self._storage.folders(FOLDER):
            for name in self._storage.list(f"{FOLDER}/{stage}"):
                self._storage.delete(name)
        for folder in PASSING:
            for name in self._storage.list(folder):
                self._storage.delete(name)
        for folder in LASTING:
            for name in self._storage.list(folder):
                if name not in named:
                    self._storage.delete(name)


def _file(output: Output) -> FileEntry:
    return FileEntry(path=output.name, bytes=output.bytes, xxh3_128=output.xxh3_128)


def _entry(commit: Commit) -> ShardEntry:
    tar, index = commit.all("shard")[0], commit.all("index")[0]
    facts = commit.facts
    return ShardEntry(
        **_file(tar).model_dump(),
        split=facts["split"],
        samples=facts["samples"],
        elements=facts["elements"],
        index=_file(index),
    )


def _json(manifest: Manifest) -> bytes:
    return json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True).encode() + b"\n"


def _difference(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The parts of a recipe that differ, stream and limits aside: they never enter a build."""
    keys = [key for key in (*before, *(key for key in now if key not in before)) if key not in ("stream", "limits")]
    return [key for key in keys if before.get(key) != now.get(key)]


def refuse_strangers(storage: LocalStorage) -> None:
    """Refuse a folder that holds what a build would write, made by somebody else: it would be overwritten or swept away."""
    theirs = [name for name in (NAME, CARD, "shards") if storage.path(name).exists()]
    if theirs and storage.size(RECIPE) is None:
        raise RecipeError(
            f"{storage.root} has {' and '.join(theirs)}, but no build of sslpipe made them; choose another output folder"
        )
