"""How many fields hold nothing."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.ragged import Ragged
from sslpipe.core.steps import Context
from sslpipe.measures.blank import Blank
from tests.support_text import rows_of

FIELDS: Fields = {
    "text": Field(kind="text"),
    "ids": Field(kind="ids"),
    "image": Field(kind="image"),
    "vector": Field(kind="array", dtype="float32", shape=(2,)),
}
ROWS = rows_of(
    text=Ragged.from_texts(["a", " \n\u3000", "", "\u200b"]),
    ids=Ragged.from_lengths(np.array([32, 10, 32, 9], np.uint8), np.array([1, 2, 0, 1])),
    image=Ragged.from_bytes([b"", b" ", b"x", b""]),
    vector=np.zeros((4, 2), np.float32),
)


@pytest.mark.parametrize(
    ("chosen", "blank"),
    [((), [0, 1, 2, 0]), (("text",), [0, 1, 1, 0]), (("ids",), [0, 0, 1, 0]), (("image", "text"), [1, 1, 1, 1])],
)
def test_white_space_counts_in_text_and_length_elsewhere(chosen: tuple[str, ...], blank: list[int]) -> None:
    measure = Blank(fields=chosen).open(Context(fields=FIELDS))
    measures = measure.measure(ROWS)
    assert tuple(measures) == measure.names() == ("blank_fields",)
    assert measures["blank_fields"].dtype == np.int64
    assert measures["blank_fields"].tolist() == blank


def test_what_cannot_be_empty_is_refused() -> None:
    with pytest.raises(RecipeError, match="rows of field `vector` have one shape and are never empty; leave it out"):
        Blank(fields=("vector",)).outputs(FIELDS)
    with pytest.raises(RecipeError, match="there is no field `body`"):
        Blank(fields=("body",)).outputs(FIELDS)


def test_without_text_or_ids_nothing_is_blank() -> None:
    fields = {"image": Field(kind="image")}
    assert Blank().outputs(fields) is fields
    assert Blank().open(Context(fields=fields)).measure(ROWS)["blank_fields"].tolist() == [0, 0, 0, 0]


def test_it_must_be_opened() -> None:
    with pytest.raises(SslpipeError, match=r"measures.blank must be opened before it measures"):
        Blank().measure(ROWS)
