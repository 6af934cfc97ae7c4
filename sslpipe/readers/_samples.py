"""Members of an archive grouped into samples by their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sslpipe.core.damage import Damage
from sslpipe.core.steps import BadSink
from sslpipe.readers._open import OpenFile, bad_record
from sslpipe.readers._tar import Member, members


@dataclass
class Sample:
    """The members of one key that something asks for."""

    key: str
    number: int
    members: dict[str, Member] = field(default_factory=dict)
    damage: Damage | None = None
    """The first thing wrong with it."""
    is_last: bool = False
    """Whether the archive is damaged behind it, so that it may have had more members."""

    def take(self, member: Member, extension: str) -> None:
        """One more member."""
        if self.damage is None and member.refused:
            self.damage = Damage("tar.member_type", member.start, f"its `{extension}` is {member.refused}, no regular file")
        elif self.damage is None and extension in self.members:
            self.damage = Damage("tar.duplicate", member.start, f"there are two `{extension}`")
        self.members[extension] = member


def samples(file: OpenFile, size: int, wanted: set[str], name: str, bad: BadSink) -> Iterator[Sample]:
    """Neighbouring members of one key, with the wanted extensions; members with a name that is none go to `bad`.

    Raises the damage of `members`, after the last sample before it.
    """
    sample: Sample | None = None
    try:
        for member in members(file, size):
            try:
                parts = _split(member)
            except Damage as damage:
                bad(bad_record(name, damage, f"member {member.name.decode('utf-8', 'backslashreplace')}"))
                continue
            if parts is None:
                continue
            key, extension = parts
            if sample is None or key != sample.key:
                if sample is not None:
                    yield sample
                sample = Sample(key, 0 if sample is None else sample.number + 1)
            if extension in wanted:
                sample.take(member, extension)
    except Damage:
        if sample is not None:
            sample.is_last = True
            yield sample
        raise
    if sample is not None:
        yield sample


def _split(member: Member) -> tuple[str, str] | None:
    """Key and extension; None for what is passed over. Raises Damage `tar.name`."""
    if member.is_folder:
        return None
    try:
        name = member.name.decode("utf-8")
    except UnicodeDecodeError:
        raise Damage("tar.name", member.start, "its name is not UTF-8") from None
    folders = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in folders or "\0" in name or not folders:
        raise Damage("tar.name", member.start, "its name leads out of the archive, or nowhere")
    base = folders.pop()
    stem, _, extension = base.partition(".")
    if not (stem and extension):
        return None
    return "/".join([*folders, stem]), extension.lower()
