"""The shapes a step can have. Each is one method; the method is the contract.

A step is a value: frozen, compared and printed by its fields, carrying no state, clients or counters. What it needs at run time
(artefacts, facts of fields) it gets from `open(context)`, once per worker, which returns the object that does the work; a step
that needs nothing returns itself. Every method works on a whole batch: the loop over rows belongs in a kernel.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from sslpipe.core.documents import Documents
from sslpipe.core.draw import Draw
from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Fields, Kind
from sslpipe.core.rows import Rows
from sslpipe.core.value import Value


@dataclass(frozen=True)
class Context:
    """What a step is given when it is opened: the types of the fields it will see, and the artefacts learnt so far."""

    fields: Fields
    """The types of the fields before the step."""
    artefacts: Mapping[str, Path] = field(default_factory=dict)
    """Where each learnt file lies, by the name that its fit gives it: `tokenizer.json`."""


class Step(Value):
    """Base of all steps: frozen, unknown fields refused."""

    version: ClassVar[int] = 1
    """Raised when the same fields give other results; enters every fingerprint."""

    def outputs(self, fields: Fields) -> Fields:
        """The fields after this step, given those before; raises RecipeError where they don't fit."""
        return fields

    def open(self, context: Context) -> Any:
        """The object that does the work, with artefacts and facts at hand."""
        return self

    def requires(self) -> str | None:
        """The artefact that a fit before this step must have made, if it needs one."""
        return None

    def files(self) -> tuple[str, ...]:
        """Paths of files whose content decides what the step does."""
        return ()

    def bind(self, artefacts: Mapping[str, Path]) -> Self:
        """The step with what was learnt filled in, once it is there."""
        return self

    @classmethod
    def path(cls) -> str:
        """The step's name in recipes and draws: `filters.gopher_quality`, or the full path of a foreign class."""
        return cls.__module__.removeprefix("sslpipe.")

    @classmethod
    def _called(cls) -> str:
        return cls.path()


def pick_field(step: Step, fields: Fields, kind: Kind, name: str | None) -> str:
    """The field a step works on: the one it names, or the only one of the wanted kind."""
    if name is not None:
        if name in fields and fields[name].kind == kind:
            return name
        found = f"it is {fields[name].kind}" if name in fields else "there is no such field"
        raise RecipeError(f"{step.path()}: field `{name}` should be {kind}; {found} (fields here: {_listed(fields)})")
    found_names = [name for name, field in fields.items() if field.kind == kind]
    if len(found_names) == 1:
        return found_names[0]
    problem = "there is none" if not found_names else "there are several; say which with `field:`"
    hint = "; put maps.tokenize before it" if kind == "ids" and not found_names else ""
    raise RecipeError(f"{step.path()} needs a field of {kind}; {problem}{hint} (fields here: {_listed(fields)})")


def _listed(fields: Fields) -> str:
    return ", ".join(f"{name}: {field.kind}" for name, field in fields.items()) or "none"


@dataclass(frozen=True)
class Part:
    """What one read task reads: whole files, in order, or some of the records of a file that names others."""

    files: tuple[str, ...]
    """Absolute paths."""
    sizes: tuple[int, ...]
    """Bytes of each file as it lies there, compressed or not."""
    stamps: tuple[int, ...]
    """Modification times in nanoseconds, so that a file changed since the plan is noticed."""
    span: tuple[int, int | None] | None = None
    """Which records of the first file are read, from and below, None for no end; the other files are those that they name."""


@dataclass(frozen=True)
class Bad:
    """One record, or damaged region, that can't be read."""

    file: str
    """Path of the file."""
    place: str
    """Where in the file: `byte 17`, `line 4`, `member a/b.jpg`."""
    reason: str
    """Dotted and stable: `text.utf8`, `json.syntax`."""
    detail: str
    """What is wrong with it, for people."""
    raw: bytes = b""
    """The record's bytes, for the quarantine; empty where they can't be told from others, or are too many."""


BadSink = Callable[[Bad], None]


class Reader(Step):
    """Reads one raw format.

    Rows carry two bookkeeping columns besides their fields: `_file`, int32, the position in `part.files`, and `_place`,
    int64, the number of the record in its file. A record that can't be read goes to `bad`, and reading goes on behind it.
    """

    paths: tuple[str, ...] = ()
    """Files, folders that are searched, and globs; one alone needs no list."""

    @field_validator("paths", mode="before")
    @classmethod
    def _one_is_enough(cls, paths: Any) -> Any:
        """As in YAML, one path stands for a list of it; what is neither is refused by what comes behind."""
        if isinstance(paths, str | os.PathLike):
            return (os.fspath(paths),)
        if isinstance(paths, list | tuple):
            return tuple(os.fspath(path) if isinstance(path, os.PathLike) else path for path in paths)
        return paths

    @abstractmethod
    def parts(self, part_bytes: int) -> list[Part]:
        """The files found, bundled to about `part_bytes` each, in the order of their paths."""

    @abstractmethod
    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """The records of a part in order, in batches bounded by decoded bytes; names are not set yet (all zero)."""

    @abstractmethod
    def outputs(self, fields: Fields) -> Fields:
        """The fields that the reader fills."""

    def claimed(self) -> tuple[str, ...]:
        """The suffixes of the files that it reads in folders, "" for files without one; compression's may stand behind."""
        return ()

    def unclaimed(self) -> Mapping[str, int]:
        """How many files under `paths` the reader does not claim, by suffix."""
        return {}


