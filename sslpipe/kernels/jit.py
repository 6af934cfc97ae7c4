"""How a kernel is compiled: lazily, without the GIL, and cached under the hash of every kernel file.

Numba's own cache looks at one file only, so an edit to a helper in another file leaves callers with the old code, silently.
Here the cache folder is named after all kernel files, numba's version and the CPU, so any edit starts a fresh one.
Kernels never use `fastmath` or `parallel`: the bits they make decide what is kept, and must be equal on every machine.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

Function = TypeVar("Function", bound=Callable[..., Any])


@lru_cache(maxsize=1)
def _stamp() -> str:
    """The hash of all that compiled code depends on, except the CPU, which numba keys by itself."""
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=12)
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def kernel_stamp() -> str:
    """The version of all kernels together, for the fingerprint of a task that runs one."""
    return _stamp()


def cache_folder() -> Path:
    """Where compiled kernels lie: `$SSLPIPE_CACHE`, else the user's cache folder, else a folder of the user's in /tmp."""
    chosen = os.environ.get("SSLPIPE_CACHE")
    if chosen:
        return Path(chosen) / "kernels"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "sslpipe"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        home = Path(tempfile.gettempdir()) / f"sslpipe-{os.getuid()}"
    return home / "kernels"


class _Locator(_CacheLocator):  # type: ignore[misc]
    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def ensure_cache_path(self) -> None:
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return str(cache_folder() / _stamp())

    def get_source_stamp(self) -> str:
        return _stamp()

    def get_disambiguator(self) -> str:
        return self._function.__module__.replace(".", "_")

    @classmethod
    def from_function(cls, function: Callable[..., Any], _file: str) -> _Locator:
        return cls(function)


class _Implementation(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _Cache(FunctionCache):  # type: ignore[misc]
    _impl_class = _Implementation


def kernel(function: Function) -> Function:
    """Compile a pure function over arrays and scalars when it is first called."""
    compiled = numba.njit(nogil=True, error_model="numpy")(function)
    compiled._cache = _Cache(function)
    return compiled  # type: ignore[no-any-return]
