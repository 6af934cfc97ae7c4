"""Counts of words, lines and marks in text."""

from __future__ import annotations

import numpy as np

from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Measure, Measures, pick_field


class TextStatistics(Measure):
    """All counts that the heuristic text filters compare, from one pass over the bytes.

    Each is an int64 array `[n]`:

    | name | what it counts |
    |---|---|
    | `bytes`, `characters` | the length of the text in UTF-8, and in code points |
    | `tokens` | words and the marks that come off them; the rules are in `kernels/words.py` |
    | `words` | tokens with some character that is not punctuation, a symbol or a control |
    | `word_characters` | code points in words |
    | `alphabetic_tokens` | tokens with at least one letter, as `str.isalpha` has it |
    | `hashes` | the character `#` |
    | `ellipses` | `...`, from the left without overlap, and U+2026 |
    | `lines` | lines as `str.splitlines` divides them |
    | `bullet_lines` | lines whose first visible character is `-` or U+2022 |
    | `ellipsis_lines` | lines whose last visible characters are `...` or U+2026 |
    | `stop_words` | how many of the eight stop words of Gopher occur, 0 to 8; as lower-case words only |

    The words are those of languages that put spaces between them. Letters, white space and the like are fixed to one version of
    Unicode (`kernels/unicode_tables.py`), whatever Python runs.
    """

    field: str | None = None
    """The text field; by default the only one."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused unless the field is text."""
        pick_field(self, fields, "text", self.field)
        return fields

    def open(self, context: Context) -> TextStatistics:
        """The measure with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "text", self.field)})

    def names(self) -> tuple[str, ...]:
        """The names in the table above, in order."""
        from sslpipe.kernels.text_statistics import STATISTICS

        return STATISTICS

    def measure(self, rows: Rows) -> Measures:
        """The counts of every row, int64 `[n]` each."""
        from sslpipe.kernels.text_statistics import STATISTICS, text_statistics

        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it measures")
        column = rows.ragged(self.field)
        counts = text_statistics(column.values, column.offsets)
        measures = {name: np.ascontiguousarray(counts[:, index]) for index, name in enumerate(STATISTICS)}
        measures["stop_words"] = np.bitwise_count(measures["stop_words"]).astype(np.int64)
        return measures
