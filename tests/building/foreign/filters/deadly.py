"""A foreign filter that takes its process down with it."""

from __future__ import annotations

import os
import signal

from sslpipe.core.steps import Filter, Measure, Measures, Verdicts
from tests.building.foreign.measures.size import Size


class Deadly(Filter):
    """Kills the process it runs in."""

    spare: int
    """The one process that it refuses to kill: the one that the tests run in."""

    def needs(self) -> tuple[Measure, ...]:
        """The size."""
        return (Size(),)

    def judge(self, measures: Measures) -> Verdicts:
        """Never answers."""
        if os.getpid() == self.spare:
            raise RuntimeError("this step should run in a worker")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError
