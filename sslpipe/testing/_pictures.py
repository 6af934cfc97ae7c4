"""What holds for tasks that make something of pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs.image import ImageCodec
from sslpipe.core.errors import SslpipeError
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.testing._bench import SIGMAS, Bench, expect


def check_smallest(bench: Bench, field: str) -> None:
    """19: a picture of one pixel works, and one without any bytes, or a broken one, is refused."""
    dot = ImageCodec().encode(np.zeros((1, 1, 3), np.uint8))
    _label(bench, field, dot)
    for broken in (b"", dot[: len(dot) // 2]):
        try:
            _label(bench, field, broken)
        except SslpipeError:
            continue
        raise AssertionError(f"assertion 19: a picture of {len(broken)} bytes was taken, though it can't be decoded")


def _label(bench: Bench, field: str, data: bytes) -> None:
    one = bench.rows.take(np.array([0]))
    bench.label(one.with_columns(**{field: Ragged.from_bytes([data])}))


def check_views(made: list[Rows]) -> None:
    """15: the views of a row are drawn apart, each from the others; and none is a copy of another row's."""
    if "views" not in made[0].columns:
        return
    for result in made:
        views = result.array("views")
        for index in range(len(views) if views.shape[1] > 1 else 0):
            different = len({view.tobytes() for view in views[index]})
            expect(15, different == views.shape[1], f"row {index}: {views.shape[1] - different} views equal another of the row")
    if "view_params" in made[0].columns:
        drawn = np.concatenate([result.array("view_params") for result in made]).astype(np.float64)
        for column in range(drawn.shape[2]):
            _check_unrelated(drawn[:, :, column], column)


def _check_unrelated(drawn: NDArray[np.float64], column: int) -> None:
    """What two views of a row drew for one parameter has no correlation beyond chance."""
    for view in range(1, drawn.shape[1]):
        pair: NDArray[Any] = drawn[:, [0, view]]
        if (pair.std(axis=0) == 0).any():
            continue
        related = float(np.corrcoef(pair, rowvar=False)[0, 1])
        close = abs(related) <= SIGMAS / np.sqrt(len(pair))
        expect(15, close, f"parameter {column} of views 0 and {view} has a correlation of {related:.2f}")
