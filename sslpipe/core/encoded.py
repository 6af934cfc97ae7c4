"""A column of encoded rows on its way through steps that want them decoded."""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.damage import Damage
from sslpipe.core.ragged import Ragged

Value = TypeVar("Value")
Bytes = bytes | memoryview


class Codec(Protocol[Value]):
    """Turns the bytes of one row into a value and back; `codecs` has one for each encoded kind of field."""

    def decode(self, data: Bytes, at_least: int | None = None) -> tuple[Value, bool]:
        """The value, and whether it is whole; raises Damage.

        With `at_least` a large picture may come out smaller, its short side still that long: it is then not whole.
        """

    def shrinks(self, data: Bytes, at_least: int) -> bool:
        """Whether `decode` would leave something out with this `at_least`; False for bytes without a readable header."""

    def encode(self, value: Value) -> bytes:
        """Bytes that decode to exactly this value."""

    def blank(self) -> Value:
        """What stands in for a row that can't be decoded, until that row is taken out."""

    def weight(self, data: Bytes) -> int:
        """How many bytes the value takes in memory, from the header; 0 for bytes without a readable one."""


class Encoded(Generic[Value]):
    """Rows of pictures or sound, each decoded at most once however many steps ask for it.

    A row has bytes, a value, or both. A step that changes a value leaves the row without bytes; they are made when the batch
    leaves the steps (`stored`), without loss, unless a step such as `maps.encode_jpeg` made them as it wanted. Like other
    columns it is never changed in place, but for values being remembered.

    What was decoded once, or made by a step, is known to be sound; `check` decodes the rest, so that no damaged row leaves the
    steps because none of them happened to look at it. A forgiving column notes rows that can't be decoded in `damages`, by
    position, and goes on with a blank one: whoever runs the steps takes such rows out. Any other raises Damage.
    """

    __slots__ = ("_codec", "_data", "_forgiving", "_sound", "_values", "damages")

    def __init__(
        self,
        data: Sequence[Bytes | None],
        values: Sequence[Value | None],
        sound: Sequence[bool],
        codec: Codec[Value],
        forgiving: bool = False,
    ) -> None:
        self._data, self._values, self._sound = list(data), list(values), list(sound)
        self._codec, self._forgiving = codec, forgiving
        self.damages: dict[int, Damage] = {}

    @classmethod
    def of(cls, column: Ragged, codec: Codec[Value], forgiving: bool = False) -> Encoded[Value]:
        """Encoded bytes, uint8, none of them decoded yet; the bytes are not copied."""
        whole = memoryview(np.ascontiguousarray(column.values).data)
        ends = column.offsets.tolist()
        data = [whole[a:b] for a, b in itertools.pairwise(ends)]
        return cls(data, [None] * len(data), [False] * len(data), codec, forgiving)

    def __len__(self) -> int:
        return len(self._data)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Which rows have a value that no bytes say yet, bool `[n]`."""
        return np.array([data is None for data in self._data], np.bool_)

    def data(self, row: int) -> Bytes | None:
        """The bytes of a row; None where a step changed its value since."""
        return self._data[row]

    def value(self, row: int, at_least: int | None = None) -> Value:
        """The decoded row; with `at_least` it may be a smaller picture of it, see `Codec.decode`.

        What comes out depends on the row alone, not on what was decoded before: else a step would see other pixels where
        another one ran before it.
        """
        value, data = self._values[row], self._data[row]
        if value is not None and (at_least is None or data is None or not self._codec.shrinks(data, at_least)):
            return value
        assert data is not None
        try:
            value, whole = self._codec.decode(data, at_least)
        except Damage as damage:
            if not self._forgiving:
                raise
            self.damages[row] = damage
            value, whole = self._codec.blank(), True
        self._sound[row] = True
        if whole:
            self._values[row] = value
        return value

    def check(self) -> None:
        """Decode what nothing has looked at yet, as small as it may come out, only to see whether it can be."""
        for row, sound in enumerate(self._sound):
            if not sound:
                self.value(row, 1)

    def values(self, at_least: int | None = None) -> list[Value]:
        """All rows decoded."""
        return [self.value(row, at_least) for row in range(len(self))]

    def with_values(self, values: Mapping[int, Value]) -> Encoded[Value]:
        """The same rows, those of these positions with another value."""
        data = [None if row in values else data for row, data in enumerate(self._data)]
        return self._like(data, [values.get(row, value) for row, value in enumerate(self._values)], values)

    def with_data(self, data: Mapping[int, bytes]) -> Encoded[Value]:
        """The same rows, those of these positions with other bytes, which are decoded again when asked for."""
        values = [None if row in data else value for row, value in enumerate(self._values)]
        return self._like([data.get(row, old) for row, old in enumerate(self._data)], values, data)

    def knowing(self, values: Sequence[Value]) -> Encoded[Value]:
        """The same rows with what somebody has decoded from these bytes already."""
        return self._like(self._data, values, range(len(self)))

    def take(self, rows: NDArray[Any]) -> Encoded[Value]:
        """The rows at these positions."""
        return self._picked(rows.tolist())

    def view(self, start: int, stop: int) -> Encoded[Value]:
        """Rows `start` to `stop`."""
        return self._picked(range(start, min(stop, len(self))))

    def _picked(self, rows: Sequence[int]) -> Encoded[Value]:
        return Encoded(
            [self._data[row] for row in rows],
            [self._values[row] for row in rows],
            [self._sound[row] for row in rows],
            self._codec,
            self._forgiving,
        )

    def _like(self, data: Sequence[Bytes | None], values: Sequence[Value | None], made: Container[int]) -> Encoded[Value]:
        sound = [row in made or sound for row, sound in enumerate(self._sound)]
        return Encoded(data, values, sound, self._codec, self._forgiving)

    def weights(self) -> NDArray[np.int64]:
        """Bytes that each row takes decoded, int64 `[n]`, from headers alone; a changed row counts as nothing."""
        return np.array([0 if data is None else self._codec.weight(data) for data in self._data], np.int64)

    def stored(self) -> Ragged:
        """The bytes of all rows, uint8; those of changed values are made here."""
        return Ragged.from_bytes([data if data is not None else self._encoded(row) for row, data in enumerate(self._data)])

    def _encoded(self, row: int) -> bytes:
        value = self._values[row]
        assert value is not None
        return self._codec.encode(value)
