"""A foreign map without fields."""

from sslpipe.core.steps import Map


class Same(Map):
    """Changes nothing."""

    version = 3

    file: str | None = None
    """A file it needs."""
    word: str = ""
    """No path, though it may read like one."""

    def files(self) -> tuple[str, ...]:
        """The file."""
        return () if self.file is None else (self.file,)
