"""What holds for tasks that make something of pictures."""

from __future__ import annotations

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
    """15: the views of a row are drawn apart, so they differ, and what one drew says nothing of the other."""
    if "views" not in made[0].columns:
        return
    for result in made:
        views = result.array("views")
        for index in range(len(views)):
            same = views.shape[1] - len({view.tobytes() for view in views[index]})
            expect(15, same == 0, f"row {index}: {same} views equal another of the row")
    if "view_params" in made[0].columns and len(made) > 1:
        drawn = np.stack([result.array("view_params") for result in made]).astype(np.float64)
        drawn -= drawn.mean(axis=0)  # what a row's own size does to its crops is no relation between its views
        for column in range(drawn.shape[3]):
            for view in range(1, drawn.shape[2]):
                _check_unrelated(drawn[:, :, 0, column], drawn[:, :, view, column], f"parameter {column} of views 0 and {view}")


def _check_unrelated(one: NDArray[np.float64], other: NDArray[np.float64], what: str) -> None:
    """Two tables of epochs and rows, whose columns add up to 0, have no more in common than by chance.

    Rows may vary more or less than others, so their products are held against their own spread.
    """
    products = one * other
    spread = np.sqrt((products**2).sum() * len(one) / (len(one) - 1))
    expect(15, abs(products.sum()) <= SIGMAS * spread, f"{what} are related")
