"""A step is a value: frozen, strict, and named after its file."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from pydantic import ValidationError

from sslpipe.core import steps
from sslpipe.core.draw import Draw
from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map, Part, Step, Task, pick_field

TEXT, IDS = Field(kind="text"), Field(kind="ids", dtype="uint16")


class Lower(Map):
    """A step as others write it."""

    field: str | None = None
    """What to work on."""


def test_steps_are_frozen_and_compare_by_their_fields() -> None:
    step = Lower(field="text")
    with pytest.raises(ValidationError, match="frozen"):
        step.field = "ids"
    assert step == Lower(field="text") != Lower(field="ids")
    assert hash(step) == hash(Lower(field="text"))
    assert repr(step) == "Lower(field='text')"


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(FieldError) as caught:
        Lower(feild="text")  # type: ignore[call-arg]
    assert str(caught.value) == f"got `feild`, wanted a field of `{__name__}`: field; did you mean `field`?"


def test_a_step_that_takes_anything_is_caught() -> None:
    class Lax(Lower, frozen=False, extra="ignore"):
        pass

    lax = Lax(feild="text")  # type: ignore[call-arg]
    lax.field = "other"
    assert lax.field == "other"


def _shapes() -> list[type[Step]]:
    return [value for value in vars(steps).values() if isinstance(value, type) and issubclass(value, Step)]


def test_every_shape_is_strict() -> None:
    assert {shape.__name__ for shape in _shapes()} >= {
        "Step", "Reader", "Measure", "Filter", "Map", "Cut", "Dedup", "Fit", "Pack", "Task",
    }  # fmt: skip
    for shape in _shapes():
        assert shape.model_config.get("frozen") is True and shape.model_config.get("extra") == "forbid", shape


def test_what_a_step_is_by_default() -> None:
    step, fields = Lower(), {"text": TEXT}
    assert step.outputs(fields) is fields
    assert step.open(Context(fields)) is step
    assert step.requires() is None and step.files() == () and step.bind({}) is step
    assert Lower.version == 1 and not Lower.changes_lengths
    assert Task.model_fields["salt"].default == ""


def test_paths_of_steps() -> None:
    assert Lower.path() == __name__
    shipped = type("GopherQuality", (Lower,), {"__module__": "sslpipe.filters.gopher_quality"})
    foreign = type("Foo", (Lower,), {"__module__": "my_package.filters.foo"})
    script = type("Foo", (Lower,), {"__module__": "__main__"})
    assert script.path() == "__main__"  # type: ignore[attr-defined]
    assert shipped.path() == "filters.gopher_quality"  # type: ignore[attr-defined]
    assert foreign.path() == "my_package.filters.foo"  # type: ignore[attr-defined]


def test_work_before_opening_is_refused(rows: Rows) -> None:
    class Guess(Task):
        def minimum(self) -> int:
            return 1

    with pytest.raises(NotImplementedError, match=r"test_steps must be opened first$"):
        Lower().map(rows, Draw(0, "x"))
    with pytest.raises(NotImplementedError, match=r"test_steps must be opened first$"):
        Guess().label(rows, Draw(0, "x"))


@pytest.fixture
def rows() -> Rows:
    from core_support import random_names

    return Rows(random_names(1), {})


def test_what_a_shape_must_have() -> None:
    wanted = {
        "Reader": {"parts", "read", "outputs"},
        "Measure": {"measure", "names"},
        "Filter": {"needs", "judge"},
        "Map": set(),
        "Cut": {"cut"},
        "Dedup": {"sign"},
        "Fit": {"sample", "fit"},
        "Pack": {"count", "period"},
        "Task": {"minimum"},
    }
    found = {shape.__name__: set(shape.__abstractmethods__) for shape in _shapes() if shape.__name__ in wanted}
    assert found == wanted
    for shape in _shapes():
        if inspect.isabstract(shape):
            with pytest.raises(TypeError, match="abstract"):
                shape()


def test_only_field_of_its_kind() -> None:
    fields: Fields = {"ids": IDS, "caption": TEXT}
    assert pick_field(Lower(), fields, "text", None) == "caption"
    assert pick_field(Lower(), fields, "ids", None) == "ids"
    assert pick_field(Lower(), {**fields, "other": TEXT}, "text", "other") == "other"


@pytest.mark.parametrize(
    ("fields", "kind", "name", "message"),
    [
        ({"ids": IDS}, "text", "ids", "test_steps: field `ids` should be text; it is ids (fields here: ids: ids)"),
        ({"ids": IDS}, "text", "txt", "test_steps: field `txt` should be text; there is no such field (fields here: ids: ids)"),
        ({"ids": IDS}, "text", None, "test_steps needs a field of text; there is none (fields here: ids: ids)"),
        ({}, "image", None, "test_steps needs a field of image; there is none (fields here: none)"),
        (
            {"a": TEXT, "b": TEXT},
            "text",
            None,
            "test_steps needs a field of text; there are several; say which with `field:` (fields here: a: text, b: text)",
        ),
        (
            {"a": TEXT},
            "ids",
            None,
            "test_steps needs a field of ids; there is none; put maps.tokenize before it (fields here: a: text)",
        ),
    ],
)
def test_messages_of_a_field_that_does_not_fit(fields: dict[str, Field], kind: Any, name: str | None, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        pick_field(Lower(), fields, kind, name)
    assert str(caught.value) == message.replace("test_steps", __name__)


def test_parts_and_contexts_are_values() -> None:
    assert Part(("a",), (1,), (2,)) == Part(("a",), (1,), (2,))
    assert Context({}).artefacts == {}
    with pytest.raises(AttributeError):
        Context({}).fields = {}  # type: ignore[misc]
