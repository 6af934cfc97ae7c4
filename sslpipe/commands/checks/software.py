"""What is installed, and whether it runs."""

from __future__ import annotations

import importlib.metadata
import re
import tempfile
import time
from pathlib import Path
from typing import Final

from sslpipe.commands.checks.finding import Finding
from sslpipe.core.errors import EnvironmentFault

_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?")
_SLOW_S: Final = 20.0
"""Seconds for one kernel from which on something is wrong: usual is one or two."""


def software() -> list[Finding]:
    """All checks of what is installed, Ray aside."""
    return [*libraries(), *kernels(), torch()]


def libraries() -> list[Finding]:
    """Each library that the package requires, by version; one line where all fit."""
    try:
        wanted = importlib.metadata.requires("sslpipe") or []
    except importlib.metadata.PackageNotFoundError:
        return [Finding("warn", "libraries", "sslpipe itself isn't installed", "run `pip install -e .` in its folder")]
    fit, wrong = [], []
    for requirement in wanted:
        parsed = _REQUIREMENT.match(requirement)
        if parsed is None or "extra ==" in requirement:
            continue
        name, least = parsed[1], parsed[2] or "0"
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(Finding("fail", name, "is not installed", f"pip install '{name}>={least}'"))
            continue
        if _numbers(version) < _numbers(least):
            wrong.append(Finding("fail", name, f"{version}, wanted {least} at least", f"pip install '{name}>={least}'"))
        fit.append(f"{name} {version}")
    return wrong or [Finding("ok", "libraries", ", ".join(fit))]


def _numbers(version: str) -> tuple[int, ...]:
    """`2.13.0+cpu` as (2, 13, 0)."""
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def kernels() -> list[Finding]:
    """Whether kernels compile and compute, and whether they can be kept."""
    return [_compiled(), _cache()]


def _compiled() -> Finding:
    from sslpipe.kernels.probe import probe

    try:
        seconds = probe()
    except Exception as error:  # Whatever numba or LLVM raise on a machine that they don't fit.
        told = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return Finding("fail", "kernels", f"don't run: {told}", "pip install --force-reinstall numba llvmlite")
    if seconds > _SLOW_S:
        return Finding(
            "warn", "kernels", f"one took {seconds:.0f} s to compile", "the first batch of each process will be late"
        )
    return Finding("ok", "kernels", f"one compiled in {seconds:.1f} s, and computes what it should")


def _cache() -> Finding:
    from sslpipe.kernels.jit import cache_folder

    advice = "set SSLPIPE_CACHE to a folder of yours; else every process compiles all kernels anew"
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding("fail", "kernel cache", f"can't be written: {error}", advice)
    if folder.is_relative_to(tempfile.gettempdir()):
        return Finding("warn", "kernel cache", f"{folder}, which is emptied now and then", advice)
    return Finding("ok", "kernel cache", str(folder))


def torch() -> Finding:
    """Which torch, and whether it sees an accelerator; batches are made without one."""
    try:
        import torch as installed
    except (ImportError, OSError) as error:
        told = str(error).splitlines()[0]
        return Finding("fail", "torch", f"can't be imported: {told}", "see pytorch.org for the build that fits this machine")
    found = f"{installed.__version__}"
    if not installed.cuda.is_available():
        return Finding("ok", "torch", f"{found}, sees no accelerator: batches stay in ordinary memory")
    names = {installed.cuda.get_device_name(number) for number in range(installed.cuda.device_count())}
    return Finding("ok", "torch", f"{found}, sees {installed.cuda.device_count()} x {', '.join(sorted(names))}")


def ray(folder: Path, address: str | None) -> Finding:
    """Whether Ray starts, or the cluster can be joined, and each node sees a folder."""
    from sslpipe.engines.ray import Ray

    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix=".sslpipe-doctor-", dir=folder) as place:
            cores = Ray(address=address).check(place)
    except (EnvironmentFault, ImportError, OSError) as error:
        return Finding("fail", "Ray", str(error), "`--engine inline` builds without it, on one core")
    verb = "joined" if address else "started"
    return Finding("ok", "Ray", f"{verb} in {time.monotonic() - started:.1f} s, with {cores} cores")
