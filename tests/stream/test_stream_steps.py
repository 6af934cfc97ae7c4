"""Which steps can run on the fly, in which order."""

from __future__ import annotations

import pytest

from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Field
from sslpipe.packs.concatenate import Concatenate
from sslpipe.stream.stream_steps import StreamSteps, parse_steps
from sslpipe.tasks.masked_tokens import MaskedTokens
from tests.stream.toys import IDS, AddOne, Between, Cutter, Flip, Length, Stretch

FIELDS = {"ids": IDS}


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (
            [AddOne(), Between()],
            r"filters.between stands behind maps; a stream takes filters, then maps, then one pack, then one",
        ),
        ([Flip(), Cutter()], "packs.cutter stands behind a task"),
        ([Cutter(), Cutter()], "packs.cutter is a pack too many"),
        ([Flip(), Flip()], "tasks.flip is a task too many"),
        ([Length()], r"a stream can't run measures.toys on the fly; it takes .*\. Put other steps into `build:`"),
        (["tasks.flip"], "a stream can't run 'tasks.flip' on the fly"),
        ([Flip], r"a stream takes steps, and got the class Flip: write Flip\(\)$"),
        (
            [AddOne(), Cutter()],
            "maps.add_one stands before packs.cutter, which reads what is stored; put the map into `build:`",
        ),
        ([Stretch(), Flip()], "maps.stretch changes lengths, and tasks.flip must know them before the first batch"),
        (
            [Cutter(length=4), Flip(least=5)],
            "tasks.flip needs rows of 5 elements, packs.cutter makes rows of 4; choose a longer",
        ),
    ],
)
def test_what_cannot_run_is_refused(steps: list[object], text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        StreamSteps.of(steps, FIELDS, {})


def test_steps_are_sorted_by_what_they_do() -> None:
    steps = StreamSteps.of([Between(), AddOne(), Flip()], FIELDS, {})
    assert (steps.filters, steps.maps, steps.pack, steps.task) == ((Between(),), (AddOne(),), None, Flip())
    assert steps.units == "ids" and set(steps.outputs) == {"labels", "input_ids"}
    assert StreamSteps.of([], FIELDS, {}).units is None


def test_wanted_fields() -> None:
    fields = {"ids": IDS, "meta": Field(kind="meta"), "text": Field(kind="text")}
    assert StreamSteps.of([Flip()], fields, {}).wanted() == ["ids"]
    assert StreamSteps.of([MaskedTokens()], fields, {}).wanted() == ["ids", "meta", "text"]
    assert StreamSteps.of([], fields, {}).wanted() == ["ids", "meta", "text"]


def test_steps_of_a_manifest() -> None:
    written = [{"packs.concatenate": {"length": 32}}, "tasks.masked_tokens"]
    assert parse_steps(written) == [Concatenate(length=32), MaskedTokens()]
    assert parse_steps([{"tasks.masked_tokens": None}]) == [MaskedTokens()]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ([{"a": {}, "b": {}}], "wanted `role.step` or one `role.step: {fields}`"),
        ([7], "manifest.json, stream: got '7', wanted"),
        ([{"packs.concatenate": {"length": 0}}], "manifest.json, stream: packs.concatenate: length: Input should be greater"),
        ([{"os.system": {}}], "os"),
        (
            ["evil.package.tasks.big_boom"],
            r"may not run by itself; .*stream\(evil.package.tasks.BigBoom\(\), \.\.\.\)$",
        ),
    ],
)
def test_damaged_manifests_choose_no_code(written: list[object], text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        parse_steps(written)
