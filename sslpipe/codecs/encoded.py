"""The codec of each encoded kind of field, and columns of rows wrapped in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.encoded import Codec, Encoded
from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Kind
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows

if TYPE_CHECKING:
    from sslpipe.codecs.audio import Sound


def codec_of(kind: Kind) -> Codec[Any]:
    """The codec of an encoded kind."""
    if kind == "image":
        from sslpipe.codecs.image import ImageCodec

        return ImageCodec()
    if kind == "audio":
        from sslpipe.codecs.audio import AudioCodec

        return AudioCodec()
    raise SslpipeError(f"fields of {kind} are not encoded")


def pictures(rows: Rows, field: str) -> Encoded[NDArray[np.uint8]]:
    """A field of images: values are uint8 `[height, width, 3]`, upright RGB."""
    return _wrapped(rows, field, "image")


def sounds(rows: Rows, field: str) -> Encoded[Sound]:
    """A field of audio."""
    return _wrapped(rows, field, "audio")


def element_counts(column: Ragged, kind: Kind) -> NDArray[np.int64]:
    """The length of each row in what its kind is counted in, int64 `[n]`: pixels, samples a channel, tokens, bytes of text."""
    if kind == "image":
        return Encoded.of(column, codec_of(kind)).weights() // 3
    if kind == "audio":
        from sslpipe.codecs.audio import frames_of

        return np.array([frames_of(data)[0] for data in column.to_bytes()], np.int64)
    return column.lengths


def _wrapped(rows: Rows, field: str, kind: Kind) -> Encoded[Any]:
    column = rows.columns.get(field)
    if isinstance(column, Encoded):
        return column
    if isinstance(column, Ragged):
        return Encoded.of(column, codec_of(kind))
    raise SslpipeError(f"rows have no field `{field}` of encoded {kind}")
