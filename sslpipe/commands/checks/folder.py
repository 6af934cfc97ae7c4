"""Whether a folder can be built into."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from sslpipe.building.lock import BuildLock, holder
from sslpipe.building.publish import refuse_strangers
from sslpipe.building.state import RECIPE
from sslpipe.commands.checks.finding import Finding, bounded, gigabytes
from sslpipe.core.errors import EnvironmentFault, RecipeError
from sslpipe.shards.manifest import NAME
from sslpipe.shards.storage import LocalStorage

OURS = (".sslpipe", "shards", RECIPE, NAME)


def folder(out: Path | None) -> list[Finding]:
    """All checks of an output; without one, those of the folder that one stands in."""
    place = nearest(out or Path())
    findings = [disk(place), file_system(place), umask()]
    return [*findings, *state(out)] if out is not None else findings


def nearest(out: Path) -> Path:
    """The folder itself, or the first one above it that is there."""
    whole = out.expanduser().absolute()
    return next(place for place in (whole, *whole.parents) if place.is_dir())


def disk(place: Path) -> Finding:
    """Space for shards, and for the temporary files of a build."""
    free = shutil.disk_usage(place).free
    advice = "a build needs about the decompressed input twice; `sslpipe plan` says how much the input is"
    return bounded("disk", free, f"{gigabytes(free)} free in {place}", warn=10e9, fail=0.1e9, advice=advice)


def file_system(place: Path) -> Finding:
    """Whether files can be written, synced, linked and locked here: all that a build asks of storage."""
    try:
        with tempfile.TemporaryDirectory(prefix=".sslpipe-doctor-", dir=place) as name:
            LocalStorage(name).put_new("probe", b"")
            with BuildLock(Path(name)):
                pass
    except (EnvironmentFault, OSError) as error:
        advice = "choose a folder that you may write to, on a file system that knows hard links and locks"
        return Finding("fail", "file system", str(error), advice)
    return Finding("ok", "file system", "files are written, synced, linked and locked")


def umask() -> Finding:
    """Who may read, and who may change, what is built."""
    told = re.search(r"^Umask:\s*([0-7]+)", _status(), re.M)
    if told is None:
        return Finding("ok", "umask", "unknown")
    mask = int(told[1], 8)
    if not mask & 0o002:
        return Finding("warn", "umask", f"{mask:04o}", "anybody on this machine can change what you build; `umask 022`")
    if mask & 0o044:
        advice = "workers of a cluster, or colleagues, that are another user can't read what you build; `umask 022`"
        return Finding("warn", "umask", f"{mask:04o}", advice)
    return Finding("ok", "umask", f"{mask:04o}")


def state(out: Path) -> list[Finding]:
    """What the output holds, and whether it may be changed."""
    if not out.exists():
        return [Finding("ok", "output", f"{out} isn't there yet; a build makes it")]
    if not out.is_dir():
        return [Finding("fail", "output", f"{out} is a file", "choose another -o")]
    closed = [path for path in (out, *(out / name for name in OURS)) if path.exists() and not os.access(path, os.W_OK)]
    if closed:
        return [Finding("fail", "output", f"{closed[0]} can't be changed by you", "ask its owner, or choose another -o")]
    storage = LocalStorage(out)
    try:
        refuse_strangers(storage)
    except RecipeError as error:
        return [Finding("fail", "output", str(error), "choose another -o")]
    if who := holder(out):
        return [Finding("warn", "output", f"{out} is being built into: {who}", "wait for it, or choose another -o")]
    found = "a finished dataset" if storage.size(NAME) is not None else "a build that isn't finished"
    return [Finding("ok", "output", f"{out} holds {found if storage.size(RECIPE) is not None else 'nothing of a build'}")]


def _status() -> str:
    """What Linux says of this process."""
    try:
        return Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return ""
