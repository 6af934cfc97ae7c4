"""A foreign task."""

from sslpipe.core.steps import Task


class Guess(Task):
    """Guesses."""

    def minimum(self) -> int:
        """One."""
        return 1
