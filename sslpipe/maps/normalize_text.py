"""Text brought into one form."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError, SslpipeError
from sslpipe.core.fields import Fields
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map, pick_field
from sslpipe.maps._normal_form import normal_form


class NormalizeText(Map):
    """Makes equal what only looks different: normal form, line ends, controls, idle white space.

    In this order, on one text field:

    1. Line ends of every kind (CR LF, CR, VT, FF, U+001C to U+001E, NEL, U+2028, U+2029) become a newline.
    2. Controls go (C0 and C1 but newline and tab, and DEL), and so does U+FEFF, wherever it stands.
    3. The Unicode normal form is taken. NFC changes only how characters are encoded. NFKC also replaces what is compatible
       (ligatures, full-width letters, superscripts), which loses meaning in mathematics and code.
    4. White space at the end of every line goes, then runs of blank lines are cut to `max_blank_lines`, then white space at
       both ends of the text goes, the indentation of the first line with it.

    Applying it twice changes nothing more, and time is linear in the text. ASCII never leaves one compiled pass. Normal forms
    come from the interpreter's Unicode tables: the standard promises that the form of characters assigned by then never
    changes, but a character newer than the tables is left alone, so two Python versions may differ on text that has such.
    """

    field: str | None = None
    """The text field; by default the only one."""
    unicode: Literal["NFC", "NFKC", "none"] = "NFC"
    """The normal form (Unicode annex 15); `none` leaves characters as they are."""
    max_blank_lines: int = Field(default=2, ge=0, le=1_000_000)
    """Most blank lines that follow one another."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused unless the field is text."""
        pick_field(self, fields, "text", self.field)
        return fields

    def open(self, context: Context) -> NormalizeText:
        """The map with its field chosen."""
        return self.model_copy(update={"field": pick_field(self, context.fields, "text", self.field)})

    def map(self, rows: Rows, draw: Draw) -> Rows:
        """The rows with their text in that form; raises DataError for a row that is not UTF-8."""
        if self.field is None:
            raise SslpipeError(f"{self.path()} must be opened, or given a `field:`, before it maps")
        tidy, beyond_ascii = self._tidy(rows.ragged(self.field))
        changed = self._renormalized(tidy, np.flatnonzero(beyond_ascii)) if self.unicode != "none" else {}
        if changed:
            again, _ = self._tidy(Ragged.from_texts(list(changed.values())))
            order = np.arange(len(tidy))
            order[list(changed)] = len(tidy) + np.arange(len(changed))
            tidy = Ragged.concat([tidy, again]).take(order)
        return rows.with_columns(**{self.field: tidy})

    def _tidy(self, column: Ragged) -> tuple[Ragged, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        from sslpipe.kernels.normal_text import normal_text

        values, offsets, beyond_ascii = normal_text(column.values, column.offsets, self.max_blank_lines)
        return Ragged(values, offsets), beyond_ascii

    def _renormalized(self, column: Ragged, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> dict[int, str]:
        """The rows among these whose normal form is another text."""
        assert self.unicode != "none"
        changed = {}
        for row in rows.tolist():
            try:
                text = column[row].tobytes().decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{self.path()}: row {row} of the batch has bytes in field `{self.field}` that are not UTF-8 ({error}); "
                    "a step before it wrote them, since readers let none through"
                ) from error
            normal = normal_form(text, self.unicode)
            if normal != text:
                changed[row] = normal
        return changed
