"""From the cells of a record to the fields of a row: texts as they stand, or paths of files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sslpipe.core.damage import Damage
from sslpipe.readers._batch import meta_json
from sslpipe.readers._beneath import checked_path
from sslpipe.readers._fields import FileKind, checked_names
from sslpipe.readers._json import as_string, encoded, string_of, text_of
from sslpipe.readers._table import Record

_IN_BRACES: Final = re.compile(r"([^{}]*)\{([^{}]+)\}([^{}]*)")


def checked_columns(fields: dict[str, str]) -> dict[str, str]:
    """Fields with the column of each, by name; raises ValueError for what is neither a column nor a path with one in braces."""
    for name, written in checked_names(fields).items():
        if not written or ({"{", "}"} & set(written) and not (_IN_BRACES.fullmatch(written) and written[0] != "/")):
            raise ValueError(
                f"got {written!r} for `{name}`, wanted a column, or a path below the list with one in braces, `clips/{{path}}`"
            )
    return {name: fields[name] for name in sorted(fields)}


class Columns:
    """What checked fields say. A field is of the kind that is given, that it is called after, or text."""

    def __init__(self, fields: Mapping[str, str], kinds: Mapping[str, FileKind], keep: Sequence[str]) -> None:
        self.kinds: dict[str, FileKind] = {}
        self._columns: list[_Column] = []
        self._keep = keep
        for name, written in fields.items():
            called: FileKind = "image" if name == "image" else "audio" if name == "audio" else "text"
            kind = self.kinds[name] = kinds.get(name, called)
            match = _IN_BRACES.fullmatch(written)
            before, column, after = match.groups() if match else ("", written, "")
            self._columns.append(_Column(kind, column, before, after, kind != "text" or match is not None))

    def names(self) -> list[str]:
        """The columns that rows are made of."""
        return [*(column.name for column in self._columns), *self._keep]

    def values(self, record: Record) -> list[tuple[FileKind, bytes | str]]:
        """Texts as bytes, paths of files as strings, field by field, then the metadata if something is kept.

        Raises the record's own Damage, and what `text_of`, `string_of` and `checked_path` do.
        """
        cells = record.cells
        if isinstance(cells, Damage):
            raise cells
        values = [(column.kind, column.value(cells)) for column in self._columns]
        if self._keep:
            values.append(("text", encoded(meta_json, {key: as_string(cells.get(key)) for key in self._keep})))
        return values

    def paths(self, record: Record) -> list[str]:
        """The paths of files in a record; none in a bad one."""
        try:
            return [value for _, value in self.values(record) if isinstance(value, str)]
        except Damage:
            return []


class _Column(NamedTuple):
    kind: FileKind
    name: str
    before: str
    after: str
    is_path: bool

    def value(self, cells: Mapping[str, Any]) -> bytes | str:
        if not self.is_path:
            return text_of(cells, self.name)
        return self.before + checked_path(string_of(cells, self.name).decode()) + self.after
