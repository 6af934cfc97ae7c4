"""What a row looks like: a small extract of each of its fields, taken with caps and never trusted."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.damage import Damage

if TYPE_CHECKING:
    from sslpipe.core.fields import Field
    from sslpipe.shards.shard import Shard

CHARACTERS: Final = 600
"""Of a text."""
TOKENS: Final = 200
"""That are decoded for it."""
SHOWN: Final = 16
"""Numbers of an array."""
THUMBNAIL: Final = 192
"""The longer side of a picture."""
COLUMNS: Final = 160
"""Of a wave."""
DECODED_BYTES: Final = 256 << 20
"""A row that takes more memory than this is not decoded for a look."""

Decode = Callable[[list[int]], str]


@dataclass(frozen=True)
class Text:
    """The beginning of a text, and how much there is of it."""

    text: str
    size: str
    cut: bool


@dataclass(frozen=True)
class Picture:
    """A small JPEG of a picture."""

    jpeg: bytes
    size: tuple[int, int]
    """Width and height of the thumbnail."""
    said: str


@dataclass(frozen=True)
class Wave:
    """The envelope of a sound: the least and the greatest sample of each of some stretches, -1 to 1."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    said: str


@dataclass(frozen=True)
class Note:
    """What is said where there is nothing to show."""

    text: str


Payload = Text | Picture | Wave | Note


def payload(shard: Shard, name: str, field: Field, row: int, decode: Decode | None) -> Payload:
    """An extract of one field of one row; `decode` turns ids into text; without it they are shown as they are."""
    try:
        if field.kind in ("text", "meta"):
            return _text(shard, name, row)
        if field.kind == "image":
            return picture(shard.row(name, row).tobytes())
        if field.kind == "audio":
            return wave(shard.row(name, row).tobytes())
        return _numbers(shard, name, field, row, decode)
    except Damage as damage:
        return Note(f"can't be decoded: {damage.reason}")


def _text(shard: Shard, name: str, row: int) -> Text:
    data, size = _start(shard, name, row, 4 * CHARACTERS)
    text = data.decode("utf-8", "replace")[:CHARACTERS]
    cut = len(text.encode()) < size
    return Text(text.rstrip("\N{REPLACEMENT CHARACTER}") if cut else text, f"{size:,} bytes", cut)


def _numbers(shard: Shard, name: str, field: Field, row: int, decode: Decode | None) -> Payload:
    dtype = np.dtype(field.dtype)
    data, size = _start(shard, name, row, TOKENS * dtype.itemsize)
    values, count = np.frombuffer(data, dtype), size // dtype.itemsize
    if field.kind == "ids" and decode is not None:
        return Text(decode([int(value) for value in values])[:CHARACTERS], f"{count:,} tokens", count > len(values))
    shown = " ".join(f"{value:g}" if values.dtype.kind == "f" else str(value) for value in values[:SHOWN].tolist())
    said = f"{count:,} tokens" if field.kind == "ids" else f"{field.dtype} {list(field.shape)}, {count:,} numbers"
    return Text(shown, said.replace("None", "any"), count > SHOWN)


def _start(shard: Shard, name: str, row: int, limit: int) -> tuple[bytes, int]:
    """At most so many bytes of a field, and how many there are."""
    documents = shard.documents(name, np.array([row]))
    start, size = int(documents.starts[0]), int(documents.lengths[0]) * documents.dtype.itemsize
    return shard.data[start : start + min(size, limit)].tobytes(), size


def picture(data: bytes) -> Picture | Note:
    """A thumbnail; large JPEGs are decoded small to begin with. Raises Damage."""
    from PIL import Image

    from sslpipe.codecs.image import ImageCodec
    from sslpipe.codecs.image_header import image_header

    header = image_header(memoryview(data))
    width, height = header.width, header.height
    said = f"{width:,} × {height:,}, {len(data):,} bytes"
    if 3 * width * height > DECODED_BYTES:
        return Note(f"{said}: too large for a look")
    pixels, _ = ImageCodec().decode(data, THUMBNAIL)
    small = Image.fromarray(pixels)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return Picture(out.getvalue(), small.size, said)


def wave(data: bytes) -> Wave | Note:
    """The envelope of the first channel. Raises Damage."""
    from sslpipe.codecs.audio import AudioCodec, frames_of

    frames, rate, channels = frames_of(data)
    said = f"{frames / rate:,.2f} s, {rate:,} Hz" + (f", {channels} channels" if channels > 1 else "")
    if 4 * frames * channels > DECODED_BYTES:
        return Note(f"{said}: too long for a look")
    return Wave(*envelope(AudioCodec().decode(data)[0].samples[0], COLUMNS), said)


def envelope(samples: NDArray[np.float32], columns: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The least and the greatest of each of at most so many stretches of samples `[frames]`, clipped to full scale."""
    samples = np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32)
    starts = np.unique(np.linspace(0, len(samples), columns, endpoint=False).astype(np.int64))
    return np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)


def tokenizer_decode(tokenizer: Any) -> Decode | None:
    """How ids become text; None without a tokenizer."""
    if tokenizer is None:
        return None

    def decode(ids: list[int]) -> str:
        known = tokenizer.get_vocab_size()
        text: str = tokenizer.decode([number for number in ids if 0 <= number < known], skip_special_tokens=False)
        return text

    return decode
