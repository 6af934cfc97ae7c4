"""What is made in Python complains in the words of a recipe, and what is made of JSON as pydantic does."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

from sslpipe import packs, tasks
from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.units import Bytes
from sslpipe.core.value import Value


class Pot(Value):
    """A value with a field of each kind."""

    size: int = Field(ge=1, le=9)
    share: float = Field(default=0.5, gt=0, lt=1)
    names: tuple[str, ...] = ()
    kind: Literal["round", "square"] = "round"
    bytes: Bytes = 10
    fits: dict[str, int] = Field(default_factory=dict)
    pair: Annotated[tuple[float, int], Field()] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "square" and self.size > 4:
            raise ValueError("a square one holds 4 at most")
        return self


def said(**fields: Any) -> str:
    with pytest.raises(FieldError) as caught:
        Pot(**fields)
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 10}, "Pot: got 10 for `size`, wanted a whole number from 1 to 9"),
        ({"size": "many"}, 'Pot: got "many" for `size`, wanted a whole number from 1 to 9'),
        ({"size": 1.5}, "Pot: got 1.5 for `size`, wanted a whole number from 1 to 9"),
        ({"size": None}, "Pot: got nothing for `size`, wanted a whole number from 1 to 9"),
        ({"size": np.array([1, 2])}, "Pot: got array([1, 2]) for `size`, wanted a whole number from 1 to 9"),
        ({}, "`size` of `Pot` is missing"),
        ({"size": 1, "shaer": 1}, "got `shaer`, wanted a field of `Pot`: size, share, names, kind, bytes, fits, pair; "
                                  "did you mean `share`?"),
        ({"size": 1, "share": 1}, "Pot: got 1 for `share`, wanted a number above 0 and below 1"),
        ({"size": 1, "names": ("a", 3)}, "Pot: got 3 for `names`, wanted text; put it in quotes"),
        ({"size": 1, "names": [Path("a")]}, f"Pot: got {Path('a')!r} for `names`, wanted text"),
        ({"size": 1, "kind": "squar"}, 'Pot: got "squar" for `kind`, wanted one of `round`, `square`; did you mean `square`?'),
        ({"size": 1, "fits": {"a": "b"}}, 'Pot: got "b" for `fits.a`, wanted a whole number'),
        ({"size": 1, "pair": [0.5]}, "Pot: got [0.5] for `pair`, wanted a list of 2"),
        ({"size": 1, "pair": [0.5, 1, 2]}, "Pot: got [0.5, 1, 2] for `pair`, wanted a list of 2"),
        ({"size": 1, "pair": (0.5, "a")}, 'Pot: got "a" for `pair`, wanted a whole number'),
        ({"size": 5, "kind": "square"}, "`Pot`: a square one holds 4 at most"),
        ({"size": 0, "share": 2}, "Pot: got 0 for `size`, wanted a whole number from 1 to 9\n"
                                  "Pot: got 2 for `share`, wanted a number above 0 and below 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_field(fields: dict[str, Any], message: str) -> None:
    assert said(**fields) == message


def test_a_size_that_is_none() -> None:
    assert said(size=1, bytes="10 stone").startswith('Pot: got "10 stone" for `bytes`, wanted a size: a whole number of bytes,')


def test_steps_are_called_by_their_path() -> None:
    with pytest.raises(FieldError) as caught:
        packs.Concatenate(length=1)
    assert str(caught.value) == "packs.concatenate: got 1 for `length`, wanted a whole number from 2 to 1073741824"
    with pytest.raises(
        FieldError, match=r"^tasks.masked_tokens: got 2 for `probability`, wanted a number from 1\.5.*e-05 to 1$"
    ):
        tasks.MaskedTokens(probability=2)
    with pytest.raises(FieldError, match=r"^got `lenght`, wanted a field of `packs.concatenate`: .*; did you mean `length`\?$"):
        packs.Concatenate(lenght=512)


def test_it_is_caught_as_an_error_of_a_recipe_and_as_one_of_a_value() -> None:
    for kind in (RecipeError, ValueError):
        with pytest.raises(kind) as caught:
            Pot(size=0)
        assert caught.value.__suppress_context__, "pydantic's own message is not shown above it"


def test_json_is_as_strict_as_ever() -> None:
    """Whether pydantic goes by its own way: through `__init__`, a number in quotes would become a number."""
    for text in ('{"size": "1"}', '{"size": 0}', '{"siez": 1}'):
        with pytest.raises(ValidationError):
            Pot.model_validate_json(text, strict=True)
    with pytest.raises(ValidationError):
        Pot.model_validate({"size": "1"}, strict=True)
    assert Pot.model_validate_json('{"size": 1, "names": ["a"]}', strict=True) == Pot(size=1, names=("a",))


def test_a_way_of_its_own_is_caught() -> None:
    class Own(BaseModel):
        size: int

        def __init__(self, **fields: Any) -> None:
            super().__init__(**fields)

    assert Own.model_validate_json('{"size": "1"}', strict=True).size == 1, "strict is lost without the mark"


def test_a_value_that_fails_inside_another_is_told_with_it() -> None:
    class Shelf(Value):
        pots: tuple[Pot, ...] = ()

        @model_validator(mode="after")
        def _another(self) -> Self:
            Pot(size=len(self.pots))
            return self

    with pytest.raises(FieldError) as caught:
        Shelf()
    assert str(caught.value) == "`Shelf`: Pot: got 0 for `size`, wanted a whole number from 1 to 9"
    with pytest.raises(FieldError, match=r"^Shelf: got 0 for `pots.size`, wanted a number of at least 1$"):
        Shelf(pots=({"size": 0},))


def test_values_are_frozen_compare_and_travel() -> None:
    pot = Pot(size=1)
    with pytest.raises(ValidationError, match="frozen"):
        pot.size = 2  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(pot)) == pot.model_copy() == Pot(size=1) != Pot(size=2)