@dataclass(frozen=True)
class Verdicts:
    """A filter's answer: per row 0 for kept, or 1 + the position of its reason."""

    codes: NDArray[np.uint8]
    """uint8 `[n]`: 0, or 1 + the position in `reasons`."""
    reasons: tuple[str, ...]
    """Dotted and stable: `gopher.too_few_words`."""


Measures = Mapping[str, NDArray[Any]]
"""Numbers about rows, one array `[n]` a name."""

Numbers = Mapping[str, int | float]
"""Numbers about one row, by the same names."""


class Measure(Step):
    """Numbers about a row, computed once however many filters ask."""

    @abstractmethod
    def measure(self, rows: Rows) -> Measures:
        """The numbers, one array `[n]` each."""

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the numbers, in order."""


@dataclass(frozen=True)
class Limit:
    """One threshold of a filter, told apart so that it can be drawn among the numbers it decides about."""

    reason: str
    """The reason of rows that it drops."""
    part: str
    """The number that is compared, by its name among the measures."""
    whole: tuple[str, ...]
    """The numbers whose product it is taken as a share of; none where it is compared as it is."""
    field: str
    """The field of the filter that holds the threshold."""
    value: float
    """The threshold, in units of its field."""
    drops: Literal["below", "above"]
    """Which side goes; a number on the threshold stays."""
    unit: int = 1
    """How many steps of the part, as it is measured, are one of the threshold."""


class Filter(Step):
    """Thresholds on measures; each drop has its reason."""

    @abstractmethod
    def needs(self) -> tuple[Measure, ...]:
        """The measures that `judge` reads."""

    @abstractmethod
    def judge(self, measures: Measures) -> Verdicts:
        """Per row: kept, or the first reason against it. Ratios are compared as integers, never as floats."""

    def explain(self, reason: str, numbers: Numbers) -> str:
        """By how much one row missed: `31 words, min_words is 50`; empty where the reason already says it all."""
        return ""

    def limits(self) -> tuple[Limit, ...]:
        """The thresholds that are numbers, for pictures; none of a filter that decides otherwise."""
        return ()


class Map(Step):
    """Changes rows, one out for each one in, names untouched. A map may empty a row, never remove it."""

    changes_lengths: ClassVar[bool] = False
    """Whether later packs and tasks see other lengths than those stored; such a map stays left of the fence before them."""

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """The changed rows; steps that need a context have it on the object that `open` returns."""
        raise NotImplementedError(f"{self.path()} must be opened first")


class Cut(Step):
    """One row into pieces."""

    @abstractmethod
    def cut(self, rows: Rows) -> Rows:
        """The pieces of all rows in order."""


class Dedup(Step):
    """What `the same` means. For an exact one, the digest is all of it."""

    @abstractmethod
    def sign(self, rows: Rows) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """The 128-bit digest of what is compared, high and low, uint64 `[n]` each."""


@dataclass(frozen=True)
class SampleSpec:
    """Which rows a fit wants to see: about this many bytes of one field, chosen by hash from the training split."""

    field: str
    """The field to learn from."""
    bytes: int
    """About how many of them, over all rows, as the field stands there."""


class Fit(Step):
    """Learns an artefact from a sample of the corpus."""

    artefact: ClassVar[str]
    """The file it makes, which later steps ask their context for."""

    @abstractmethod
    def sample(self, fields: Fields) -> SampleSpec:
        """What to learn from."""

    @abstractmethod
    def fit(self, rows: Rows, target: Path) -> None:
        """Learn, and write the artefact to `target`; a function of the multiset of rows only."""


class Pack(Step):
    """Fixed-length rows out of documents, within one shard."""

    @abstractmethod
    def count(self, lengths: NDArray[np.int64]) -> int:
        """How many rows documents of these lengths give; knows neither order nor epoch."""

    @abstractmethod
    def period(self) -> int:
        """Shifts are drawn below this; 1 for a pack whose cuts never move."""

    def open(self, context: Context) -> Packer:
        """The pack at work, without documents yet."""
        raise NotImplementedError


class Packer(Protocol):
    """An opened pack. It holds the documents of the shards it was given, where they lie, and copies only what it packs."""

    def add(self, shard: int, documents: Documents) -> None:
        """Make the documents of a shard known, once, before its rows are asked for."""

    def pack(self, shards: NDArray[np.int64], rows: NDArray[np.int64], shifts: NDArray[np.int64]) -> Rows:
        """Row `rows[i]` of shard `shards[i]`, its cuts moved by `shifts[i]`, for each `i`."""


class Task(Step):
    """One pretext task."""

    kind: ClassVar[Kind] = "ids"
    """The kind of field that it works on, by default the only one of that kind."""
    salt: str = ""
    """Tells two tasks of one class in a recipe apart, which would draw alike otherwise."""

    @abstractmethod
    def minimum(self) -> int:
        """The shortest row, in elements of its field, that the task can use; shorter ones are left out beforehand."""

    def label(self, rows: Rows, draw: Draw) -> Rows:
        """The training pairs; on the object that `open` returns."""
        raise NotImplementedError(f"{self.path()} must be opened first")


class Mapper(Protocol):
    """An opened map."""

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """See `Map.map`."""


class Labeller(Protocol):
    """An opened task."""

    def label(self, rows: Rows, draw: Draw) -> Rows:
        """See `Task.label`."""
