"""The next token, for models of the GPT family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sslpipe.core.draw import Draw
from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Labeller, Task, pick_field
from sslpipe.tasks._token_rows import TokenRows, token_outputs


class NextToken(Task):
    """Each token is predicted from those before it in its document (Radford et al. 2019).

    Works on packed rows and on plain ones, which stay ragged until collate pads them. Nothing is predicted across documents,
    and padding is known by its place, so the end of each document is learnt even where the end token doubles as the pad token.
    """

    labels: Literal["unshifted", "shifted"] = "unshifted"
    """`unshifted`: for models that shift inside, as Hugging Face's do; `shifted`: for losses that compare place by place."""
    field: str | None = None
    """The field of ids; by default the only one."""

    def outputs(self, fields: Fields) -> Fields:
        """`input_ids`, `labels`, `position_ids`, int64, in place of the ids and as long; `document_ids` stay."""
        return token_outputs(self, fields, self.field, ("input_ids", "labels", "position_ids"))

    def minimum(self) -> int:
        """Two tokens: one to see and one to predict."""
        return 2

    def open(self, context: Context) -> Labeller:
        """The task with its field known."""
        return _Opened(self, pick_field(self, context.fields, "ids", self.field))


@dataclass(frozen=True)
class _Opened:
    step: NextToken
    field: str

    def label(self, rows: Rows, draw: Draw) -> Rows:
        """The training pairs of a batch; nothing is drawn."""
        from sslpipe.kernels.next_token import next_token_packed, next_token_whole

        tokens = TokenRows.of(self.step, rows, self.field)
        inputs, labels, positions = tokens.room(3)
        shifted = self.step.labels == "shifted"
        if tokens.documents is None:
            next_token_whole(tokens.ids, tokens.offsets, shifted, inputs, labels, positions)
        else:
            next_token_packed(tokens.ids, tokens.documents, tokens.offsets, shifted, inputs, labels, positions)
        return tokens.replaced(rows, self.field, {"input_ids": inputs, "labels": labels, "position_ids": positions})
