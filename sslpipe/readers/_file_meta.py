"""What readers of files keep of the place that a file lies at."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sslpipe.readers._batch import meta_json


def file_meta(path: str, keep: Sequence[str]) -> bytes:
    """What `keep` asks for, as canonical JSON: `folder`, the name of the folder; any other name, the path itself."""
    return meta_json({name: shown(path.split("/")[-2] if name == "folder" else path) for name in keep})


def shown(name: str) -> str:
    """A file name as text; bytes that aren't UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
