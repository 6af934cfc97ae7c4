"""Recipes that break, and how to see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslpipe.core.errors import RecipeError
from sslpipe.recipe.load import load_recipe

HEAD = "name: x\nsource: {toy.readers.lines: {paths: data}}\n"
"""Two lines that every recipe here begins with, so that what follows begins in line 3."""


def written(folder: Path, text: str | bytes, head: str = HEAD) -> Path:
    """A recipe file `r.yaml` with this text behind the head; bytes stand alone."""
    file = folder / "r.yaml"
    file.write_bytes(text if isinstance(text, bytes) else (head + text).encode())
    return file


def refusal(folder: Path, text: str | bytes, head: str = HEAD, **arguments: object) -> str:
    """The message that a recipe is refused with, the folder cut off; and nothing but the recipe is there afterwards."""
    file = written(folder, text, head)
    with pytest.raises(RecipeError) as caught:
        load_recipe(file, **arguments)  # type: ignore[arg-type]
    assert caught.value.exit_code == 2
    assert [entry.name for entry in folder.iterdir()] == ["r.yaml"]
    return str(caught.value).replace(f"{folder}/", "")
