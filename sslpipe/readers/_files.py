"""Which files a reader reads, and in what parts."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from sslpipe.codecs.compression import SUFFIXES
from sslpipe.core.errors import EnvironmentFault, RecipeError
from sslpipe.core.steps import Part

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|pipe:")
_MAGIC: Final = re.compile(r"[*?\[]")
_NOWHERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_LEAST: Final = 1024
"""What a file counts at least in a part, so that a million empty ones make several."""

Claims = Callable[[str], bool]
"""Whether a reader reads files of this name."""

File = tuple[str, os.stat_result]
"""A file by its absolute path, and what was there when it was found."""


@dataclass(frozen=True)
class Found:
    """The files under some paths: those to read, by the bytes of their path, and how many are not read, by reason.

    A reason is a suffix that the reader doesn't claim (`.png`, `.svg.gz`, `no suffix`), `hidden` for names that begin with a
    dot, `same_file` for a second way to a file that is read already, and `not_regular_file` for sockets, devices, links that
    lead nowhere or to a folder, and folders named like a file.
    """

    files: tuple[File, ...]
    skipped: Mapping[str, int]


def split_suffix(name: str) -> tuple[str, str]:
    """The extension of a file name, and that of its compression, both lower-case: `a.b.TXT.gz` has `.txt` and `.gz`.

    An extension begins with a letter. `printf.3`, `open.3perl` and `release-2.0` have none.
    """
    stem, dot, last = name.rpartition(".")
    compression = "." + last.lower() if dot and stem and "." + last.lower() in SUFFIXES else ""
    stem, dot, last = (stem if compression else name).rpartition(".")
    return ("." + last.lower() if stem and last[:1].isalpha() else ""), compression


def discover(paths: tuple[str, ...], claims: Claims) -> Found:
    """Walk files, folders and globs.

    A file that is named itself is read whatever its suffix; in folders and globs `claims` decides. A folder that matches a glob
    stands for all files in it, `**` for any number of folders. Links to files are followed, links to folders aren't, except
    where a path itself is one. Raises RecipeError for a path that isn't there, a glob that nothing matches or a URL, and
    EnvironmentFault for a folder that can't be listed: to leave it out would lose data without a word.
    """
    skipped: Counter[str] = Counter()
    read: set[tuple[int, int]] = set()
    files = []
    for name, status in found_names(paths, claims, skipped):
        identity = (status.st_dev, status.st_ino)
        if identity in read:
            skipped["same_file"] += 1
        else:
            read.add(identity)
            files.append((name, status))
    return Found(tuple(files), dict(sorted(skipped.items())))


def found_names(paths: tuple[str, ...], claims: Claims, skipped: Counter[str]) -> list[File]:
    """What `discover` finds, by the bytes of its path, before two names of one file are told; counts what isn't read."""
    found: dict[str, os.stat_result] = {}
    for path in paths:
        found.update(_named(path, claims, skipped))
    return [(name, found[name]) for name in sorted(found, key=os.fsencode)]


def bundled(found: Found, part_bytes: int) -> list[Part]:
    """Consecutive files in parts of about `part_bytes`, each file whole; a larger one is a part of its own."""
    return bundled_groups(([file] for file in found.files), part_bytes)


def bundled_groups(groups: Iterable[Sequence[File]], part_bytes: int) -> list[Part]:
    """The same for groups of files that belong together: a group is never divided."""
    parts: list[list[File]] = []
    size = part_bytes
    for group in groups:
        cost = sum(cost_of(status) for _, status in group)
        if not parts or size + cost > part_bytes:
            parts.append([])
            size = 0
        parts[-1] += group
        size += cost
    return [part_of(part) for part in parts]


def cost_of(status: os.stat_result) -> int:
    """What a file counts in a part."""
    return max(status.st_size, _LEAST)


