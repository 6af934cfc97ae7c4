"""Tar archives of WebDataset, a sample each a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator

from sslpipe.core.damage import Damage
from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import BadSink, Part
from sslpipe.readers._batch import Record, meta_json
from sslpipe.readers._fields import FileKind, checked_names, kind_of_suffix
from sslpipe.readers._fields_reader import FieldsReader
from sslpipe.readers._files import bundled, discover, split_suffix
from sslpipe.readers._json import as_string, json_object
from sslpipe.readers._open import OpenFile, bad_record, opened
from sslpipe.readers._samples import Sample, samples
from sslpipe.readers._tar import Member, read_member

_SUFFIXES: Final = (".tar", ".tgz")
_JSON: Final = "json"
_KEY: Final = "__key__"


def _several(value: Any) -> Any:
    """One extension as a tuple of one; a list, which a recipe has, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _lower(extensions: tuple[str, ...]) -> tuple[str, ...]:
    if not extensions or any(not extension or extension.startswith(".") for extension in extensions):
        raise ValueError("wanted extensions without the dot before them, such as jpg or seg.png")
    return tuple(map(str.lower, extensions))


Extensions = Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(_lower)]


class WebDataset(FieldsReader):
    """Reads WebDataset archives: neighbouring members whose names are the same up to the first dot are one sample, and a row.

    `a/0001.jpg` and `a/0001.seg.png` belong to the sample `a/0001`, as its `jpg` and its `seg.png`; extensions are compared in
    lower case. Members that no field asks for are passed over, as are folders, and files whose name begins with a dot. Only
    regular files are read, and names are only keys, so that nothing can point outside.

    Files in folders and globs are claimed by suffix: `.tar`. A compressed one can't be read from the middle, and the recipe is
    refused; decompress it first. Archives are scanned strictly: where a header is damaged or the file is cut off, the samples
    before it are kept, and one entry of the quarantine stands for the rest (`tar.header`, `tar.truncated`, `tar.no_end`,
    `tar.zeros`, `tar.empty`, `tar.compressed`, `io.*`). One sample is an entry of its own when a field is missing
    (`tar.missing_field`) or there twice (`tar.duplicate`), when a member is a link, a device or sparse (`tar.member_type`) or
    its name no name (`tar.name`), and for what its fields hold (`text.*`, `image.*`, `json.*`, `record_too_large`).
    """

    fields: Annotated[dict[str, Extensions], AfterValidator(checked_names)] = {  # noqa: RUF012 (pydantic copies it)
        "image": ("jpg", "jpeg", "png", "webp", "gif")
    }
    """Our field name to the extensions that may hold it, of which the first that a sample has is taken."""
    kinds: dict[str, FileKind] = {}  # noqa: RUF012 (as above)
    """What fields are: `image`, `audio` or `text`. Those not named here are what they are called, or what the first of their
    extensions says, text unless it is known for pictures or sound."""
    keep: tuple[str, ...] = ()
    """Keys of the member `.json` that go into `meta`, as strings, what is missing as "". `__key__` is the sample's own key."""

    def parts(self, part_bytes: int) -> list[Part]:
        """See `Reader.parts`; raises RecipeError for a path that leads to nothing, or to a compressed archive."""
        found = discover(self.paths, _claims)
        for name, _ in found.files:
            if split_suffix(name.rpartition("/")[2])[1] or name.lower().endswith(".tgz"):
                raise RecipeError(f"{self.path()}: {name} is a compressed archive; decompress it first, or leave it out")
        return bundled(found, part_bytes)

    def claimed(self) -> tuple[str, ...]:
        """See `Reader.claimed`."""
        return _SUFFIXES

    def unclaimed(self) -> Mapping[str, int]:
        """How many files are not read, by suffix or by another reason: `hidden`, `same_file`, `not_regular_file`."""
        return discover(self.paths, _claims).skipped

    def _records(self, part: Part, number: int, name: str, bad: BadSink) -> Iterator[Record]:
        wanted = {extension for extensions in self.fields.values() for extension in extensions}
        wanted |= {_JSON} if self._reads_json() else set()
        try:
            with opened(part, number) as file:
                for sample in samples(file, part.sizes[number], wanted, name, bad):
                    try:
                        payloads = self._payloads(file, sample)
                    except Damage as damage:
                        if damage.reason.startswith("io."):
                            raise
                        # What the last sample lacks may have stood behind the damage, whose entry covers it.
                        if not (sample.is_last and damage.reason == "tar.missing_field"):
                            bad(bad_record(name, damage, f"sample {sample.key}"))
                    else:
                        yield number, sample.number, payloads
        except Damage as damage:
            bad(bad_record(name, damage))

    def _payloads(self, file: OpenFile, sample: Sample) -> list[bytes]:
        """Field by field, then the metadata."""
        if sample.damage is not None:
            raise sample.damage
        chosen = [_first(sample, name, extensions) for name, extensions in self.fields.items()]
        about = sample.members.get(_JSON) if self._reads_json() else None
        if about is None and sample.is_last and self._reads_json():
            raise Damage("tar.missing_field", 0, "there is no `json`")
        self._check_size(sum(member.size for member in chosen) + (about.size if about is not None else 0))
        payloads = [read_member(file, member) for member in chosen]
        for name, data in zip(self.fields, payloads, strict=True):
            self._check(name, data)
        if self.keep:
            record: dict[str, Any] = json_object(read_member(file, about), ended=True) if about is not None else {}
            payloads.append(meta_json({key: as_string(record.get(key)) for key in self.keep} | self._key(sample)))
        return payloads

    def _kind(self, name: str) -> FileKind:
        kind = super()._kind(name)
        return kind_of_suffix("." + self.fields[name][0]) if kind == "text" and name not in self.kinds else kind

    def _reads_json(self) -> bool:
        return bool(set(self.keep) - {_KEY})

    def _key(self, sample: Sample) -> dict[str, str]:
        return {_KEY: sample.key} if _KEY in self.keep else {}


def _first(sample: Sample, name: str, extensions: tuple[str, ...]) -> Member:
    """The member that fills a field."""
    for extension in extensions:
        if extension in sample.members:
            return sample.members[extension]
    raise Damage("tar.missing_field", 0, f"nothing fills `{name}`: there is no {' or '.join(extensions)}")


def _claims(name: str) -> bool:
    return split_suffix(name)[0] in _SUFFIXES
