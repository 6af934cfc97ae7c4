"""Masked tokens, for models of the BERT family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pydantic
from numpy.typing import NDArray

from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.fields import Fields, Vocabulary
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Labeller, Task, pick_field
from sslpipe.tasks._token_rows import DOCUMENTS, TokenRows, token_outputs

_STEPS = 2**16
"""The selection draw has 16 bits (`kernels/mask_tokens.py`)."""


class MaskedTokens(Task):
    """Hide some tokens and predict them from both sides (BERT, arXiv 1810.04805), anew each epoch (RoBERTa, arXiv 1907.11692).

    Each ordinary token is selected independently: cheaper than an exact count, and the share of a row varies (a row of 512 has
    77 targets, give or take 8). Control tokens and padding are never selected and never put in. At least one token of a row
    becomes a target and, of two or more ordinary ones, at least one doesn't; `docs/tasks.md` says how.
    """

    version: ClassVar[int] = 2
    """2: what becomes of two neighbours is drawn in one block."""

    probability: float = pydantic.Field(default=0.15, ge=1 / _STEPS, le=1)
    """The share selected (BERT; ModernBERT, arXiv 2412.13663, takes 0.3). Rounded to a multiple of 2^-16: 0.15 is 0.149994."""
    mask_share: float = pydantic.Field(default=0.8, ge=0, le=1)
    """Of the selected, the share that becomes the mask token (BERT)."""
    random_share: float = pydantic.Field(default=0.1, ge=0, le=1)
    """Of the selected, the share that becomes a random ordinary token (BERT); what is left stays itself."""
    field: str | None = None
    """The field of ids; by default the only one."""

    @pydantic.model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.mask_share + self.random_share > 1 + 1e-9:
            raise ValueError(f"mask_share {self.mask_share} and random_share {self.random_share} are more than 1 together")
        return self

    def outputs(self, fields: Fields) -> Fields:
        """`input_ids` and `labels`, int64 and as long as the ids, in place of the ids.

        Where rows are packed, `position_ids` come too and `document_ids` stay: attention must not cross documents, and
        positions, learnt or rotary, count in each. A plain row needs neither: counting from 0 is what every model does itself.
        """
        name = pick_field(self, fields, "ids", self.field)
        vocabulary = fields[name].vocabulary
        if vocabulary is not None:
            self._mask_of(name, vocabulary)
        made = ("input_ids", "labels", *(("position_ids",) if DOCUMENTS in fields else ()))
        return token_outputs(self, fields, self.field, made)

    def minimum(self) -> int:
        """Two tokens: one target and one to see."""
        return 2

    def open(self, context: Context) -> Labeller:
        """The task with its tables; raises RecipeError where the tokenizer is unknown or has no mask token."""
        name = pick_field(self, context.fields, "ids", self.field)
        vocabulary = context.fields[name].vocabulary
        if vocabulary is None:
            raise RecipeError(
                f"{self.path()}: nothing is known of the tokenizer behind field `{name}`, so its mask token isn't either; "
                "make the ids with maps.tokenize"
            )
        mask = self._mask_of(name, vocabulary)
        ordinary = np.ones(vocabulary.size, np.bool_)
        ordinary[[*vocabulary.control, mask]] = False
        random_ids = np.flatnonzero(ordinary).astype(np.uint32)
        if not len(random_ids):
            raise RecipeError(f"{self.path()}: all {vocabulary.size} ids of field `{name}` are control tokens")
        return _Opened(self, name, mask, ordinary, random_ids)

    def _mask_of(self, field: str, vocabulary: Vocabulary) -> int:
        if vocabulary.mask is None:
            raise RecipeError(
                f"{self.path()} needs a mask token, and the tokenizer of field `{field}` has none by a usual name; "
                "name it by `mask:` on maps.tokenize, or learn a tokenizer with fits.byte_level_bpe, which has one"
            )
        return vocabulary.mask


@dataclass(frozen=True)
class _Opened:
    step: MaskedTokens
    field: str
    mask: int
    ordinary: NDArray[np.bool_]
    random_ids: NDArray[np.uint32]

    def label(self, rows: Rows, draw: Draw) -> Rows:
        """The training pairs of a batch."""
        from sslpipe.kernels.mask_tokens import FATE_RANGE, SELECTION_RANGE, mask_tokens
        from sslpipe.kernels.next_token import count_positions

        tokens = TokenRows.of(self.step, rows, self.field)
        packed = tokens.documents is not None
        inputs, labels, *more = tokens.room(3 if packed else 2)
        documents = np.empty(0, np.int32) if tokens.documents is None else tokens.documents
        bad = mask_tokens(
            tokens.ids, tokens.offsets, documents, rows.names.words(), draw.keys(len(rows)), self.ordinary, self.random_ids,
            self.mask,
            round(self.step.probability * SELECTION_RANGE),
            round(self.step.mask_share * FATE_RANGE),
            round((self.step.mask_share + self.step.random_share) * FATE_RANGE),
            inputs, labels,
        )  # fmt: skip
        if bad >= 0:
            raise DataError(
                f"{self.step.path()}: row {rows.names.take(np.array([bad])).texts()[0]} holds an id of "
                f"{len(self.ordinary)} or more, the size of the vocabulary; the dataset was made with another tokenizer"
            )
        made = {"input_ids": inputs, "labels": labels}
        if packed:
            made["position_ids"] = more[0]
            count_positions(documents, tokens.offsets, more[0])
        return tokens.replaced(rows, self.field, made)
