"""A foreign filter that asks its own process to stop."""

from __future__ import annotations

import os
import signal

from sslpipe.core.steps import Filter, Measure, Measures, Verdicts
from tests.building.foreign.measures.size import Size


class Stopped(Filter):
    """Sends SIGTERM to the process it runs in, and keeps everything."""

    def needs(self) -> tuple[Measure, ...]:
        """The size."""
        return (Size(),)

    def judge(self, measures: Measures) -> Verdicts:
        """All kept, if the process is still there to hear it."""
        os.kill(os.getpid(), signal.SIGTERM)
        return Verdicts((measures["elements"] < 0).astype("uint8"), ("never",))
