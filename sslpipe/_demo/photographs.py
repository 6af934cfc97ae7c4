"""The two photographs that scikit-learn brings, cut into tiles."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from typing import Final

from sslpipe.core.errors import EnvironmentFault

SIDE: Final = 192
STEP: Final = 24
QUALITY: Final = 92


def write_photographs(folder: Path) -> int:
    """Write overlapping tiles of 192 x 192 as JPEG, and count them.

    Tiles overlap, so a contrastive model can't learn much from them; they are there to be looked at, and to run through every
    step. Some show nothing but sky, which `filters.image_quality` has an opinion on.
    """
    import simplejpeg

    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for photograph in _photographs():
        picture = simplejpeg.decode_jpeg(photograph.read_bytes(), "RGB")
        height, width, _ = picture.shape
        for top, left in itertools.product(range(0, height - SIDE + 1, STEP), range(0, width - SIDE + 1, STEP)):
            tile = picture[top : top + SIDE, left : left + SIDE].copy()
            encoded = simplejpeg.encode_jpeg(tile, QUALITY, "RGB", "420")
            (folder / f"{photograph.stem}-{top:03d}-{left:03d}.jpg").write_bytes(encoded)
            count += 1
    return count


def _photographs() -> list[Path]:
    """The files themselves: importing scikit-learn to ask it for them would take seconds."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise EnvironmentFault("scikit-learn, whose photographs the demo cuts up, is not installed: pip install scikit-learn")
    return sorted((Path(spec.submodule_search_locations[0]) / "datasets" / "images").glob("*.jpg"))
