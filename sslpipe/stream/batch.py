"""A batch that knows its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from sslpipe.stream.place import Place
from sslpipe.stream.progress import mark_handed_out


class Batch(dict[str, Any]):
    """A dict of tensors, which tells its stream when the training loop first uses it.

    A loader with workers holds batches ready long before the loop asks for one, so the batch itself must say when it is handed
    out. It does so once, in the process of the stream, when it is first looked into or written to: `[]`, `in`, `get`, `items`,
    `keys`, `values`, iteration, `len`, `==`, `**batch`, `dict(batch)`, `pop`, `update`. Copies made by the loader (turning
    arrays into tensors in a worker, pinning memory in its thread, the trip through a queue) don't count and keep the place.

    So after `for batch in DataLoader(stream, ...)` used a batch, `stream.state_dict()` is exactly the place behind it; a batch
    that is received and never touched counts as soon as a later one is used. A `collate_fn` of your own keeps this if it
    returns the batch it was given.
    """

    __slots__ = ("_place",)

    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), place: Place | None = None) -> None:
        super().__init__(values)
        self._place = place

    def _use(self) -> None:
        if self._place is not None:
            mark_handed_out(self._place)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (list(dict.items(self)), self._place)

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        return self.__reduce__()

    def __copy__(self) -> Self:
        return type(self)(dict.items(self), self._place)

    def pin_memory(self) -> Self:
        """The same batch in pinned memory, not counted as used: a loader's thread calls this ahead of the loop."""
        pinned = {name: value.pin_memory() if hasattr(value, "pin_memory") else value for name, value in dict.items(self)}
        return type(self)(pinned, self._place)


def _rebuilt(items: list[tuple[str, Any]], place: Place | None) -> Batch:
    return Batch(items, place)


def _counting(name: str) -> Any:
    original = getattr(dict, name)

    def method(self: Batch, *args: Any, **kwargs: Any) -> Any:
        self._use()
        return original(self, *args, **kwargs)

    method.__name__, method.__doc__ = name, original.__doc__
    return method


for _name in (
    *("__getitem__", "__setitem__", "__delitem__", "__iter__", "__reversed__", "__contains__", "__len__", "__eq__", "__ne__"),
    *("__or__", "__ror__", "__ior__", "__repr__"),
    *("get", "items", "keys", "values", "pop", "popitem", "setdefault", "update", "copy", "clear"),
):
    setattr(Batch, _name, _counting(_name))
