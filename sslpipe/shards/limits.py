"""What the operating system allows this process."""

from __future__ import annotations

import resource


def allow_many_files() -> None:
    """Raise the number of files that may be open to the most that is allowed without asking anybody.

    A task merges one sorted run of every task before it, and a stream keeps a file open for each shard; the usual limit of 1024
    is meant for programs that wait with `select`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
