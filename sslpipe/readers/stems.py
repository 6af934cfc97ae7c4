"""Files with one stem in one folder, a row each: a picture and its caption, sound and what is said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Annotated, ClassVar, Final, Literal, Self, get_args

from pydantic import AfterValidator, PositiveInt, model_validator

from sslpipe.core.damage import Damage
from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import BadSink, Part
from sslpipe.readers._batch import Record, batched
from sslpipe.readers._fields import FileKind, checked_kinds, checked_names, kind_of_suffix
from sslpipe.readers._file_meta import file_meta, shown
from sslpipe.readers._files import File, bundled_groups, found_names
from sslpipe.readers._open import bad_record, opened
from sslpipe.readers._payload import loaded
from sslpipe.readers._picture_reader import PictureReader
from sslpipe.readers._suffixes import Suffixes

_ORDER: Final = get_args(FileKind)


def _checked_suffixes(fields: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    named = [(suffix.lower(), name) for name, suffixes in checked_names(fields).items() for suffix in suffixes]
    for suffix, name in named:
        if "." not in suffix or "/" in suffix:
            raise ValueError(
                f"got the suffix {suffix!r} of `{name}`, wanted the end of a file name with its dot, such as `.txt`"
            )
    empty = [name for name, suffixes in fields.items() if not suffixes]
    if empty:
        raise ValueError(f"got no suffix of `{empty[0]}`, wanted one at least")
    twice = [suffix for suffix, count in Counter(suffix for suffix, _ in named).items() if count > 1]
    if twice:
        raise ValueError(f"got the suffix {twice[0]!r} more than once, wanted each in one field")
    return {name: tuple(suffix.lower() for suffix in fields[name]) for name in sorted(fields)}


class Stems(PictureReader):
    """Reads rows whose fields are files side by side: the same folder, the same stem, a suffix that says which field each is.

    A suffix is any end of a name with a dot in it, so that `_desc.ogg` takes `cat_desc.ogg` for the stem `cat`; the longest
    that fits counts, and capitals don't matter. Files of text may be compressed (`.txt.gz` is claimed with `.txt`). What a
    picture or a sound is, content decides, not its suffix.

    A row has every field. A stem that lacks one is an entry of the quarantine (`pair.missing_text`, by the field's name), and
    so is one with two files of one field (`pair.ambiguous`); files of no field are counted, not read. Where a file can't be
    read, its whole row is one entry, with the reason that this file has (`io.*`, `text.*`, `image.*`, `audio.*`).
    """

    version: ClassVar[int] = 2

    fields: Annotated[dict[str, tuple[str, ...]], AfterValidator(_checked_suffixes)] = {  # noqa: RUF012 (pydantic copies it)
        "image": (".jpg", ".jpeg", ".png", ".webp", ".gif"),
        "text": (".txt",),
    }
    """Our field name to the suffixes of its files."""
    kinds: dict[str, FileKind] = {}  # noqa: RUF012 (as above)
    """What fields are: `image`, `audio` or `text`. Those not named here are what their suffixes say, text unless they are known
    for pictures or sound."""
    lines: Literal["all", "first"] = "all"
    """Which lines of text files count; `first` is for captions with translations or notes below them."""
    keep: tuple[Literal["stem", "folder"], ...] = ()
    """What goes into `meta`, as strings, bytes that aren't UTF-8 as `\\xNN`: `stem`, the absolute path that the files share;
    `folder`, the name of the folder that they lie in, for `splits: {by: folder}`. Folders of one name are one group."""
    max_record_bytes: PositiveInt = 64 << 20
    """Largest file, decompressed."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        checked_kinds(self.fields, self.kinds)
        for name, suffixes in self.fields.items():
            found = sorted({kind_of_suffix(suffix) for suffix in suffixes})
            if len(found) > 1 and name not in self.kinds:
                raise ValueError(f"`{name}` has suffixes of {' and '.join(found)}; wanted one kind, or say it with `kinds`")
        return self

    def parts(self, part_bytes: int) -> list[Part]:
        """See `Reader.parts`, files of a stem together; raises RecipeError for a path to nothing, or to a file of no field."""
        return bundled_groups(self._found()[0], part_bytes)

    def claimed(self) -> tuple[str, ...]:
        """See `Reader.claimed`."""
        return tuple(suffix for suffixes in self.fields.values() for suffix in suffixes)

    def unclaimed(self) -> Mapping[str, int]:
        """How many files are not read, by suffix or by another reason: `hidden`, `same_file`, `not_regular_file`."""
        return self._found()[1]

    def outputs(self, fields: Fields) -> Fields:
        """The fields named in `fields`, and `meta` if something is kept."""
        named = {name: Field(kind=kind) for name, kind in self._kinds().items()}
        return named | ({"meta": Field(kind="meta")} if self.keep else {})

    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """See `Reader.read`; batches of at most 8 MiB or 4096 rows, a larger row alone.

        `_file` is that of a row's first field, pictures before sound before text.
        """
        return batched(tuple(self._kinds()), bool(self.keep), self._records(part, bad))

    def _records(self, part: Part, bad: BadSink) -> Iterator[Record]:
        for stem, group in groupby(self._named(part), lambda named: named[0]):
            files = [(field, number) for _, field, number in group]
            payloads = self._payloads(part, stem, files, bad)
            if payloads is None:
                continue
            if self.keep:
                payloads.append(file_meta(stem, self.keep))
            yield files[0][1], 0, payloads

    def _named(self, part: Part) -> Iterator[tuple[str, str, int]]:
        """The stem and the field of each file of a part, with its position."""
        suffixes = self._suffixes()
        for number, name in enumerate(part.files):
            split = suffixes.split(name)
            if split is not None:
                yield (*split, number)

    def _payloads(self, part: Part, stem: str, files: Sequence[tuple[str, int]], bad: BadSink) -> list[bytes] | None:
        """Field by field; none where the files are no row, which `bad` is told."""
        unpaired = self._unpaired([field for field, _ in files], [part.files[number] for _, number in files])
        if unpaired is not None:
            bad(bad_record(part.files[files[0][1]], unpaired, f"stem {shown(_base(stem))}"))
            return None
        kinds = self._kinds()
        payloads = []
        for field, number in files:
            name = part.files[number]
            data, damage = loaded(opened(part, number), kinds[field], name, self.max_record_bytes, self._check_picture)
            if damage is not None:
                bad(bad_record(name, damage, raw=data))
                return None
            first_only = self.lines == "first" and kinds[field] == "text"
            payloads.append(data.partition(b"\n")[0].removesuffix(b"\r") if first_only else data)
        return payloads

    def _unpaired(self, found: Sequence[str], names: Sequence[str]) -> Damage | None:
        """Why the files of a stem are no row."""
        listed = ", ".join(shown(_base(name)) for name in names)
        missing = [field for field in self._kinds() if field not in found]
        if len(set(found)) < len(found):
            twice = next(field for field in found if found.count(field) > 1)
            return Damage("pair.ambiguous", 0, f"more than one file of `{twice}`: {listed}")
        if missing:
            wanted = " and ".join(f"`{field}` ({', '.join(self.fields[field])})" for field in missing)
            return Damage(f"pair.missing_{missing[0]}", 0, f"no file of {wanted} beside {listed}")
        return None

    def _found(self) -> tuple[list[list[File]], Mapping[str, int]]:
        """The files of each stem, in the order of fields, stems by the bytes of their paths; and what isn't read."""
        suffixes, ranks = self._suffixes(), list(self._kinds())
        skipped: Counter[str] = Counter()
        groups: dict[str, list[tuple[int, File]]] = {}
        for name, status in found_names(self.paths, suffixes.claim, skipped):
            found = suffixes.split(name)
            if found is None:
                wanted = ", ".join(self.claimed())
                raise RecipeError(f"{name}: got a file of no field, wanted a folder, or a name that ends with one of {wanted}")
            groups.setdefault(found[0], []).append((ranks.index(found[1]), (name, status)))
        read: set[tuple[tuple[int, int, int], ...]] = set()
        whole = []
        for stem in sorted(groups, key=os.fsencode):
            files = sorted(groups[stem], key=lambda file: (file[0], os.fsencode(file[1][0])))
            # One file may be in many rows, such as a caption that several names lead to; one row is read once.
            identity = tuple((rank, status.st_dev, status.st_ino) for rank, (_, status) in files)
            if identity in read:
                skipped["same_file"] += len(files)
            else:
                read.add(identity)
                whole.append([file for _, file in files])
        return whole, dict(sorted(skipped.items()))

    def _kinds(self) -> dict[str, FileKind]:
        """The kind of each field: pictures first, then sound, then text, by name."""
        kinds = {name: self.kinds.get(name) or kind_of_suffix(suffixes[0]) for name, suffixes in self.fields.items()}
        return dict(sorted(kinds.items(), key=lambda item: (_ORDER.index(item[1]), item[0])))

    def _suffixes(self) -> Suffixes:
        return Suffixes(self.fields, [name for name, kind in self._kinds().items() if kind == "text"])


def _base(name: str) -> str:
    return name.rpartition("/")[2]
