"""How a kernel is compiled: lazily, without the GIL, and cached under the hash of every kernel file.

Numba's own cache looks at one file only, so an edit to a helper in another file leaves callers with the old code, silently.
Here the cache folder is named after all kernel files, numba's version and the CPU, so any edit starts a fresh one.
Kernels never use `fastmath` or `parallel`: the bits they make decide what is kept, and must be equal on every machine.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import stat
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

Function = TypeVar("Function", bound=Callable[..., Any])


@lru_cache(maxsize=64)
def _stamp(folder: Path = Path(__file__).parent) -> str:
    """The hash of all that code in a folder depends on once compiled, except the CPU, which numba keys by itself.

    Kernels of ours lie in one folder. Somebody else's are stamped with the files beside them as well.
    """
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=12)
    for file in sorted({*Path(__file__).parent.glob("*.py"), *folder.glob("*.py")}):
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
        usable = os.access(home, os.W_OK)
    except OSError:
        usable = False
    return (home if usable else _temporary_folder()) / "kernels"


def _temporary_folder() -> Path:
    """A folder of the user's alone: cached kernels are code, so one that others can write to is refused."""
    folder = Path(tempfile.gettempdir()) / f"sslpipe-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(f"{folder} belongs to somebody else; set SSLPIPE_CACHE to a folder of yours")
    return folder


class _Locator(_CacheLocator):  # type: ignore[misc]
    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._function = function
        self._stamp = _stamp(Path(file).parent)

    def ensure_cache_path(self) -> None:
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return str(cache_folder() / self._stamp)

    def get_source_stamp(self) -> str:
        return self._stamp

    def get_disambiguator(self) -> str:
        return self._function.__module__.replace(".", "_")

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> _Locator:
        return cls(function, file)


class _Implementation(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _Cache(FunctionCache):  # type: ignore[misc]
    _impl_class = _Implementation


def kernel(function: Function) -> Function:
    """Compile a pure function over arrays and scalars when it is first called."""
    compiled = numba.njit(nogil=True, error_model="numpy")(function)
    if Path(inspect.getfile(function)).is_file():  # One from a notebook has no source to go by, and is compiled every time.
        compiled._cache = _Cache(function)
    return compiled  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """A small piece of other kernels, put into them before compilation.

    A call of one kernel by another reaches LLVM with checks of its outcome, which keep the loop around it from becoming SIMD
    code. For the few innermost functions that matter: Philox ran 2 to 5 times as fast.
    """
    return numba.njit(nogil=True, error_model="numpy", inline="always")(function)  # type: ignore[no-any-return]


def helper(function: Function) -> Function:
    """Compile a small function that kernels call per character or word, and that allocates nothing.

    It does not count references to the arrays it is given, which otherwise costs more than the work (measured: three times the
    time of a whole text pass), and it is not cached by itself, since the kernels that it is compiled into are.
    """
    return numba.njit(nogil=True, error_model="numpy", _nrt=False)(function)  # type: ignore[no-any-return]
