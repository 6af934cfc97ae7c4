"""The type of a field: what its rows hold, and the facts that steps and trainers need about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, model_validator

from sslpipe.core.words import counted

Dtype = Literal[
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64"
]
Kind = Literal["text", "ids", "image", "audio", "meta", "array"]
Format = Literal["jpeg", "png", "flac"]

ENCODED: Final = ("image", "audio")
"""The kinds whose rows are encoded bytes with a decoded form."""


class Vocabulary(BaseModel):
    """What is known of the tokenizer that made a field of ids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Annotated[int, Ge(1), Le(2**32)]
    """Ids run from 0 to `size - 1`."""
    pad: int | None = None
    """The id that fills rows up; None where the tokenizer has none, here as below."""
    eos: int | None = None
    """The id that ends a document."""
    mask: int | None = None
    """The id that hides a token."""
    control: tuple[int, ...] = ()
    """All control tokens, ascending; text never yields one of them."""

    @model_validator(mode="after")
    def _ids_are_inside(self) -> Self:
        named = [token for token in (self.pad, self.eos, self.mask) if token is not None]
        if any(not 0 <= token < self.size for token in (*named, *self.control)):
            raise ValueError(f"a control token is not one of the {self.size} ids")
        return self


class Field(BaseModel):
    """The type of one named field.

    `text` is UTF-8 and `ids` are tokens, both one ragged axis; `image`, `audio` are encoded bytes with a decoded form; `meta`
    is a JSON object; `array` is anything else. `shape` is that of one row, None for an axis that differs from row to row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    """What rows hold, which decides which steps take the field."""
    dtype: Dtype = "uint8"
    """Of one element; uint8 for text and encoded bytes."""
    shape: tuple[Annotated[int, Ge(0), Le(2**31)] | None, ...] = (None,)
    """Of one row, outermost axis first; None for an axis that differs from row to row."""
    vocabulary: Vocabulary | None = None
    """What made the ids; None for other kinds, and for ids of unknown origin."""
    format: Format | None = None
    """How every row of an encoded field is encoded; None as long as rows may differ, as they do when they are read."""
    rate: Annotated[int, Ge(1), Le(2**31)] | None = None
    """Samples a second of every row of audio; None as long as rows may differ."""
    channels: Annotated[int, Ge(1), Le(1024)] | None = None
    """Channels of every row of audio; None as long as rows may differ."""

    def stored_as(self) -> str:
        """What a row is in a shard, for people: `ids, uint16`, `audio, flac, 16,000 Hz, 1 channel`."""
        told: list[str] = [self.kind]
        if self.kind in ENCODED:
            told += [self.format] if self.format else []
            told += [f"{self.rate:,} Hz"] if self.rate else []
            told += [counted(self.channels, "channel")] if self.channels else []
        elif self.kind in ("ids", "array"):
            told.append(self.dtype)
        return ", ".join(told)

    @property
    def ragged(self) -> bool:
        """Whether rows differ in length."""
        return None in self.shape


Fields = Mapping[str, Field]
"""The fields of a batch of rows by name."""
