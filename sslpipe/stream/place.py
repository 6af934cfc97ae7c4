"""What a batch carries home."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Whose a batch is, and where the stream stands once it was handed out."""

    stream: str
    generation: int
    """Counts `load_state_dict` and `set_epoch`: batches of passes begun before them no longer move the stream."""
    end: int
