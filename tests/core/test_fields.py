"""Types of fields are values that survive JSON."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sslpipe.core.fields import Field, Vocabulary

FIELD = Field(kind="ids", dtype="uint16", vocabulary=Vocabulary(size=9, pad=0, eos=1, control=(0, 1)))


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (Field(kind="text"), "text"),
        (Field(kind="meta"), "meta"),
        (Field(kind="ids", dtype="uint16"), "ids, uint16"),
        (Field(kind="array", dtype="float32", shape=(3,)), "array, float32"),
        (Field(kind="image", format="jpeg"), "image, jpeg"),
        (Field(kind="audio", format="flac", rate=16_000, channels=1), "audio, flac, 16,000 Hz, 1 channel"),
        (Field(kind="audio", format="flac", channels=2), "audio, flac, 2 channels"),
    ],
)
def test_what_a_row_is_in_words(field: Field, told: str) -> None:
    assert field.stored_as() == told


def test_round_trip() -> None:
    assert Field.model_validate_json(FIELD.model_dump_json()) == FIELD
    assert Field.model_validate(FIELD.model_dump(mode="json")) == FIELD


@pytest.mark.parametrize(("shape", "ragged"), [((None,), True), ((3, None), True), ((3, 4), False), ((), False)])
def test_ragged(shape: Any, ragged: bool) -> None:
    assert Field(kind="array", shape=shape).ragged is ragged


def test_text_is_ragged_bytes_by_default() -> None:
    assert Field(kind="text") == Field(kind="text", dtype="uint8", shape=(None,), vocabulary=None)


@pytest.mark.parametrize("wrong", [{"kind": "txt"}, {"kind": "text", "size": 3}, {"kind": "text", "vocabulary": {"pad": 1}}])
def test_wrong_fields_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Field.model_validate(wrong)


def test_fields_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        FIELD.dtype = "uint8"
