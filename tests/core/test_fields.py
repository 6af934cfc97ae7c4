"""Types of fields are values that survive JSON."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sslpipe.core.fields import Field, Vocabulary

FIELD = Field(kind="ids", dtype="uint16", vocabulary=Vocabulary(size=9, pad=0, eos=1, control=(0, 1)))


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
