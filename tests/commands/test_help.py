"""The help of every command is worth reading, and its examples work."""

from __future__ import annotations

import ast
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from sslpipe.cli import app
from sslpipe.recipe.load import load_recipe, shipped_names

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
(REFUSED,) = (base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
"""What parsing raises; of click, or of the copy that newer typers bring."""
LONGEST = 45
"""What stands beside a command in the list of all, before it is cut."""


def _help(name: str) -> str:
    command = COMMANDS[name]
    text: str = command.get_help(command.make_context(f"sslpipe {name}", [], resilient_parsing=True))
    return text


def _examples(name: str) -> list[str]:
    lines = [line.strip() for line in _help(name).splitlines()]
    return lines[lines.index("For example:") + 1 :] if "For example:" in lines else []


def _wrong(name: str, example: str) -> str:
    """Why an example can't be run as it stands; empty where it can be."""
    first, second, *arguments = shlex.split(example)
    if (first, second) != ("sslpipe", name):
        return f"{example} is not for {name}"
    try:
        context = COMMANDS[name].make_context(name, arguments)
    except REFUSED as error:
        return str(error)
    recipe = context.params.get("recipe", "text")
    if recipe not in shipped_names() and not recipe.endswith(".yaml"):
        return f"no recipe is called {recipe}"
    load_recipe("text", overrides=context.params.get("sets") or [])
    return ""


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_examples_that_it_takes(name: str) -> None:
    assert _examples(name)
    assert [_wrong(name, example) for example in _examples(name)] == [""] * len(_examples(name))


@pytest.mark.parametrize(
    "example", ["sslpipe plan out", "sslpipe build text", "sslpipe build text -o out --lmit 3", "sslpipe build texts -o out",
                "sslpipe build text -o out --limit many"]
)  # fmt: skip
def test_examples_that_do_not_work_are_caught(example: str) -> None:
    assert _wrong("build", example)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_shows_whole_sentences(name: str) -> None:
    short = COMMANDS[name].get_short_help_str(LONGEST)
    assert not short.endswith("...") and short.endswith("."), short
    assert (COMMANDS[name].help or "").count(".") > 1, "more than the one sentence"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    assert [parameter.name for parameter in COMMANDS[name].params if not getattr(parameter, "help", "")] == []


def test_every_file_of_a_command_is_a_command() -> None:
    folder = Path(__file__).parents[2] / "sslpipe" / "commands"
    helpers = {"options", "progress", "table", "__init__"}
    files = {path.stem for path in folder.glob("*.py")} - helpers
    assert files == {name if name != "list" else "list_steps" for name in COMMANDS}
    assert all(ast.get_docstring(ast.parse((folder / f"{stem}.py").read_text())) for stem in files)
