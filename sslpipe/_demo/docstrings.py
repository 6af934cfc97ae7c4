"""Docstrings of installed Python files: real prose, full of natural duplicates."""

from __future__ import annotations

import ast
import itertools
import json
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MAX_FILES: Final = 1000
MAX_FILE_BYTES: Final = 1 << 20


def write_docstrings(target: Path) -> int:
    """Write the docstrings of at most `MAX_FILES` files as JSON lines, and count them; files are parsed, never imported."""
    target.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with target.open("w", encoding="utf-8") as file:
        for path in itertools.islice(_python_files(), MAX_FILES):
            for text in docstrings(path):
                file.write(json.dumps({"text": text, "path": path.name}, ensure_ascii=True) + "\n")
                count += 1
    return count


def _python_files() -> Iterator[Path]:
    """The standard library first: it is everywhere, and its prose is the best."""
    for name in ("stdlib", "purelib"):
        root = Path(sysconfig.get_path(name))
        skipped = {"site-packages", "test", "tests", "idlelib", "__pycache__"} if name == "stdlib" else {"__pycache__"}
        for path in sorted(root.rglob("*.py")):
            inside = path.relative_to(root).parts
            if not skipped.intersection(inside) and path.stat().st_size <= MAX_FILE_BYTES:
                yield path


def docstrings(path: Path) -> Iterator[str]:
    """The docstrings of one file, in order; none where it can't be parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # What the files of others make the parser say.
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text.encode("utf-8", "replace").decode()
