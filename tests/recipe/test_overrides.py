"""`--set`: a value replaced anywhere, or the place in the argument that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_support import refusal, written
from toy.filters.long import Long

from sslpipe.recipe.load import load_recipe
from sslpipe.recipe.overrides import override
from sslpipe.recipe.yaml import read_yaml

TEXT = "build: [toy.maps.same, toy.filters.long]\nstream: [toy.packs.rows: {length: 3}]\n"


def test_values_are_replaced_wherever_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changes = [
        "seed=3",
        "shards.max_bytes=1MB",
        "shards.splits.val=0.2",
        "toy.filters.long.min_words=30",
        "toy.filters.long.scores=[1, 2.5]",
        "toy.packs.rows.length=9",
        "sources.main.paths=here",
    ]
    found = load_recipe(written(tmp_path, TEXT), overrides=changes)
    assert (found.seed, found.shards.max_bytes, found.shards.splits.val) == (3, 10**6, 0.2)
    assert found.build[1] == Long(min_words=30, scores=(1.0, 2.5))
    assert found.stream[0].length == 9  # type: ignore[attr-defined]
    assert found.sources["main"].paths == (str(tmp_path / "here"),)


def test_the_last_one_counts(tmp_path: Path) -> None:
    assert load_recipe(written(tmp_path, TEXT), overrides=["seed=3", "seed=4"]).seed == 4


def test_an_alias_elsewhere_keeps_its_value(tmp_path: Path) -> None:
    text = "build:\n- toy.filters.long: &f {min_words: 1}\n- toy.maps.same\n- toy.filters.other: *f\n"
    root = override(read_yaml(written(tmp_path, text)), "toy.filters.long.min_words=2").plain()
    assert root["build"] == [
        {"toy.filters.long": {"min_words": 2}},
        "toy.maps.same",
        {"toy.filters.other": {"min_words": 1}},
    ]


@pytest.mark.parametrize(
    ("change", "column", "message", "hint"),
    [
        ("seed=-3", 6, "got -3 for `seed`, wanted a whole number of at least 0 and below 2^63", ""),
        ("seed", 1, "wanted PATH=VALUE, such as filters.gopher_quality.min_words=30", ""),
        ("seed=", 1, "wanted PATH=VALUE, such as filters.gopher_quality.min_words=30", ""),
        ("=3", 1, "wanted PATH=VALUE, such as filters.gopher_quality.min_words=30", ""),
        ("sed=3", 1, "the recipe has nothing named `sed`", "did you mean `seed`?"),
        ("seed=[1", 6, "this bracket is never closed", ""),
        ("seed=!!int 3", 6, 'got the tag "!!int", wanted plain data; recipes have no tags', ""),
        (
            "shards.max_byte=1MB",
            1,
            "got `max_byte`, wanted a field of `shards`: max_bytes, count, splits",
            "did you mean `max_bytes`?",
        ),
        ("seed.x=1", 1, "`x` can't be set here: there is a single value", ""),
        ("toy.packs.rows.length=x", 23, 'got "x" for `length`, wanted a whole number', ""),
        (
            "toy.filters.lonk.min_words=1",
            1,
            "the recipe has nothing named `toy.filters.lonk.min_words`",
            "did you mean `toy.filters.long.min_words`?",
        ),
        (
            "filters.long.min_words=1",
            1,
            "the recipe has no step for `filters.long.min_words`;"
            " its steps are toy.maps.same, toy.filters.long, toy.packs.rows",
            "did you mean `toy.filters.long.min_words`?",
        ),
    ],
)
def test_what_is_wrong_is_shown_in_the_argument(tmp_path: Path, change: str, column: int, message: str, hint: str) -> None:
    text = TEXT if not change.startswith("seed.") else f"seed: 1\n{TEXT}"
    caret = f"{' ' * (column + 3)}^" + (f" {hint}" if hint else "")
    assert refusal(tmp_path, text, overrides=[change]) == f"--set:1:{column}: {message}\n    {change}\n{caret}"


def test_sources_by_name(tmp_path: Path) -> None:
    head = "name: x\nsources: {docs: toy.readers.lines, more: toy.readers.lines}\n"
    found = load_recipe(written(tmp_path, "", head), overrides=["sources.docs.paths=[/a, /b]"])
    assert found.sources["docs"].paths == ("/a", "/b")
    assert found.sources["more"].paths == ()
    message = refusal(tmp_path, "", head, overrides=["sources.dcs.paths=/a"])
    assert message.startswith("--set:1:1: the recipe has no source `dcs`; it has docs, more\n")
    assert message.endswith("did you mean `docs`?")
    message = refusal(tmp_path, "", head, overrides=["sources.docs=/a"])
    assert message.startswith("--set:1:1: this sets a whole source; wanted a field of it, such as sources.docs.paths=FOLDER\n")


def test_a_whole_step_is_not_set(tmp_path: Path) -> None:
    message = refusal(tmp_path, "build: [toy.maps.same]\n", overrides=["toy.maps.same=1"])
    assert message.startswith("--set:1:1: this sets a whole step; wanted a field of it, such as toy.maps.same.FIELD=VALUE\n")


def test_a_step_that_stands_twice_is_not_guessed(tmp_path: Path) -> None:
    message = refusal(tmp_path, "build: [toy.maps.same, toy.maps.same]\n", overrides=["toy.maps.same.x=1"])
    assert message.startswith(
        "--set:1:1: the recipe has 2 steps `toy.maps.same`, and this doesn't say which; edit the recipe\n"
    )
