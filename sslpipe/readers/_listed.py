"""The files that the lines of a list name, as they were when the build was planned."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from sslpipe.core.damage import Damage
from sslpipe.core.steps import Bad, Part
from sslpipe.readers._beneath import Beneath
from sslpipe.readers._fields import FileKind
from sslpipe.readers._open import OpenFile, bad_record, held
from sslpipe.readers._payload import loaded
from sslpipe.readers._table import Record


class ListedFiles:
    """The files of a part whose first is the list that names the others; opened below the folder of the list alone."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._list = part.files[0]
        self._numbers = {name: number for number, name in enumerate(part.files)}
        self._folder = Beneath(folder_of(self._list))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.close()

    def load(
        self, path: str, kind: FileKind, limit: int, check_picture: Callable[[bytes], None]
    ) -> tuple[bytes, Damage | None]:
        """The bytes of the file at a path, or what is wrong with it, as `loaded` does."""
        return loaded(self._opened(path), kind, path, limit, check_picture)

    def bad(self, record: Record, damage: Damage, path: str = "", data: bytes = b"") -> Bad:
        """The quarantine's entry for a record: by its line, or by the file that it names and that is damaged."""
        name, line = f"{folder_of(self._list)}/{path}", f"line {record.line + 1}"
        if name not in self._numbers:
            return bad_record(self._list, damage, line, record.raw)
        return bad_record(name, damage, f"byte {damage.offset}, named in {line} of {self._list.rpartition('/')[2]}", data)

    @contextmanager
    def _opened(self, path: str) -> Iterator[OpenFile]:
        descriptor = self._folder.open(path)
        number = self._numbers.get(f"{folder_of(self._list)}/{path}")
        if number is None:
            os.close(descriptor)
            raise Damage("io.changed", 0, f"{path!a} wasn't there when the build was planned")
        with held(descriptor, self._part.sizes[number], self._part.stamps[number]) as file:
            yield file


def folder_of(listing: str) -> str:
    """The folder that the paths in a list start from, without the slash behind it."""
    return listing.rpartition("/")[0]
