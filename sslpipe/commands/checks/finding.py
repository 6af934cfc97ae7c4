"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of `sslpipe doctor`.

    `warn` is what slows work down, or stops large builds only; `fail` is what stops any. Both say what to do.
    """

    level: Literal["ok", "warn", "fail"]
    what: str
    """The thing looked at, in a word or two."""
    found: str
    advice: str = ""


def bounded(what: str, value: float, found: str, *, warn: float, fail: float, advice: str) -> Finding:
    """A finding about a number that should be large: warned of below one bound, failed below the other."""
    if value >= warn:
        return Finding("ok", what, found)
    return Finding("fail" if value < fail else "warn", what, found, advice)


def gigabytes(size: float) -> str:
    """`1.5 GB`, or `64 MB` below one."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
