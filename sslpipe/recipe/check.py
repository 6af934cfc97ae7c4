"""What must be true of a recipe's inputs and output before anything is written."""

from __future__ import annotations

import fnmatch
import glob
import os
import stat
from itertools import chain
from pathlib import Path

from sslpipe.core.errors import EnvironmentFault, RecipeError
from sslpipe.core.words import did_you_mean
from sslpipe.recipe.load import shipped_folder
from sslpipe.recipe.located import Located, place
from sslpipe.recipe.paths import scheme_of
from sslpipe.recipe.recipe import Recipe

_FIX = "edit `paths`, or give it with -i"
_SHIPPED = "give yours with -i"


def check_inputs(recipe: Recipe, out: str | os.PathLike[str] | None, located: Located | None = None) -> None:
    """Raise RecipeError unless every source can be read and the output lies apart from it; reads and writes nothing.

    Symbolic links are followed before input and output are compared. What lies in a folder is the reader's business: it skips
    what is no regular file. A file that can't be read becomes an entry of the quarantine unless the recipe names it itself.
    Without an output, only the inputs are looked at.
    """
    located = located or Located.of(recipe)
    target = None if out is None else _output(os.fspath(out))
    for name, reader in recipe.sources.items():
        if not reader.paths:
            raise located.error(("sources", name), f"source `{name}` has no paths; {_FIX}")
        for position, path in enumerate(reader.paths):
            problem, hint = _problem(path, target, _fix(located, name, position))
            if problem:
                raise located.error(("sources", name, "paths", position), problem, hint)
    for half, steps in (("build", recipe.build), ("stream", recipe.stream)):
        for position, step in enumerate(steps):
            for file in step.files():
                if fault := _file_problem(file):
                    field = next((name for name, value in step if value in (file, Path(file))), "")
                    raise located.error((half, position, field) if field else (half, position), *fault)


def _output(target: str) -> Path:
    """Where the output lies, links followed; raises RecipeError where it can't lie there."""
    if scheme := scheme_of(target):
        raise RecipeError(
            f"output {target}: got the scheme `{scheme}`, wanted a path on this machine; others are not allowed yet"
        )
    if not target or "\0" in target:
        raise RecipeError(f"output {target!r}: wanted the path of a folder")
    try:
        mode = Path(target).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        pass  # A build makes it, or says at which file it stopped.
    except OSError as error:
        raise EnvironmentFault(f"output {target}: can't be looked at ({error.strerror}); choose another -o") from error
    else:
        if not stat.S_ISDIR(mode):
            raise RecipeError(f"output {target}: got a file, wanted a folder or nothing there")
    return Path(os.path.realpath(target))


def _file_problem(path: str) -> tuple[str, str] | None:
    """What is wrong with a file that a step names, with a hint."""
    if scheme := scheme_of(path):
        return f"got the scheme `{scheme}`, wanted a path on this machine: other schemes are not allowed", ""
    if Path(path).is_dir():
        return f"`{path}` is a folder, wanted a file", ""
    return _path_problem(Path(path), "give the path of a file that is there")


def _fix(located: Located, source: str, position: int) -> str:
    """What to do about a path of a source, by where it was given; nothing where that is plain."""
    given = place(located.root, ("sources", source, "paths", position)).source.file
    if given == "-i":
        return ""
    return _SHIPPED if given and Path(given).parent == shipped_folder() else _FIX


def _problem(path: str, out: Path | None, fix: str) -> tuple[str, str]:
    if scheme := scheme_of(path):
        message = f"got the scheme `{scheme}`, wanted a path on this machine: other schemes are not allowed"
        return message, "download it first, and give the folder" if scheme.startswith(("http", "s3", "gs", "hf")) else ""
    if not path or "\0" in path:
        return f"got {path!r}, wanted a path", ""
    if glob.has_magic(path) and not os.path.lexists(path):
        return _glob_problem(path, out, fix)
    return _path_problem(Path(path), fix) or (out and overlap(Path(path), out)) or ("", "")


def _path_problem(path: Path, fix: str) -> tuple[str, str] | None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        link = " (a link that leads nowhere)" if path.is_symlink() else ""
        return f"`{path}` doesn't exist{link}{_then(fix)}", did_you_mean(path.name, _siblings(path))
    except OSError as error:
        return f"`{path}` can't be read: {error.strerror}", ""
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        return f"`{path}` is neither a file nor a folder{_then(fix)}", ""
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        return f"`{path}` can't be read: you have no permission for it", ""
    return None


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir() if entry != path]
    except OSError:
        return []  # The hint is left out; the error stands without it.


def _then(fix: str) -> str:
    return f"; {fix}" if fix else ""


def _glob_problem(pattern: str, out: Path | None, fix: str) -> tuple[str, str]:
    matches = glob.iglob(pattern, recursive=True)  # noqa: PTH207 (patterns are absolute)
    first = next(matches, None)
    if first is None:
        return f"`{pattern}` matches no file{_then(fix)}", _glob_hint(pattern)
    if out is None:
        return "", ""
    if _would_match(pattern, out):
        return f"the output {out} lies where `{pattern}` looks for input, so a second build would read it", "choose another -o"
    for match in chain([first], matches):
        if found := overlap(Path(match), out):
            return found
    return "", ""


def _glob_hint(pattern: str) -> str:
    folder = Path(pattern)
    while glob.has_magic(str(folder)):
        folder = folder.parent
    return "" if folder.is_dir() else f"there is no folder {folder}"


def _would_match(pattern: str, out: Path) -> bool:
    """Whether the output, or a folder that it lies in, is among what a pattern can match."""
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    wanted = (*Path(os.path.realpath(Path(*parts[:fixed]))).parts, *parts[fixed:])
    return _matches(wanted, out.parts)


def _matches(wanted: tuple[str, ...], have: tuple[str, ...]) -> bool:
    if not wanted or wanted[0] == "**":
        return True
    return bool(have) and fnmatch.fnmatchcase(have[0], wanted[0]) and _matches(wanted[1:], have[1:])


def overlap(path: Path, out: Path) -> tuple[str, str] | None:
    """What is wrong between an input and the output (links followed), with a hint; None where they lie apart."""
    source = Path(os.path.realpath(path))
    if source == out:
        return f"the output {out} is the input itself", "choose another -o"
    if source in out.parents:
        return f"the output {out} lies inside the input {source}, so a second build would read it", "choose another -o"
    if out in source.parents:
        return f"the input {source} lies inside the output {out}", "choose another -o"
    return None
