"""The manifest: what a finished dataset holds, and the only way into it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from sslpipe.core.errors import DataError
from sslpipe.core.fields import Field
from sslpipe.core.hashes import fingerprint
from sslpipe.shards.storage import LocalStorage

NAME = "manifest.json"
SPLITS = ("train", "val", "test")


class FileEntry(BaseModel):
    """A file with what proves that it is whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """Relative to the dataset's folder, with `/`."""
    bytes: Annotated[int, Ge(0)]
    """Its size."""
    xxh3_128: str
    """The hash of its bytes, 32 hex digits."""

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        """A manifest may come from anywhere: it names files of its own folder and no others."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\0" in path or "\\" in path:
            raise ValueError(f"{path!r} does not lie in the dataset's own folder")
        return path


class ShardEntry(FileEntry):
    """One shard and its index."""

    split: Literal["train", "val", "test"]
    """The split that all its rows belong to."""
    samples: Annotated[int, Ge(1)]
    """Rows in it."""
    elements: dict[str, int] = {}
    """Elements (tokens, bytes of text) of each ragged field, summed over the shard."""
    index: FileEntry
    """The side file with offsets, lengths and checksums of its rows."""


class Manifest(BaseModel):
    """One version of a dataset; versions are immutable, `manifest.json` copies the newest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    """Of this file; raised when older software would misread it."""
    version: int = 1
    """Which version of the folder's dataset it is, from 1."""
    name: str
    """The recipe's."""
    seed: int
    """The recipe's, which a stream draws with unless it is given another."""
    recipe: str
    """Fingerprint of the build half of the recipe."""
    inputs: str
    """Fingerprint of the files read, by path, size and time."""
    fields: dict[str, Field]
    """The types of what the shards hold, by name."""
    totals: dict[str, int]
    """Rows by outcome, over all sources: `read kept filtered duplicate quarantined erased`."""
    by_source: dict[str, dict[str, int]]
    """Per source, rows by outcome, filtered and quarantined ones by reason."""
    unread: dict[str, dict[str, int]] = {}
    """Per source, files under its paths that its reader does not claim, by suffix; as they were when the build began."""
    measures: tuple[str, ...] = ()
    """Measures kept beside each row, for filters right of the fence: columns of the indexes."""
    measured: dict[str, dict[str, Any]] = {}
    """What computed them, by the part of the column's name before the last dot: path, version and fields."""
    artefacts: dict[str, FileEntry] = {}
    """Files that fits learnt or the recipe brought, by the name that steps ask for: `tokenizer.json`."""
    shards: tuple[ShardEntry, ...]
    """Those that hold rows, of all splits."""
    stream: tuple[Any, ...] = ()
    """The recipe's `stream:` half, used where `dataset.stream()` is given no steps."""
    revision: int = 0
    """How many whole datasets the folder held before; it enters the names of shards."""
    limited: bool = False
    """Made by `--limit`: a look at the recipe, not a dataset."""

    def split(self, split: str) -> list[ShardEntry]:
        """The shards of one split, in order."""
        return [shard for shard in self.shards if shard.split == split]

    def files(self) -> list[FileEntry]:
        """Every file that the dataset consists of."""
        return [*self.artefacts.values(), *(file for shard in self.shards for file in (shard, shard.index))]

    @property
    def build(self) -> str:
        """The name of the build that made it: recipe and input files."""
        return fingerprint(self.recipe, self.inputs)

    def domain(self) -> str:
        """The hash of what positions depend on: rows, names and lengths, as the indexes have them; states are bound to it."""
        return fingerprint("domain.1", [(shard.split, shard.samples, shard.index.xxh3_128) for shard in self.shards])

    @classmethod
    def finished(cls, storage: LocalStorage) -> Manifest:
        """The same, for commands that are asked about a build that may still run: those say how to look how far it is."""
        _check_folder(storage)
        if storage.size(NAME) is None:
            raise DataError(f"{storage.root} is not finished yet; `sslpipe status {storage.root}` says how far it is")
        return cls.load(storage)

    @classmethod
    def load(cls, storage: LocalStorage) -> Manifest:
        """The newest version in a folder."""
        _check_folder(storage)
        if storage.size(NAME) is None:
            raise DataError(
                f"{storage.root} has no {NAME}: it is not a finished dataset."
                " Run `sslpipe build`; an interrupted build goes on when the same command runs again"
            )
        try:
            return cls.model_validate_json(storage.get(NAME))
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"])) or "the file"
            raise DataError(f"{storage.path(NAME)}: {where}: {problem['msg']}") from None


def _check_folder(storage: LocalStorage) -> None:
    if not storage.root.is_dir():
        what = "is a file; give the dataset's folder" if storage.root.exists() else "does not exist"
        raise DataError(f"{storage.root} {what}")
