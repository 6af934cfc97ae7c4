"""Words for messages: near names, and values on one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sslpipe.core.words import did_you_mean, show


def test_no_control_character_reaches_the_terminal() -> None:
    assert "\x1b" not in show("a\x1b")
    assert "\u202e" not in show("a\u202e")


def test_the_nearest_name_is_suggested_where_one_is_near() -> None:
    assert did_you_mean("thresold", ["length", "threshold"]) == "did you mean `threshold`?"
    assert did_you_mean("NAME", ["name"]) == "did you mean `name`?"
    assert did_you_mean("zzz", ["name"]) == ""


def test_values_are_shown_short() -> None:
    assert [show(value) for value in (None, {}, {"a": 1}, [], [1], True, 1.5, "no")] == [
        "nothing", "an empty mapping", "a mapping", "an empty list", "[1]", "true", "1.5", '"no"',
    ]  # fmt: skip
    assert len(show("x" * 1000)) == 60
    assert show([0.5, "a", None]) == '[0.5, "a", nothing]'
    assert show([[1]]) == show([{}]) == show(list(range(100))) == "a list"


def test_values_that_no_recipe_can_hold() -> None:
    assert [show(value) for value in (Path("a"), np.int64(3), {1}, b"x", "it's")] == [
        repr(Path("a")), "np.int64(3)", "{1}", "b'x'", '"it\'s"',
    ]  # fmt: skip
    assert len(show(np.zeros(1000))) == 60
