"""Steps of a finished dataset, with the files that they name taken from the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import Step

AnyStep = TypeVar("AnyStep", bound=Step)


def artefact_name(step: Step, file: str) -> str:
    """What the copy of a file that a recipe brought is called among the artefacts of its dataset."""
    return "tokenizer.json" if step.path() == "maps.tokenize" else Path(file).name


def with_own_files(step: AnyStep, artefacts: Mapping[str, Path]) -> AnyStep:
    """The step reading the dataset's copies of the files that it names; raises RecipeError where there is none.

    A recipe that came with somebody's dataset may name any file of this machine; and one's own may have moved since.
    """
    files = step.files()
    changed: dict[str, str] = {}
    for name in type(step).model_fields:
        value = getattr(step, name)
        if isinstance(value, str) and value in files:
            copy = artefacts.get(artefact_name(step, value))
            if copy is None:
                raise RecipeError(f"{step.path()}: {name}: the dataset has no copy of {value}, and files outside are not read")
            changed[name] = str(copy)
    return step.model_copy(update=changed) if changed else step
