"""Which rows are held out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from sslpipe.core.value import Value

Share = Annotated[float, Field(gt=0, lt=1)]


class Splits(Value):
    """Shares of rows that go to `val` and `test`; what is left is `train`.

    A row's split is a function of a hash, never of the seed, so `val` grows from one end and `test` from the other without
    moving a row between them. With `by` the hash is that of a group: all rows of one speaker, patient or site fall to one side,
    which is what a score on `val` should be measured on; shares are then met only as well as groups are even.
    """

    val: Share | None = None
    """The share of the validation split."""
    test: Share | None = None
    """The share of the test split."""
    by: str | None = None
    """A column of `meta`, which readers must `keep`, whose value names a row's group; a row without one is its own."""

    @model_validator(mode="after")
    def _leave_some(self) -> Splits:
        total = (self.val or 0) + (self.test or 0)
        if total >= 1:
            raise ValueError(f"got splits that sum to {total:g}, wanted less than 1: the rest is `train`")
        if self.by is not None and not total:
            raise ValueError("got `by:` alone, wanted `val:` or `test:` with it: the share that is held out")
        return self
