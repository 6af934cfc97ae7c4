"""Every error that a user can meet, and the exit code it ends in.

    SslpipeError                 exit 1: a bug of ours unless a subclass says otherwise
    ├── RecipeError              exit 2: the recipe or the command line is wrong; nothing was written
    │   └── FieldError           of a step that is made in Python; a ValueError too
    ├── TooMuchBadData           exit 3: finished, but more bad records than `limits.max_bad`
    ├── EnvironmentFault         exit 4: disk, permission, memory, a dead worker
    ├── OutputLocked             exit 5: another build works on the same output
    └── DataError                exit 2: a dataset or a record is not what its index or schema says

A message says where, what was found, what was wanted, and what to do, in the user's words.
"""

from __future__ import annotations

import errno
from typing import ClassVar, Final

_ADVICE: Final = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the quota is used up; free some space and run the same command again",
    errno.EACCES: "check who owns it",
    errno.EPERM: "check who owns it",
    errno.EROFS: "the file system is read-only; choose another output",
    errno.EEXIST: "a file stands where a folder should be; choose another output",
    errno.ENOTDIR: "a file stands where a folder should be; choose another output",
    errno.EMFILE: "too many open files; raise `ulimit -n`",
    errno.ENFILE: "the machine has too many open files; close something and run the same command again",
    errno.EIO: "the disk can't be read or written; look after it, then run the same command again",
}
"""What to do about errors of the operating system that no bug of ours brings about."""


class SslpipeError(Exception):
    """Base of all errors raised on purpose; what is raised otherwise is a bug."""

    exit_code: ClassVar[int] = 1


class RecipeError(SslpipeError):
    """The recipe, a field of a step, or the command line is wrong."""

    exit_code = 2


class FieldError(RecipeError, ValueError):
    """A step, or a part of a recipe, was made in Python with a field that it doesn't have, or a value that doesn't fit."""


class TooMuchBadData(SslpipeError):
    """The build finished, but quarantined a larger share of records than `limits.max_bad`."""

    exit_code = 3


class EnvironmentFault(SslpipeError):
    """The machine, not the recipe, stands in the way: disk, permission, memory, a dead worker."""

    exit_code = 4


class OutputLocked(SslpipeError):
    """Another build holds the output folder."""

    exit_code = 5


class DataError(SslpipeError):
    """A dataset, a shard or a record is not what its manifest, index or schema says."""

    exit_code = 2


def advice(error: OSError) -> str:
    """What a user can do about an error of the operating system; empty where it may well be a bug of ours."""
    return _ADVICE.get(error.errno or 0, "")
