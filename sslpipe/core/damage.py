"""What a codec raises when bytes are not what they should be."""

from __future__ import annotations

from sslpipe.core.errors import DataError


class Damage(DataError):
    """Bytes that can't be decoded, a file that can't be read, or a cap that was reached.

    Readers turn it into an entry of the quarantine. `reason` is dotted and stable (`gz.data`, `text.utf8`), `offset` the byte
    where the damage was noticed, counted from the start of what the codec was given. `cut` says that bytes are missing rather
    than wrong: what was decoded before is sound then.
    """

    def __init__(self, reason: str, offset: int, detail: str, cut: bool = False) -> None:
        super().__init__(f"{reason} at byte {offset}: {detail}")
        self.reason = reason
        self.offset = offset
        self.detail = detail
        self.cut = cut

    def __reduce__(self) -> tuple[type[Damage], tuple[str, int, str, bool]]:
        return type(self), (self.reason, self.offset, self.detail, self.cut)
