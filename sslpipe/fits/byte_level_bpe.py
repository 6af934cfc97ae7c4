"""A byte-level BPE tokenizer, learnt from the corpus."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Final

from pydantic import Field

from sslpipe.codecs.tokenizer import SLICE_BYTES, text_slices
from sslpipe.core.errors import DataError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Fit, SampleSpec, pick_field
from sslpipe.core.units import Bytes

CONTROL: Final = ("<pad>", "<eos>", "<mask>")
"""The control tokens, ids 0, 1 and 2."""


class ByteLevelBpe(Fit):
    """Learns merges of bytes within words cut as GPT-2 cuts them (Sennrich et al., arXiv 1508.07909; Radford et al. 2019).

    Every text can be encoded, without an unknown token and without loss. Languages without spaces get longer words, which
    cost time in training; a Unigram model would serve them a little better.
    """

    artefact: ClassVar[str] = "tokenizer.json"
    """In the format of `tokenizers`; `maps.tokenize` takes it."""

    vocab_size: int = Field(default=16_000, ge=259, le=2**20)
    """Ids in all: three control tokens, 256 bytes, and merges. Fewer come out where the sample has too few pairs."""
    sample_bytes: Bytes = Field(default=200_000_000, ge=1)
    """How much text to learn from; more than about 1 GB changes next to nothing."""
    field: str | None = None
    """The text field; by default the only one."""
    min_frequency: int = Field(default=2, ge=1)
    """Pairs rarer than this are not merged."""

    def sample(self, fields: Fields) -> SampleSpec:
        """About `sample_bytes` of the text field."""
        return SampleSpec(pick_field(self, fields, "text", self.field), self.sample_bytes)

    def fit(self, rows: Rows, target: Path) -> None:
        """Learn from the text of all rows. Counts of words are all that enters, so neither order nor threads matter."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        field = self.field or self._only_text(rows)
        if len(rows) == 0:
            raise DataError(f"{self.path()}: the sample holds no row; there is nothing to learn from (field `{field}`)")
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=list(CONTROL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        with _own_threads():
            tokenizer.train_from_iterator(_texts(rows, field), trainer)
        target.write_text(tokenizer.to_str(pretty=True), encoding="utf-8")

    def _only_text(self, rows: Rows) -> str:
        names = [name for name in rows.columns if not name.startswith("_")]
        if len(names) != 1:
            raise DataError(f"{self.path()}: the sample has the fields {', '.join(names) or 'none'}; say which with `field:`")
        return names[0]


def _texts(rows: Rows, field: str) -> Iterator[list[str]]:
    column = rows.ragged(field)
    for start, stop in text_slices(column, SLICE_BYTES):
        yield column.view(start, stop).to_texts()


@contextmanager
def _own_threads() -> Iterator[None]:
    """Let the library count and merge on all cores, unless the user has said no; afterwards it is as before.

    Said aloud either way, since a later fork would print a warning otherwise.
    """
    before = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = before or "true"
    try:
        yield
    finally:
        os.environ["TOKENIZERS_PARALLELISM"] = before or "false"
