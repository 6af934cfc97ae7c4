"""Commit records: what has been done, and the only thing that says so."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from sslpipe.shards.storage import LocalStorage, UniqueFile

FOLDER = ".sslpipe/commits"
log = logging.getLogger(__name__)

Counts = Mapping[str, Mapping[str, int]]
"""Per source, rows by outcome: `read kept duplicate quarantined:<reason> filtered:<reason>`."""


class Output(BaseModel):
    """One file that a commit makes exist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    name: str
    bytes: int
    xxh3_128: str

    @classmethod
    def of(cls, role: str, file: UniqueFile, name: str | None = None) -> Output:
        """The record of a file just published."""
        return cls(role=role, name=name or file.name, bytes=file.bytes, xxh3_128=file.digest())


class Commit(BaseModel):
    """The record of one finished task.

    `fingerprint` hashes everything that the outputs depend on: the steps with their fields and versions, and the inputs. A
    file that no commit names does not exist, whatever the folder holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    stage: str
    task: int
    fingerprint: str
    outputs: tuple[Output, ...] = ()
    counts: dict[str, dict[str, int]] = {}
    facts: dict[str, Any] = {}

    def all(self, role: str) -> list[Output]:
        """The outputs of one role, in order."""
        return [output for output in self.outputs if output.role == role]


class Commits:
    """The commit records of one output folder."""

    def __init__(self, storage: LocalStorage) -> None:
        self._storage = storage

    def name(self, stage: str, fingerprint: str) -> str:
        """Where the record of a task lies."""
        return f"{FOLDER}/{stage}/{fingerprint}.json"

    def find(self, stage: str, fingerprint: str) -> Commit | None:
        """The record of a task, if it is done and its files are there; one that can't be read counts as absent, loudly."""
        name = self.name(stage, fingerprint)
        if self._storage.size(name) is None:
            return None
        try:
            commit = Commit.model_validate_json(self._storage.get(name))
            if commit.fingerprint != fingerprint:
                raise ValueError(f"it is the record of {commit.fingerprint}")
        except (ValidationError, ValueError) as error:
            log.warning("%s is damaged and its task will be done again: %s", name, str(error).splitlines()[0])
            self._storage.delete(name)
            return None
        for output in commit.outputs:
            found = self._storage.size(output.name)
            if found != output.bytes:
                what = "is missing" if found is None else f"has {found} bytes, wanted {output.bytes}"
                log.warning("%s %s; the task that made it will be done again", output.name, what)
                self._storage.delete(name)
                return None
        return commit

    def publish(self, commit: Commit) -> Commit:
        """Make a task done; the first of two attempts wins, and its record is what both get back."""
        name = self.name(commit.stage, commit.fingerprint)
        data = json.dumps(commit.model_dump(mode="json"), sort_keys=True, indent=1).encode()
        if self._storage.put_new(name, data):
            return commit
        kept = self.find(commit.stage, commit.fingerprint)
        return kept if kept is not None else self.publish(commit)


def add_counts(records: Iterable[Counts]) -> dict[str, dict[str, int]]:
    """Sum counts over commits."""
    total: dict[str, dict[str, int]] = {}
    for counts in records:
        for source, outcomes in counts.items():
            mine = total.setdefault(source, {})
            for outcome, number in outcomes.items():
                mine[outcome] = mine.get(outcome, 0) + number
    return total


def totals(counts: Counts) -> dict[str, int]:
    """Rows by outcome over all sources, reasons summed up."""
    total = dict.fromkeys(("read", "kept", "filtered", "duplicate", "quarantined", "erased"), 0)
    for outcomes in counts.values():
        for outcome, number in outcomes.items():
            total[outcome.partition(":")[0]] += number
    return total
