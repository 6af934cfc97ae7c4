"""Text to token ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np

from sslpipe.codecs.tokenizer import Tokenizer
from sslpipe.core.draw import Draw
from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map, Mapper, pick_field

ARTEFACT: Final = "tokenizer.json"


class Tokenize(Map):
    """Turns text into the field `ids`; text stays only if asked to.

    The ids hold no control token: text that quotes `<eos>` is encoded as the characters that it is made of, and the end of a
    document is put in by the pack. So what is stored fits every pack and task, at no cost for those that want no separators.
    """

    changes_lengths: ClassVar[bool] = True

    tokenizer: str | None = None
    """Path of a `tokenizer.json`; None takes the one learnt earlier in the recipe."""
    field: str | None = None
    """The text field; by default the only one."""
    keep_text: bool = False
    """Whether the text is stored beside the ids."""
    pad: str | None = None
    """The tokenizer's pad token, where it has no usual name."""
    eos: str | None = None
    """The token that ends a document, where it has no usual name."""
    mask: str | None = None
    """The mask token, where it has no usual name."""

    def requires(self) -> str | None:
        """The tokenizer, where no path is given."""
        return ARTEFACT if self.tokenizer is None else None

    def files(self) -> tuple[str, ...]:
        """The tokenizer, where its path is given."""
        return () if self.tokenizer is None else (self.tokenizer,)

    def bind(self, artefacts: Mapping[str, Path]) -> Self:
        """The step with the learnt tokenizer filled in."""
        if self.tokenizer is None and ARTEFACT in artefacts:
            return self.model_copy(update={"tokenizer": str(artefacts[ARTEFACT])})
        return self

    def outputs(self, fields: Fields) -> Fields:
        """`ids` in place of the text. Before a tokenizer is learnt nothing is known of it: uint32 stands in, no vocabulary."""
        field = pick_field(self, fields, "text", self.field)
        if "ids" in fields:
            raise RecipeError(f"{self.path()}: there is a field `ids` already; leave out one of the two")
        ids = Field(kind="ids", dtype="uint32")
        if self.tokenizer is not None:
            opened = self._load(Path(self.tokenizer))
            ids = Field(kind="ids", dtype="uint16" if opened.dtype == np.uint16 else "uint32", vocabulary=opened.vocabulary)
        kept = {name: value for name, value in fields.items() if self.keep_text or name != field}
        return {**kept, "ids": ids}

    def open(self, context: Context) -> Mapper:
        """The tokenizer, loaded."""
        bound = self.bind(context.artefacts)
        if bound.tokenizer is None:
            raise RecipeError(
                f"{self.path()} has no tokenizer; give `tokenizer:` the path of a tokenizer.json, "
                "or put fits.byte_level_bpe before it"
            )
        field = pick_field(self, context.fields, "text", self.field)
        return _Opened(self._load(Path(bound.tokenizer)), field, self.keep_text)

    def _load(self, path: Path) -> Tokenizer:
        return Tokenizer.load(path, self.pad, self.eos, self.mask)


@dataclass(frozen=True)
class _Opened:
    tokenizer: Tokenizer
    field: str
    keep_text: bool

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """Encode a batch; nothing is drawn."""
        encoded = rows.with_columns(ids=self.tokenizer.encode(rows.ragged(self.field)))
        return encoded if self.keep_text else encoded.without(self.field)
