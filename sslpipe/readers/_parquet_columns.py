"""Columns of a table by their dotted names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sslpipe.core.damage import Damage

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """One column, in a struct or not."""

    path: str
    names: tuple[str, ...]
    """Its own name behind those of the structs that it is in."""

    def values(self, batch: pa.RecordBatch) -> list[Any]:
        """One a row: bytes of strings too, else whatever Python has for it; None where there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        array = batch.column(batch.schema.get_field_index(self.names[0]))
        if len(self.names) > 1:
            array = pc.struct_field(array, list(self.names[1:]))
        if pa.types.is_string(array.type):
            array = array.view(pa.binary())
        values: list[Any] = array.to_pylist()
        return values


def column_of(schema: pa.Schema, path: str, kind: str | None) -> Column:
    """The column of that name, fit for a field of that kind, or to be kept where that is None.

    Raises Damage `parquet.column`, which says what columns there are.
    """
    import pyarrow as pa

    found = [names_type for names_type in _leaves(schema) if ".".join(names_type[0]) == path]
    if len(found) != 1:
        problem = "there is no column" if not found else f"there are {len(found)} columns"
        raise Damage("parquet.column", 0, f"{problem} `{path}`; the file has {_listed(schema)}")
    names, held = found[0]
    is_string, is_bytes = pa.types.is_string(held), pa.types.is_binary(held) or pa.types.is_fixed_size_binary(held)
    if kind is None:
        if is_bytes or pa.types.is_nested(held):
            raise Damage("parquet.column", 0, f"`{path}` is {held}, which can't be kept in `meta`")
    elif not (is_bytes or (is_string and kind == "text")):
        wanted = "strings" if kind == "text" else "bytes"
        raise Damage("parquet.column", 0, f"`{path}` is {held}, wanted {wanted} for a field of {kind}")
    return Column(path, names)


def _leaves(schema: pa.Schema) -> Iterator[tuple[tuple[str, ...], pa.DataType]]:
    """Every column that is no struct, with the names that lead to it."""
    import pyarrow as pa

    stack: list[tuple[tuple[str, ...], pa.DataType]] = [((field.name,), field.type) for field in reversed(list(schema))]
    while stack:
        names, held = stack.pop()
        if pa.types.is_struct(held):
            stack += [((*names, held.field(at).name), held.field(at).type) for at in reversed(range(held.num_fields))]
        else:
            yield names, held


def _listed(schema: pa.Schema) -> str:
    leaves = [f"{'.'.join(names)}: {held}" for names, held in _leaves(schema)]
    return ", ".join(leaves[:12]) + (f" and {len(leaves) - 12} more" if len(leaves) > 12 else "") or "none"
