"""The quality rules of Gopher."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field, model_validator

from sslpipe.core.fields import Fields
from sslpipe.core.steps import Context, Filter, Limit, Measure, Measures, Numbers, Verdicts, pick_field
from sslpipe.filters._judging import above, below, compared, first_reason, limits_of
from sslpipe.measures.text_statistics import TextStatistics

_DECIDING: Final = {
    "gopher.too_few_words": ("words", "", "min_words"),
    "gopher.too_many_words": ("words", "", "max_words"),
    "gopher.short_words": ("word_characters", "words", "min_mean_word_length"),
    "gopher.long_words": ("word_characters", "words", "max_mean_word_length"),
    "gopher.hashes": ("hashes", "tokens", "max_hash_ratio"),
    "gopher.ellipses": ("ellipses", "tokens", "max_ellipsis_ratio"),
    "gopher.bullet_lines": ("bullet_lines", "lines", "max_bullet_lines"),
    "gopher.ellipsis_lines": ("ellipsis_lines", "lines", "max_ellipsis_lines"),
    "gopher.non_alphabetic_words": ("alphabetic_tokens", "tokens", "min_alphabetic_words"),
    "gopher.too_few_stop_words": ("stop_words", "", "min_stop_words"),
}
"""What each reason compares: a count, the count that it is a share of, and the threshold."""


class GopherQuality(Filter):
    """Drops text that doesn't look like prose, by the rules of MassiveText.

    Rae et al. 2021 (Gopher, arXiv 2112.11446), appendix A.1.1; the defaults are theirs. Cheap and blunt: made for English web
    pages, it also drops much code, tables, and every language whose words are not set apart by spaces. What is counted is
    explained at `measures.text_statistics`; where the paper leaves room, the choices are datatrove's: words are what is left
    when pure punctuation is, stop words count when lower-case. A value on a limit is kept. A share of nothing (no tokens, no
    lines) is no reason to drop.

    Reasons, of which the first that holds is given: `gopher.too_few_words`, `gopher.too_many_words`, `gopher.short_words`,
    `gopher.long_words`, `gopher.hashes`, `gopher.ellipses`, `gopher.bullet_lines`, `gopher.ellipsis_lines`,
    `gopher.non_alphabetic_words`, `gopher.too_few_stop_words`.
    """

    field: str | None = None
    """The text field; by default the only one."""
    min_words: int = Field(default=50, ge=0)
    """Fewest words."""
    max_words: int = Field(default=100_000, ge=1)
    """Most words."""
    min_mean_word_length: float = Field(default=3, ge=0, allow_inf_nan=False)
    """Shortest mean length of words, in characters."""
    max_mean_word_length: float = Field(default=10, ge=0, allow_inf_nan=False)
    """Longest mean length of words, in characters."""
    max_hash_ratio: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """Most `#` per token."""
    max_ellipsis_ratio: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """Most ellipses per token."""
    max_bullet_lines: float = Field(default=0.9, ge=0, le=1)
    """Largest share of lines that start with a bullet or `-`."""
    max_ellipsis_lines: float = Field(default=0.3, ge=0, le=1)
    """Largest share of lines that end with an ellipsis."""
    min_alphabetic_words: float = Field(default=0.8, ge=0, le=1)
    """Smallest share of tokens, marks among them, that have a letter."""
    min_stop_words: int = Field(default=2, ge=0, le=8)
    """Fewest different words of: the, be, to, of, and, that, have, with."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for low, high in (("min_words", "max_words"), ("min_mean_word_length", "max_mean_word_length")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} ({getattr(self, low)}) is above {high} ({getattr(self, high)}): nothing would be kept")
        return self

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused unless the field is text."""
        pick_field(self, fields, "text", self.field)
        return fields

    def open(self, context: Context) -> GopherQuality:
        """The filter with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "text", self.field)})

    def needs(self) -> tuple[Measure, ...]:
        """The counts of the same field."""
        return (TextStatistics(field=self.field),)

    def judge(self, measures: Measures) -> Verdicts:
        """Per row: kept, or the first rule that it breaks."""
        words, tokens, lines = measures["words"], measures["tokens"], measures["lines"]
        length = measures["word_characters"]
        return first_reason(
            {
                "gopher.too_few_words": words < self.min_words,
                "gopher.too_many_words": words > self.max_words,
                "gopher.short_words": below(length, words, self.min_mean_word_length),
                "gopher.long_words": above(length, words, self.max_mean_word_length),
                "gopher.hashes": above(measures["hashes"], tokens, self.max_hash_ratio),
                "gopher.ellipses": above(measures["ellipses"], tokens, self.max_ellipsis_ratio),
                "gopher.bullet_lines": above(measures["bullet_lines"], lines, self.max_bullet_lines),
                "gopher.ellipsis_lines": above(measures["ellipsis_lines"], lines, self.max_ellipsis_lines),
                "gopher.non_alphabetic_words": below(measures["alphabetic_tokens"], tokens, self.min_alphabetic_words),
                "gopher.too_few_stop_words": measures["stop_words"] < self.min_stop_words,
            }
        )

    def explain(self, reason: str, numbers: Numbers) -> str:
        """The number that decided, beside its threshold."""
        part, whole, threshold = _DECIDING[reason]
        return compared(numbers, part, whole, threshold, getattr(self, threshold))

    def limits(self) -> tuple[Limit, ...]:
        """All ten."""
        return limits_of(self, _DECIDING)
