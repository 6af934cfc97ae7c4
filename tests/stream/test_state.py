"""A state says what it is bound to, and what differs where it is loaded by another stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import Step
from sslpipe.packs.concatenate import Concatenate
from sslpipe.shards.manifest import Manifest
from sslpipe.stream.state import LIMIT, check_state, identity
from sslpipe.tasks.masked_tokens import MaskedTokens
from sslpipe.tasks.next_token import NextToken
from tests.stream.toys import Between

PACK, TASK = Concatenate(length=512), MaskedTokens()
OPTIONS: dict[str, Any] = {"split": "train", "seed": 5, "shuffle": "full", "tail": "carry"}
LONGEST = {"split": "train", "seed": 2**64 - 1, "shuffle": {"window_shards": 10**6}, "tail": "carry"}


class Foreign(Between):
    """A step of a package that isn't here."""

    @classmethod
    def path(cls) -> str:
        return "their_package.filters.foreign"


def manifest(name: str = "toys") -> Manifest:
    return Manifest(name=name, seed=0, recipe="r", inputs="i", fields={}, totals={}, by_source={}, shards=())


def made(*steps: Step, rows: int = 100, name: str = "toys", **options: Any) -> dict[str, Any]:
    return identity(manifest(name), rows, steps, **{**OPTIONS, **options})


def state(*steps: Step, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps({**made(*steps, **options), "n": 7, "global_batch_size": 2}))
    return found


def told(saved: dict[str, Any], here: dict[str, Any]) -> str:
    with pytest.raises(RecipeError) as caught:
        check_state(saved, here)
    text = str(caught.value)
    assert text.startswith("the state belongs to another stream: ")
    assert text.endswith(". Open the stream as it was when the state was saved")
    return text.removeprefix("the state belongs to another stream: ").removesuffix(
        ". Open the stream as it was when the state was saved"
    )


STEPS = [
    ((PACK, TASK), (Concatenate(length=1024), TASK), "packs.concatenate: `length` was 512, is 1024"),
    ((Concatenate(length=1024), TASK), (PACK, TASK), "packs.concatenate: `length` was 1024, is 512"),
    ((PACK, TASK), (PACK, MaskedTokens(probability=0.3)), "tasks.masked_tokens: `probability` was 0.15, is 0.3"),
    (
        (PACK, TASK),
        (Concatenate(length=8, documents="joined", field="ids"), TASK),
        'packs.concatenate: `length` was 512, is 8, `field` was null, is "ids", `documents` was "separate", is "joined"',
    ),
    (
        (PACK, TASK),
        (Concatenate(length=8), MaskedTokens(salt="b")),
        'packs.concatenate: `length` was 512, is 8; tasks.masked_tokens: `salt` was "", is "b"',
    ),
    ((PACK, TASK), (PACK, NextToken()), "the steps: saved packs.concatenate, tasks.masked_tokens, here packs.concatenate,"
                                        " tasks.next_token"),
    ((PACK, TASK), (TASK,), "the steps: saved packs.concatenate, tasks.masked_tokens, here tasks.masked_tokens"),
    ((), (TASK,), "the steps: saved none, here tasks.masked_tokens"),
    ((Foreign(least=1),), (Foreign(),), "their_package.filters.foreign: `least` was 1, is the default"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "now", "text"), STEPS)
def test_which_field_of_which_step(before: tuple[Step, ...], now: tuple[Step, ...], text: str) -> None:
    assert told(state(*before), made(*now, rows=50)) == text, "that there are other rows follows, and isn't told"
    assert not any(hash_ in text for _, hash_ in made(*before)["steps"])


def test_options_in_words() -> None:
    here = made(PACK, split="val", seed=6, shuffle=None, tail="drop", rows=3)
    assert told(state(PACK), here) == (
        'the split: saved "train", here "val"; the seed: saved 5, here 6; the shuffle: saved "full", here null;'
        ' the tail: saved "carry", here "drop"'
    )
    assert told(state(PACK), made(PACK, rows=99)) == "rows an epoch: saved 100, here 99"
    both = told(state(PACK), made(Concatenate(length=8), seed=6))
    assert both == "packs.concatenate: `length` was 512, is 8; the seed: saved 5, here 6"


