"""Rows that are the same to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from sslpipe.codecs.encoded import pictures, sounds
from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import ENCODED, Fields, Kind
from sslpipe.core.hashes import split_digests
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.core.steps import Context, Dedup


class Exact(Dedup):
    """Two rows are the same when one field is the same in both, as it stands at this place in the recipe.

    Of text, ids and arrays the bytes are compared; the shape of an array is not. Pictures are compared by their pixels, sound
    by its rate and samples, each decoded whole for this: a PNG, the same PNG compressed better, and a lossless WebP are one.

    Compared by 128-bit xxh3: among 10^10 different rows the chance of one false match is about 10^-19. Put it behind the maps
    that undo differences which don't matter (`maps.normalize_text`, `maps.resample_audio`); nothing is normalised here. What a
    lossy file decodes to is only compared with itself: the same photograph as two JPEGs is two pictures.
    """

    version: ClassVar[int] = 2
    """2: pictures and sound are compared as they decode."""

    field: str | None = None
    """The field that is compared; by default the only one that is not `meta`."""

    def outputs(self, fields: Fields) -> Fields:
        """The same fields; refused where it isn't clear which one is compared."""
        self._pick(fields)
        return fields

    def open(self, context: Context) -> Exact:
        """The dedup at work, which knows what its field holds."""
        field = self._pick(context.fields)
        return _OpenedExact(field=field, kind=context.fields[field].kind)

    def sign(self, rows: Rows) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Only of the object that `open` returns, since bytes and what they decode to differ in what is the same."""
        raise SslpipeError(f"{self.path()} must be opened before it signs")

    def _pick(self, fields: Fields) -> str:
        have = ", ".join(f"{name}: {field.kind}" for name, field in fields.items()) or "none"
        if self.field is not None:
            if self.field in fields:
                return self.field
            raise RecipeError(f"{self.path()}: there is no field `{self.field}` (fields here: {have})")
        candidates = [name for name, field in fields.items() if field.kind != "meta"]
        if len(candidates) == 1:
            return candidates[0]
        problem = "there are several; say which with `field:`" if candidates else "there is none"
        raise RecipeError(f"{self.path()} needs a field to compare; {problem} (fields here: {have})")


class _OpenedExact(Exact):
    field: str
    kind: Kind

    def open(self, context: Context) -> Exact:
        return self

    def sign(self, rows: Rows) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """The digest of each row, high and low, uint64 `[n]` each."""
        digests = list(map(xxhash.xxh3_128_digest, _rows_of_bytes(rows[self.field]))) if self.kind not in ENCODED else []
        if self.kind == "image":
            digests = [_digest(pixels.shape, pixels) for pixels in pictures(rows, self.field).values()]
        elif self.kind == "audio":
            heard = sounds(rows, self.field).values()
            digests = [_digest((sound.rate, *sound.samples.shape), sound.samples) for sound in heard]
        return split_digests(digests)


def _digest(facts: tuple[int, ...], values: NDArray[Any]) -> bytes:
    """Of decoded values, and what their bytes alone don't tell."""
    state = xxhash.xxh3_128(np.array(facts, "<i8").tobytes())
    state.update(np.ascontiguousarray(values).data)
    return state.digest()


def _rows_of_bytes(column: Column) -> Iterator[memoryview]:
    """The bytes of each row, without copying."""
    if isinstance(column, Ragged):
        values, ends = np.ascontiguousarray(column.values), column.offsets * column.values.itemsize
    else:
        values = np.ascontiguousarray(column)
        ends = np.arange(len(column) + 1) * (values.itemsize * int(np.prod(values.shape[1:])))
    whole = values.reshape(-1).view(np.uint8).data
    start = int(ends[0])
    for end in ends[1:].tolist():
        yield whole[start:end]
        start = end
