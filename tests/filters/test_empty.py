"""Rows with nothing left."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Field
from sslpipe.core.ragged import Ragged
from sslpipe.core.steps import Context, Verdicts
from sslpipe.filters.empty import Empty
from tests.support_text import rows_of

FIELDS = {"text": Field(kind="text"), "ids": Field(kind="ids"), "image": Field(kind="image")}
ROWS = rows_of(
    text=Ragged.from_texts(["a", " ", "a", "\n"]),
    ids=Ragged.from_lengths(np.array([1, 2, 3], np.uint16), np.array([1, 1, 0, 1])),
    image=Ragged.from_bytes([b"", b"x", b"x", b"x"]),
)


def verdicts(step: Empty) -> Verdicts:
    (measure,) = step.needs()
    return step.judge(measure.open(Context(fields=FIELDS)).measure(ROWS))


@pytest.mark.parametrize(
    ("fields", "codes"), [((), [0, 1, 1, 1]), (("text",), [0, 1, 0, 1]), (("ids",), [0, 0, 1, 0]), (("image",), [1, 0, 0, 0])]
)
def test_one_empty_field_is_enough(fields: tuple[str, ...], codes: list[int]) -> None:
    found = verdicts(Empty(fields=fields))
    assert found.codes.tolist() == codes
    assert found.reasons == ("empty",)


def test_fields_are_checked_at_plan_time() -> None:
    assert Empty().outputs(FIELDS) is FIELDS
    images = {"image": Field(kind="image")}
    assert Empty().outputs(images) is images
    with pytest.raises(RecipeError, match="there is no field `body`"):
        Empty(fields=("body",)).outputs(FIELDS)


def test_how_many_fields_are_empty() -> None:
    assert Empty().explain("empty", {"blank_fields": 1}) == "1 field holds nothing"
    assert Empty().explain("empty", {"blank_fields": 2}) == "2 fields hold nothing"
