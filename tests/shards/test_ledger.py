"""The ledger's columns, and what hostile records leave in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from shards_support import make_rows

from sslpipe.core.errors import DataError
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Bad
from sslpipe.shards.commits import Output
from sslpipe.shards.ledger import RAW_LIMIT, Ledger, ledger_batches, read_ledger
from sslpipe.shards.storage import LocalStorage

COLUMNS = ["id", "key", "source", "file", "place", "outcome", "reason", "detail"]
QUARANTINE = ["source", "file", "place", "reason", "detail", "xxh3_128", "raw"]


def _rows(count: int, first: int = 0) -> Rows:
    rows = make_rows(count, ["text"], seed=first)
    return rows.with_columns(_id=np.arange(first, first + count, dtype=np.uint64))


def _finished(folder: Path, ledger: Ledger) -> dict[str, tuple[Output, pa.Table]]:
    return {output.role: (output, read_ledger(folder / output.name)) for output in ledger.finish()}


def test_entries(tmp_path: Path) -> None:
    ledger, kept, dropped = Ledger(LocalStorage(tmp_path), "read-0"), _rows(2), _rows(3, 2)
    ledger.enter(kept, ["a", "b"], "kept", files=["x", "y"], places=["line 1", "byte 7"])
    ledger.enter(dropped, ["a"] * 3, "filtered", reasons=["r.short", "r.long", "r.short"])
    ledger.enter(_rows(0), [], "kept")
    output, table = _finished(tmp_path, ledger)["ledger"]
    assert table.schema.names == [*COLUMNS, "words"]
    assert table.column("id").to_pylist() == [0, 1, 2, 3, 4]
    texts = _keys_of(kept) + _keys_of(dropped)
    assert [key.hex() for key in table.column("key").to_pylist()] == texts
    assert table.column("source").to_pylist() == ["a", "b", "a", "a", "a"]
    assert table.column("file").to_pylist() == ["x", "y", None, None, None]
    assert table.column("place").to_pylist() == ["line 1", "byte 7", None, None, None]
    assert table.column("outcome").to_pylist() == ["kept"] * 2 + ["filtered"] * 3
    assert table.column("reason").to_pylist() == [None, None, "r.short", "r.long", "r.short"]
    assert table.column("words").to_pylist() == [0, 7, 0, 7, 14]
    assert output.name.startswith(".sslpipe/ledger/read-0-") and output.name.endswith(".parquet")


def _keys_of(rows: Rows) -> list[str]:
    return [text[:32] for text in rows.names.texts()]


def test_types(tmp_path: Path) -> None:
    ledger = Ledger(LocalStorage(tmp_path), "x")
    ledger.enter(_rows(1), ["a"], "kept")
    _, table = _finished(tmp_path, ledger)["ledger"]
    word = pa.dictionary(pa.int32(), pa.string())
    wanted = [pa.uint64(), pa.binary(16), word, word, pa.string(), word, word, pa.string()]
    assert [table.schema.field(name).type for name in COLUMNS] == wanted


def test_outputs_are_what_lies_there(tmp_path: Path) -> None:
    ledger = Ledger(LocalStorage(tmp_path), "x")
    ledger.enter(_rows(1), ["a"], "kept")
    ledger.quarantine("a", Bad("f", "line 1", "json.syntax", "why", b"raw"), 7)
    found = _finished(tmp_path, ledger)
    assert set(found) == {"ledger", "quarantine"}
    for output, _ in found.values():
        data = (tmp_path / output.name).read_bytes()
        assert (output.bytes, output.xxh3_128) == (len(data), xxhash.xxh3_128_hexdigest(data))
        assert pq.ParquetFile(tmp_path / output.name).metadata.num_rows >= 1


def test_nothing_is_no_file(tmp_path: Path) -> None:
    assert Ledger(LocalStorage(tmp_path), "x").finish() == []
    assert not list(tmp_path.rglob("*"))


def test_quarantine(tmp_path: Path) -> None:
    ledger, raw = Ledger(LocalStorage(tmp_path), "x"), b"r" * (RAW_LIMIT + 1)
    ledger.quarantine("a", Bad("f", "byte 7", "text.utf8", "d" * 999, raw), 5)
    found = _finished(tmp_path, ledger)
    (row,) = found["quarantine"][1].to_pylist()
    assert list(row) == QUARANTINE
    assert row == {
        "source": "a", "file": "f", "place": "byte 7", "reason": "text.utf8", "detail": "d" * 300,
        "xxh3_128": xxhash.xxh3_128_hexdigest(raw), "raw": raw[:RAW_LIMIT],
    }  # fmt: skip
    (entry,) = found["ledger"][1].to_pylist()
    assert (entry["id"], entry["key"], entry["outcome"], entry["reason"]) == (5, None, "quarantined", "text.utf8")


@pytest.mark.parametrize(
    ("hostile", "printed"),
    [("caf\udce9", "caf\\xe9"), ("\ud800", "\\ud800"), ("a\udfff\udc80", "a\\udfff\\x80"), ("ü\0", "ü\0")],
)
def test_texts_that_are_not_unicode(tmp_path: Path, hostile: str, printed: str) -> None:
    """Names of files and members are bytes, and JSON may hold half of a surrogate pair."""
    ledger = Ledger(LocalStorage(tmp_path), "x")
    rows = _rows(1)
    ledger.enter(rows, ["a"], "kept", files=[hostile], places=[hostile])
    ledger.quarantine("a", Bad(hostile, hostile, "json.syntax", hostile, b""), 7)
    for _, table in _finished(tmp_path, ledger).values():
        assert set(table.column("file").to_pylist()) == set(table.column("place").to_pylist()) == {printed}
        assert table.column("detail").to_pylist()[-1] == printed


def test_batches(tmp_path: Path) -> None:
    ledger = Ledger(LocalStorage(tmp_path), "x")
    ledger.enter(_rows(5), ["a"] * 5, "kept")
    ledger.quarantine("a", Bad("f", "line 1", "r", "d", b"raw"), 9)
    outputs = ledger.finish()
    entries, bad = (tmp_path / output.name for output in outputs)
    assert [batch.num_rows for batch in ledger_batches(entries, 4)] == [4, 2]
    (ids,) = ledger_batches(entries, 10, ["id"])
    assert ids.schema.names == ["id"] and ids.column(0).to_pylist() == [0, 1, 2, 3, 4, 9]
    assert [batch.column("raw").to_pylist() for batch in ledger_batches(bad, 1)] == [[b"raw"]]


def test_files_that_are_no_ledgers_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([1], pa.int64()), "key": ["x"]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"other\.parquet has other columns than a ledger; build again with --update"):
        next(ledger_batches(tmp_path / "other.parquet", 1))
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match=r"torn\.parquet can't be read: .+; restore it, or build again with --update"):
        next(ledger_batches(tmp_path / "torn.parquet", 1))