def part_of(files: Sequence[File], span: tuple[int, int | None] | None = None) -> Part:
    """The part that reads these files."""
    return Part(
        tuple(name for name, _ in files),
        tuple(status.st_size for _, status in files),
        tuple(status.st_mtime_ns for _, status in files),
        span,
    )


def _named(path: str, claims: Claims, skipped: Counter[str]) -> Iterator[File]:
    if scheme := _SCHEME.match(path):
        raise RecipeError(f"{path}: got the scheme `{scheme[0]}`, wanted a path on this machine; download it first")
    whole = Path(path).expanduser().absolute()
    status = _status(str(whole))
    if status is None and _MAGIC.search(path):
        yield from _globbed(whole, path, claims, skipped)
    elif status is None:
        raise RecipeError(f"{path}: there is no such file or folder (looked for {whole}); check the spelling")
    elif stat.S_ISDIR(status.st_mode):
        for name in _walked(str(whole), skipped):
            yield from _judged(name, claims, skipped)
    else:
        yield from _judged(str(whole), lambda _: True, skipped)


def _globbed(whole: Path, path: str, claims: Claims, skipped: Counter[str]) -> Iterator[File]:
    fixed = next(at for at, name in enumerate(whole.parts) if _MAGIC.search(name))
    base = str(Path(*whole.parts[:fixed]))
    pattern = whole.parts[fixed:]
    shown = any(map(_is_hidden, pattern))
    matched = False
    if _status(base) is not None:
        passed_over: Counter[str] = Counter()
        for name in _walked(base, passed_over, hidden=shown):
            if _matches(pattern, Path(name).parts[fixed:]):
                matched = True
                yield from _judged(name, claims, skipped)
    if not matched:
        raise RecipeError(f"{path}: no file matches it (looked in {base}); check the spelling")


def _matches(pattern: tuple[str, ...], names: tuple[str, ...]) -> bool:
    if not pattern:
        return not any(map(_is_hidden, names))
    if pattern[0] == "**":
        shown = next((at for at, name in enumerate(names) if _is_hidden(name)), len(names) - 1)
        return any(_matches(pattern[1:], names[at:]) for at in range(shown + 1))
    if not names or (_is_hidden(names[0]) and not _is_hidden(pattern[0])):
        return False
    return fnmatchcase(names[0], pattern[0]) and _matches(pattern[1:], names[1:])


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _walked(folder: str, skipped: Counter[str], hidden: bool = False) -> Iterator[str]:
    """Everything under a folder that isn't itself a folder, and what is named like a file but is one."""
    folders = [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as listing:
                entries = list(listing)
        except OSError as error:
            raise EnvironmentFault(
                f"{error.filename}: can't list this folder ({error.strerror}); fix it or leave it out"
            ) from error
        for entry in entries:
            if _is_hidden(entry.name) and not hidden:
                skipped["hidden"] += 1
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
                if split_suffix(entry.name)[0]:
                    yield entry.path
            else:
                yield entry.path


def _judged(name: str, claims: Claims, skipped: Counter[str]) -> Iterator[File]:
    base = os.path.basename(name)  # noqa: PTH119 (a Path for each of a million names is slow)
    status = _status(name)
    if status is None or not stat.S_ISREG(status.st_mode):
        if status is None or not stat.S_ISDIR(status.st_mode) or claims(base) or os.path.islink(name):  # noqa: PTH114
            skipped["not_regular_file"] += 1
    elif not claims(base):
        skipped["".join(split_suffix(base)) or "no suffix"] += 1
    else:
        yield name, status


def _status(name: str) -> os.stat_result | None:
    """What is at a path, links followed; nothing for one that leads nowhere."""
    try:
        return os.stat(name)  # noqa: PTH116 (as above)
    except ValueError:
        return None
    except OSError as error:
        if error.errno in _NOWHERE:
            return None
        raise EnvironmentFault(f"{name}: can't be looked at ({error.strerror}); fix it or leave it out") from error