def test_another_version_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = state(PACK, TASK)
    monkeypatch.setattr(MaskedTokens, "version", 99)
    assert told(saved, made(PACK, TASK)) == "tasks.masked_tokens is of another version, or has other defaults"


def test_another_dataset_is_named() -> None:
    saved = state(PACK)
    with pytest.raises(RecipeError, match=r'another dataset: it was saved on `"toys"`, this is `others`; rows or elements of'):
        check_state(saved, {**made(PACK, name="others"), "domain": "another"})


def test_equal_streams_go_on() -> None:
    assert check_state(state(PACK, TASK), made(PACK, TASK)) == 7
    for step in (PACK, TASK):
        assert check_state(state(step), made(step)) == 7
    older = state(PACK, TASK)
    del older["fields"]
    assert check_state(older, made(PACK, TASK)) == 7, "what only explains may be missing"
    assert told(older, made(Concatenate(length=8), TASK)) == "packs.concatenate has other fields, or is of another version"


FILTERS = st.builds(Between, least=st.integers(0, 2**40), most=st.integers(0, 2**40)) | st.builds(Foreign)
LONG = st.builds(MaskedTokens, salt=st.text(max_size=900)) | st.just(TASK) | st.just(PACK)


@settings(deadline=None, max_examples=60)
@given(st.lists(FILTERS | LONG, max_size=40), st.sampled_from([OPTIONS, LONGEST]), st.text(max_size=300))
def test_a_state_is_small_whatever_the_steps(steps: list[Step], options: dict[str, Any], name: str) -> None:
    found = {**made(*steps, name=name, rows=2**60, **options), "n": 2**62, "global_batch_size": 2**62}
    assert len(json.dumps(found).encode()) < LIMIT
    assert found == {**made(*steps, name=name, rows=2**60, **options), "n": 2**62, "global_batch_size": 2**62}


def test_a_name_of_any_letters_takes_a_byte_each() -> None:
    assert made(name="日本" * 60)["dataset"] == "?" * 100
    assert made(name='a"\\\x01b c')["dataset"] == "a???b c"


def test_what_has_no_room_is_told_as_a_whole() -> None:
    long = MaskedTokens(salt="x" * 800)
    assert made(PACK, long)["fields"] == [{"length": 512}, None]
    assert made(long, PACK)["fields"] == [None, {"length": 512}]
    assert told(state(PACK, long), made(PACK, TASK)) == "tasks.masked_tokens has other fields, or is of another version"
    many = [Between(least=least) for least in range(40)]
    assert told(state(*many), made(*many[1:])) == "the steps: saved 40 steps, here 39 steps"
    assert told(state(*many), made(*reversed(many))) == "some of the 40 steps, which a state has no room to tell apart"


def test_states_without_fields_would_not_tell() -> None:
    """The mutant: an identity of hashes alone, as it was."""
    bare = {name: value for name, value in state(PACK, TASK).items() if name != "fields"}
    assert not [text for _, now, text in STEPS[:1] if told(bare, made(*now)) == text]


@pytest.mark.parametrize("steps", [None, "x", [1], [["a"]], [["a b", "c"]], [["\x1b[2J", "c"]], {"a": 1}, [[1, 2]], []])
def test_steps_of_any_shape_are_refused_in_words(steps: Any) -> None:
    text = told({**state(PACK), "steps": steps}, made(PACK))
    assert text.startswith(("the steps: saved ",)) and "\x1b" not in text


@pytest.mark.parametrize("fields", [None, "x", [], [1], [None], {"a": 1}])
def test_fields_of_any_shape_only_leave_words_out(fields: Any) -> None:
    saved = {**state(PACK), "fields": fields}
    assert check_state(saved, made(PACK)) == 7
    assert told(saved, made(Concatenate(length=8))) == "packs.concatenate has other fields, or is of another version"
