"""Makes the helpers beside these tests importable, and takes the clock out of generated tests."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("sslpipe", deadline=None, max_examples=60)
settings.load_profile("sslpipe")
