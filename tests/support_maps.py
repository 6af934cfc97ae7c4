"""What the tests of maps over pictures share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs.encoded import codec_of, pictures
from sslpipe.core.draw import Draw
from sslpipe.core.encoded import Encoded
from sslpipe.core.fields import Field
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Map
from tests.support_text import rows_of

FIELDS = {"image": Field(kind="image"), "text": Field(kind="text")}
DRAW = Draw(seed=0, step="a")


def rows_of_files(*files: bytes, forgiving: bool = False) -> Rows:
    column = Encoded.of(Ragged.from_bytes(files), codec_of("image"), forgiving)
    return rows_of(image=Ragged.from_bytes(files), text=Ragged.from_texts(["a"] * len(files))).with_columns(image=column)


def mapped(step: Map, rows: Rows) -> Encoded[NDArray[np.uint8]]:
    """The column of pictures after a map; checks that the map left everything else alone."""
    before = rows.ragged("image").to_bytes()
    out = step.open(Context(fields=FIELDS)).map(rows, DRAW)
    assert out.names is rows.names and out["text"] is rows["text"] and len(out) == len(rows)
    assert rows.ragged("image").to_bytes() == before
    return pictures(out, "image")
