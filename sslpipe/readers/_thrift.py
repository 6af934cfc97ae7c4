"""As much of Thrift's compact protocol as the metadata of Parquet needs: what isn't asked for is passed over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

_DEPTH: Final = 16
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = range(1, 14)
_FIXED: Final = {_TRUE: 0, _FALSE: 0, _BYTE: 1, _DOUBLE: 8, _UUID: 16}
_INTEGERS: Final = (_I16, _I32, _I64)

Read = Callable[[bytes, int, int], tuple[Any, int]]
"""Reads a value from data, where it starts, of a kind; returns it, and where it ends."""


def struct(wanted: Mapping[int, Read]) -> Read:
    """Reads a struct as a dict of the fields that are wanted, by their numbers.

    Whatever reads raises IndexError where the data end too early, and ValueError where they are not what is wanted.
    """

    def read(data: bytes, at: int, kind: int) -> tuple[dict[int, Any], int]:
        _check(kind, _STRUCT)
        out: dict[int, Any] = {}
        number = 0
        while True:
            number, inner, at = _field(data, at, number)
            if inner == 0:
                return out, at
            if number in wanted:
                out[number], at = wanted[number](data, at, inner)
            else:
                at = _skipped(data, at, inner, 0)

    return read


def items(item: Read) -> Read:
    """Reads a list."""

    def read(data: bytes, at: int, kind: int) -> tuple[list[Any], int]:
        _check(kind, _LIST)
        size, inner, at = _list(data, at)
        out = []
        for _ in range(size):
            value, at = item(data, at, inner)
            out.append(value)
        return out, at

    return read


def integer(data: bytes, at: int, kind: int) -> tuple[int, int]:
    """Reads an integer of 16, 32 or 64 bits."""
    _check(kind, *_INTEGERS)
    number, at = _varint(data, at)
    return (number >> 1) ^ -(number & 1), at


def binary(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """Reads bytes."""
    _check(kind, _BINARY)
    end = _skipped(data, at, kind, 0)
    _, start = _varint(data, at)
    return data[start:end], end


def place(data: bytes, at: int, kind: int) -> tuple[int, int]:
    """Passes over a struct, and says where it starts."""
    _check(kind, _STRUCT)
    return at, _skipped(data, at, kind, 0)


def read_struct(read: Read, data: bytes, at: int) -> tuple[dict[int, Any], int]:
    """The struct that starts somewhere, and where it ends."""
    return read(data, at, _STRUCT)


def _check(kind: int, *wanted: int) -> None:
    if kind not in wanted:
        raise ValueError(f"a value of the kind {kind}, wanted {wanted[0]}")


def _field(data: bytes, at: int, before: int) -> tuple[int, int, int]:
    """The number and kind of the next field, and where it starts; kind 0 at the end of a struct."""
    head = data[at]
    kind = head & 15
    if head >> 4 or kind == 0:
        return before + (head >> 4), kind, at + 1
    number, at = _varint(data, at + 1)
    return (number >> 1) ^ -(number & 1), kind, at


def _list(data: bytes, at: int) -> tuple[int, int, int]:
    """Size and kind of items, and where the first one starts; an item takes a byte at least."""
    head = data[at]
    size, at = _varint(data, at + 1) if head >> 4 == 15 else (head >> 4, at + 1)
    if size > len(data) - at:
        raise IndexError
    kind = head & 15
    return size, _BYTE if kind in (_TRUE, _FALSE) else kind, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    out = shift = 0
    while True:
        byte = data[at]
        out |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return out, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _skipped(data: bytes, at: int, kind: int, depth: int) -> int:
    """Where a value ends."""
    if depth > _DEPTH:
        raise ValueError("nested too deep")
    if kind in _FIXED:
        at += _FIXED[kind]
    elif kind in _INTEGERS:
        _, at = _varint(data, at)
    elif kind == _BINARY:
        size, at = _varint(data, at)
        at += size
    elif kind in (_LIST, _SET):
        size, inner, at = _list(data, at)
        for _ in range(size):
            at = _skipped(data, at, inner, depth + 1)
    elif kind == _STRUCT:
        while True:
            _, inner, at = _field(data, at, 0)
            if inner == 0:
                return at
            at = _skipped(data, at, inner, depth + 1)
    else:
        raise ValueError(f"a value of the kind {kind}")
    if at > len(data):
        raise IndexError
    return at
