"""The type of a field: what its rows hold, and the facts that steps and trainers need about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["text", "ids", "image", "audio", "meta", "array"]


class Vocabulary(BaseModel):
    """What is known of the tokenizer that made a field of ids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    """Ids run from 0 to `size - 1`."""
    pad: int | None = None
    eos: int | None = None
    mask: int | None = None
    control: tuple[int, ...] = ()
    """All control tokens, ascending; text never yields one of them."""


class Field(BaseModel):
    """The type of one named field.

    `text` is UTF-8 and `ids` are tokens, both one ragged axis; `image`, `audio` are encoded bytes with a decoded form; `meta`
    is a JSON object; `array` is anything else. `shape` is that of one row, None for an axis that differs from row to row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    dtype: str = "uint8"
    shape: tuple[int | None, ...] = (None,)
    vocabulary: Vocabulary | None = None

    @property
    def ragged(self) -> bool:
        """Whether rows differ in length."""
        return None in self.shape


Fields = Mapping[str, Field]
"""The fields of a batch of rows by name."""
