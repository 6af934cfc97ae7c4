"""A recipe is a value: it survives JSON, and its fingerprints cover what they say and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from toy.filters.long import Long
from toy.fits.counts import Counts
from toy.maps.same import Same
from toy.packs.rows import Rows
from toy.readers.lines import Lines
from toy.tasks.guess import Guess

from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.measures.text_statistics import TextStatistics
from sslpipe.recipe.recipe import Limits, Recipe, Shards
from sslpipe.recipe.splits import Splits

NAMES = st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=10)
READERS = st.builds(Lines, paths=st.lists(TEXT, max_size=3).map(tuple), keep=st.lists(TEXT, max_size=2).map(tuple))
LONG = st.builds(
    Long,
    min_words=st.integers(0, 50),
    threshold=st.floats(0, 1),
    lang=TEXT,
    strict=st.booleans(),
    mode=st.sampled_from(["words", "bytes"]),
    size=st.integers(0, 2**63 - 1),
    scores=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3).map(tuple),
    limit=st.none() | st.integers(-(2**70), 2**70),
    table=st.none() | TEXT,
    either=st.integers() | st.lists(st.integers(), max_size=3).map(tuple),
)
BUILD = st.lists(st.one_of(LONG, st.just(Same()), st.just(Counts())), max_size=4)
TAIL = st.sampled_from([(), (Rows(length=3),), (Guess(salt="a"),), (Rows(), Guess())])
SHARDS = st.builds(
    Shards,
    max_bytes=st.integers(1000, 2**62),
    count=st.none() | st.integers(1, 10**6),
    splits=st.builds(Splits, val=st.none() | st.floats(0.001, 0.49), test=st.floats(0.001, 0.49), by=st.none() | st.text()),
)
LIMITS = st.builds(Limits, max_bad=st.floats(0, 1), part_bytes=st.integers(1000, 2**40), memory_bytes=st.integers(10**6, 2**40))
RECIPES = st.builds(
    Recipe,
    name=NAMES,
    seed=st.integers(0, 2**63 - 1),
    sources=st.dictionaries(NAMES, READERS, min_size=1, max_size=4),
    build=BUILD.map(tuple),
    stream=TAIL,
    shards=SHARDS,
    limits=LIMITS,
)


def made(**changes: Any) -> Recipe:
    fields: dict[str, Any] = {"name": "x", "sources": {"main": Lines(paths=("a",))}, "build": (Long(),), "stream": (Guess(),)}
    return Recipe(**{**fields, **changes})


@given(RECIPES)
def test_json_and_back_is_the_same_recipe(recipe: Recipe) -> None:
    data = json.loads(json.dumps(recipe.to_json()))
    again = Recipe.from_json(data, trust=True)
    assert again == recipe
    assert again.to_json() == data
    assert again.fingerprint() == recipe.fingerprint()
    assert again.build_fingerprint() == recipe.build_fingerprint()


def test_json_writes_every_field_out() -> None:
    step = made().to_json()["build"][0]
    assert set(step) == {"toy.filters.long"}
    assert set(step["toy.filters.long"]) == set(Long.model_fields)


CHANGES = [
    ("paths", {"sources": {"main": Lines(paths=("b", "c"))}}, False),
    ("stream", {"stream": (Rows(), Guess())}, False),
    ("limits", {"limits": Limits(max_bad=0.5, memory_bytes=10**9)}, False),
    ("name", {"name": "y"}, False),
    ("seed", {"seed": 1}, True),
    ("reader's field", {"sources": {"main": Lines(paths=("a",), keep=("url",))}}, True),
    ("source's name", {"sources": {"other": Lines(paths=("a",))}}, True),
    ("step's field", {"build": (Long(min_words=1),)}, True),
    ("another step", {"build": (Long(), Same())}, True),
    ("order", {"build": (Same(), Long())}, True),
    ("shards", {"shards": Shards(count=7)}, True),
    ("splits", {"shards": Shards(splits=Splits(val=0.1))}, True),
]


def wrongly_covered(name: Callable[[Recipe], str]) -> list[str]:
    """The changes that a build fingerprint notices and should not, or should and does not."""
    return [what for what, change, moves in CHANGES if (name(made(**change)) != name(made())) is not moves]


def test_the_build_fingerprint_covers_what_decides_the_bytes() -> None:
    assert wrongly_covered(Recipe.build_fingerprint) == []
    assert all(made(**change).fingerprint() != made().fingerprint() for _, change, _ in CHANGES)


def test_mutants_of_the_build_fingerprint_are_caught() -> None:
    assert wrongly_covered(Recipe.fingerprint) == ["paths", "stream", "limits", "name"]
    assert "step's field" in wrongly_covered(lambda recipe: str([step.path() for step in recipe.build]))


def test_versions_of_steps_enter_fingerprints(monkeypatch: pytest.MonkeyPatch) -> None:
    before = made()
    prints = before.build_fingerprint(), before.fingerprint()
    monkeypatch.setattr(Long, "version", 99)
    assert before.build_fingerprint() != prints[0]
    assert before.fingerprint() != prints[1]
    monkeypatch.undo()
    monkeypatch.setattr(Guess, "version", 99)
    assert before.build_fingerprint() == prints[0]
    assert before.fingerprint() != prints[1]


def test_versions_of_measures_enter_with_the_filters_that_need_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with_filter, without = made(build=(GopherQuality(),)), made()
    prints = with_filter.build_fingerprint(), without.build_fingerprint()
    monkeypatch.setattr(TextStatistics, "version", 99)
    assert with_filter.build_fingerprint() != prints[0]
    assert without.build_fingerprint() == prints[1]


def test_a_recipe_is_frozen_and_knows_its_fields() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        made().seed = 3  # type: ignore[misc]
    with pytest.raises(FieldError, match=r"^got `other`, wanted a field of `Recipe`: name, seed, sources, build, "):
        made(other=1)
    for seed in (-1, 2**63):
        with pytest.raises(
            FieldError, match=rf"^Recipe: got {seed} for `seed`, wanted a whole number of at least 0 and below 2"
        ):
            made(seed=seed)
    with pytest.raises(FieldError, match=r"^`Splits`: got splits that sum to 1.1, wanted less than 1: the rest is `train`$"):
        Shards(splits=Splits(val=0.5, test=0.6))
    with pytest.raises(FieldError, match=r"^Limits: got 1.5 for `max_bad`, wanted a number from 0 to 1$"):
        Limits(max_bad=1.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": {}}, "got no source, wanted at least one"),
        ({"sources": {f"s{n}": Lines() for n in range(256)}}, "got 256 sources, wanted 255 at most"),
        ({"sources": {"A b": Lines()}}, "got a source named 'A b', wanted 1 to 64 of a-z, 0-9, `_` and `-`"),
        ({"build": (Lines(),)}, "build[0]: got `toy.readers.lines` in `build:`; readers go under `source:`"),
        (
            {"stream": (Guess(), Counts())},
            "stream[1]: got `toy.fits.counts` in `stream:`; a fit learns from the whole corpus, so it goes into `build:`",
        ),
        (
            {"build": (Rows(),), "stream": (Rows(),)},
            "stream[0]: got a second pack, `toy.packs.rows`, after `toy.packs.rows`; wanted one at most",
        ),
        ({"build": (Guess(),)}, "stream[0]: got a second task, `toy.tasks.guess`, after `toy.tasks.guess`; wanted one at most"),
        (
            {"build": (Guess(),), "stream": (Rows(),)},
            "stream[0]: got the pack `toy.packs.rows` after the task `toy.tasks.guess`, wanted it before",
        ),
    ],
)
def test_steps_and_sources_that_cannot_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        made(**change)
    assert str(caught.value) == message


def test_json_of_strangers_is_refused_without_trust() -> None:
    with pytest.raises(
        RecipeError, match=r"^recipe.sources.main.toy.readers.lines: `toy.readers.lines` is code of the package"
    ):
        Recipe.from_json(made().to_json())


def test_wrong_json_says_where() -> None:
    data = made().to_json()
    data["build"][0]["toy.filters.long"]["min_words"] = "many"
    with pytest.raises(RecipeError) as caught:
        Recipe.from_json(data, trust=True)
    where = "recipe.build[0].toy.filters.long.min_words"
    assert str(caught.value) == f'{where}: got "many" for `min_words`, wanted a whole number of at least 0'
