"""Rows in and out of Arrow, the type of storage and exchange."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows

NAME_COLUMNS = ("_key_high", "_key_low", "_occurrence", "_offset")


def to_arrow(rows: Rows) -> pa.RecordBatch:
    """One record batch: name columns first, then the fields in the order of their names."""
    names = rows.names
    arrays: dict[str, pa.Array] = dict(
        zip(
            NAME_COLUMNS,
            map(pa.array, (names.high, names.low, names.occurrence, names.offset)),
            strict=True,
        )
    )
    for field in sorted(rows.columns):
        arrays[field] = _array(rows[field])
    return pa.RecordBatch.from_pydict(arrays)


def _array(column: Column) -> pa.Array:
    if isinstance(column, Ragged):
        first, last = int(column.offsets[0]), int(column.offsets[-1])
        offsets = pa.py_buffer(np.ascontiguousarray(column.offsets - first))
        values = np.ascontiguousarray(column.values[first:last])
        if values.dtype == np.uint8:
            return pa.Array.from_buffers(pa.large_binary(), len(column), [None, offsets, pa.py_buffer(values)])
        return pa.LargeListArray.from_arrays(pa.array(column.offsets - first), pa.array(values))
    if column.ndim == 1:
        return pa.array(column)
    inner: pa.Array = pa.array(np.ascontiguousarray(column).reshape(-1))
    for size in reversed(column.shape[1:]):
        inner = pa.FixedSizeListArray.from_arrays(inner, size)
    return inner


def from_arrow(batch: pa.RecordBatch) -> Rows:
    """The rows of one record batch; numeric and byte columns are views of Arrow's memory."""
    arrays = {name: batch.column(index) for index, name in enumerate(batch.schema.names)}
    high, low, occurrence, offset = (numbers(arrays.pop(name)) for name in NAME_COLUMNS)
    return Rows(Names(high, low, occurrence, offset), {name: _column(array) for name, array in arrays.items()})


def numbers(array: pa.Array) -> NDArray[Any]:
    """A numeric array without nulls as a view of Arrow's memory."""
    if pa.types.is_boolean(array.type):
        return np.asarray(array)
    dtype, buffer = dtype_of(array.type), array.buffers()[1]
    view = np.frombuffer(buffer, dtype, len(array), array.offset * dtype.itemsize) if len(array) else np.empty(0, dtype)
    view.setflags(write=False)
    return view


def dtype_of(kind: pa.DataType) -> np.dtype[Any]:
    """The dtype of a numeric type, TypeError for others; Arrow's own answer needs pandas before version 26."""
    if pa.types.is_boolean(kind):
        return np.dtype(np.bool_)
    letters = {pa.types.is_signed_integer: "i", pa.types.is_unsigned_integer: "u", pa.types.is_floating: "f"}
    for is_one, letter in letters.items():
        if is_one(kind):
            return np.dtype(f"{letter}{kind.bit_width // 8}")
    raise TypeError(f"{kind} is no type of numbers")


def _offsets(array: pa.Array) -> NDArray[np.int64]:
    buffer = array.buffers()[1]
    return np.frombuffer(buffer, np.int64, len(array) + 1, array.offset * 8)


def _column(array: pa.Array) -> Column:
    kind = array.type
    if pa.types.is_large_binary(kind) or pa.types.is_large_string(kind):
        data = array.buffers()[2]
        values = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
        return Ragged(values, _offsets(array))
    if pa.types.is_large_list(kind):
        return Ragged(numbers(array.values), _offsets(array))
    shape: list[int] = []
    while pa.types.is_fixed_size_list(array.type):
        shape.append(array.type.list_size)
        array = array.flatten()
    return numbers(array).reshape(-1, *shape) if shape else numbers(array)
