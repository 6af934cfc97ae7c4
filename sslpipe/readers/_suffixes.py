"""Which field of a row a file is, by how its name ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sslpipe.codecs.compression import SUFFIXES as COMPRESSIONS


class Suffixes:
    """Splits file names into the stem that the files of a row share, and the field that the rest says.

    The longest suffix that fits counts: with `.ogg` and `_desc.ogg`, `cat_desc.ogg` is a description of `cat`. Capitals don't
    matter in suffixes. Files of the fields in `texts` may be compressed, which their names may say behind the suffix.
    """

    def __init__(self, fields: Mapping[str, Sequence[str]], texts: Collection[str]) -> None:
        pairs = [(suffix, field) for field, suffixes in fields.items() for suffix in suffixes]
        self._all = sorted(pairs, key=lambda pair: (-len(pair[0]), pair))
        self._texts = [pair for pair in self._all if pair[1] in texts]

    def claim(self, name: str) -> bool:
        """Whether a file of this name is of a field."""
        return self.split(name) is not None

    def split(self, name: str) -> tuple[str, str] | None:
        """The stem of a file's name or path, and its field; None for one that is of no field."""
        return _split(name, self._all) or _split(_decompressed(name), self._texts)


def _split(name: str, pairs: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    for suffix, field in pairs:
        stem, end = name[: -len(suffix)], name[-len(suffix) :]
        if end.lower() == suffix and stem and not stem.endswith("/"):
            return stem, field
    return None


def _decompressed(name: str) -> str:
    """The name that a compressed file had before; none for others."""
    stem, dot, last = name.rpartition(".")
    return stem if (dot + last).lower() in COMPRESSIONS else ""
