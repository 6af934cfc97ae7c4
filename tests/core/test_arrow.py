"""Rows through Arrow and back are the same rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from core_support import batches, plain, random_names
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.core.arrow import NAME_COLUMNS, dtype_of
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows


def _through_a_file(batch: pa.RecordBatch) -> pa.RecordBatch:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return pa.ipc.open_file(sink.getvalue()).get_batch(0)


def _sorted(rows: Rows) -> object:
    names, columns = plain(rows)
    return names, dict(sorted(columns.items()))


@given(batches())
def test_round_trip(rows: Rows) -> None:
    batch = rows.to_arrow()
    assert batch.schema.names == [*NAME_COLUMNS, *sorted(rows.columns)]
    assert _sorted(Rows.from_arrow(batch)) == _sorted(rows)
    assert _sorted(Rows.from_arrow(_through_a_file(batch))) == _sorted(rows)


@given(batches(), st.data())
def test_slices_on_either_side(rows: Rows, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))
    wanted = _sorted(rows.view(start, stop))
    assert _sorted(Rows.from_arrow(rows.to_arrow().slice(start, stop - start))) == wanted
    assert _sorted(Rows.from_arrow(rows.view(start, stop).to_arrow())) == wanted
    assert _sorted(Rows.from_arrow(_through_a_file(rows.to_arrow()).slice(start, stop - start))) == wanted


def test_reading_that_forgets_the_slice_is_caught() -> None:
    rows = Rows(random_names(3), {"text": Ragged.from_bytes([b"a", b"bc", b"def"])})
    part = rows.to_arrow().slice(1, 2).column("text")
    offsets = np.frombuffer(part.buffers()[1], np.int64, len(part) + 1)
    mutant = Ragged(np.frombuffer(part.buffers()[2], np.uint8), offsets)
    assert Rows.from_arrow(rows.to_arrow().slice(1, 2)).ragged("text").to_bytes() == [b"bc", b"def"]
    assert mutant.to_bytes() != [b"bc", b"def"]


def test_numbers_and_bytes_are_not_copied() -> None:
    rows = Rows(random_names(4), {"x": np.arange(4), "text": Ragged.from_bytes([b"ab"] * 4)})
    batch = rows.to_arrow()
    back = Rows.from_arrow(batch)
    assert back.array("x").ctypes.data == batch.column("x").buffers()[1].address
    assert back.ragged("text").values.ctypes.data == batch.column("text").buffers()[2].address
    assert not back.array("x").flags.writeable


def test_types() -> None:
    columns: dict[str, Column] = {
        "text": Ragged.from_bytes([b"a"]),
        "ids": Ragged(np.array([1], np.uint16), np.array([0, 1])),
        "ok": np.array([True]),
        "grid": np.zeros((1, 2, 3), np.float32),
    }
    schema = Rows(random_names(1), columns).to_arrow().schema
    assert schema.field("text").type == pa.large_binary()
    assert schema.field("ids").type == pa.large_list(pa.uint16())
    assert schema.field("ok").type == pa.bool_()
    assert schema.field("grid").type == pa.list_(pa.list_(pa.float32(), 3), 2)
    assert [schema.field(name).type for name in NAME_COLUMNS] == [pa.uint64(), pa.uint64(), pa.uint32(), pa.int64()]


def test_strings_of_others_are_read_as_text() -> None:
    names = dict(zip(NAME_COLUMNS, [np.zeros(2, t) for t in (np.uint64, np.uint64, np.uint32, np.int64)], strict=True))
    batch = pa.RecordBatch.from_pydict({**names, "text": pa.array(["é", "b"], pa.large_string())})
    assert Rows.from_arrow(batch).ragged("text").to_texts() == ["é", "b"]


def test_a_batch_without_names_is_refused() -> None:
    with pytest.raises(KeyError, match="_key_high"):
        Rows.from_arrow(pa.RecordBatch.from_pydict({"x": [1]}))


@pytest.mark.parametrize("name", ["bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
                                  "float16", "float32", "float64"])  # fmt: skip
def test_dtypes(name: str) -> None:
    assert dtype_of(pa.from_numpy_dtype(np.dtype(name))) == np.dtype(name)


def test_what_is_no_number_has_no_dtype() -> None:
    with pytest.raises(TypeError, match="large_binary"):
        dtype_of(pa.large_binary())
