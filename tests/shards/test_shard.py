"""A shard gives back what was written, and refuses an index that lies."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from shards_support import FIELDS, make_rows, open_shard, sample_rows, write_shard

from sslpipe.core.documents import Documents
from sslpipe.core.errors import DataError
from sslpipe.core.fields import Field
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.shards.manifest import FileEntry, ShardEntry
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage, UniqueFile
from sslpipe.shards.tables import Table, write_columns


def _bytes(documents: Documents) -> list[bytes]:
    sizes = documents.lengths * documents.dtype.itemsize
    return [documents.data[a : a + n].tobytes() for a, n in zip(documents.starts, sizes, strict=True)]


@settings(max_examples=40)
@given(sample_rows())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, sample: tuple[dict[str, Field], Rows]) -> None:
    fields, rows = sample
    folder = tmp_path_factory.mktemp("shard")
    entry = write_shard(folder, fields, [rows], ("words",))
    shard = open_shard(folder, fields, entry)
    assert len(shard) == len(rows) == entry.samples
    assert shard.names.texts() == rows.names.texts()
    assert (shard.column("_source") == rows.array("_source")).all()
    assert (shard.column("words") == rows.array("_m.words")).all()
    picked = np.arange(len(rows))[::-2]
    for name, field in fields.items():
        column = rows[name]
        wanted = [column[row] for row in range(len(rows))]
        for row, value in enumerate(wanted):
            found = shard.row(name, row)
            assert found.dtype == np.dtype(field.dtype) and found.shape == value.shape and (found == value).all()
        assert _bytes(shard.documents(name)) == [value.tobytes() for value in wanted]
        some = shard.documents(name, picked)
        assert _bytes(some) == [wanted[row].tobytes() for row in picked]
        assert some.names.texts() == [rows.names.texts()[row] for row in picked]
        assert (shard.column(f"{name}.bytes") == [value.nbytes for value in wanted]).all()
        assert (shard.column(f"{name}.length") == [value.size for value in wanted]).all()
        if isinstance(column, Ragged):
            assert entry.elements[name] == sum(value.size for value in wanted)
        else:
            assert name not in entry.elements
    del shard


def _open_with(folder: Path, changes: dict[str, np.ndarray]) -> Shard:
    """The shard of four rows of ids, its index rewritten with other columns."""
    fields = {"ids": FIELDS["ids"]}
    entry = write_shard(folder, fields, [make_rows(4, ["ids"], lengths=[[3, 0, 5, 2]])])
    table = Table(folder / entry.index.path)
    columns = {**table.columns(0, 4, table.names), **changes}
    file = UniqueFile(LocalStorage(folder), "lying.arrow")
    write_columns(file, columns)
    assert file.publish()
    index = FileEntry(path="lying.arrow", bytes=file.bytes, xxh3_128=file.digest())
    return open_shard(folder, fields, entry.model_copy(update={"index": index}))


def _u64(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64).view(np.uint64)


HUGE = 2**63 - 1
LIES = {
    "start behind the end": {"ids.start": _u64(0, 0, 0, 10**9)},
    "start just behind the end": {"ids.start": _u64(0, 0, 0, 10**5)},
    "start negative": {"ids.start": _u64(0, 0, -2, 0)},
    "bytes too many": {"ids.bytes": _u64(6, 0, 10, 10**9), "ids.length": _u64(3, 0, 5, 10**9 // 2)},
    "bytes negative": {"ids.bytes": _u64(6, 0, 10, -4), "ids.length": _u64(3, 0, 5, -2)},
    "a sum that wraps around": {
        "ids.start": _u64(0, 0, 0, HUGE),
        "ids.bytes": _u64(6, 0, 10, HUGE - 1),
        "ids.length": _u64(3, 0, 5, (HUGE - 1) // 2),
    },
    "length longer than the bytes": {"ids.length": _u64(3, 0, 5, 10**6)},
    "length shorter than the bytes": {"ids.length": _u64(3, 0, 5, 1)},
    "length whose bytes wrap around": {"ids.length": _u64(3, 0, 5, 2 - 2**63)},
    "bytes that are half an element": {"ids.bytes": _u64(6, 0, 10, 5)},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_index_that_lies_is_refused(tmp_path: Path, lie: str) -> None:
    shard = _open_with(tmp_path, LIES[lie])
    for act in (lambda: shard.documents("ids"), lambda: shard.row("ids", 3), lambda: shard.documents("ids", np.array([0]))):
        with pytest.raises(DataError, match=r"^lying\.arrow: `ids` points outside of shards/train-000000\.tar$"):
            act()


def test_an_honest_index_is_not(tmp_path: Path) -> None:
    shard = _open_with(tmp_path, {})
    assert shard.documents("ids").lengths.tolist() == [3, 0, 5, 2]


def _entry(folder: Path) -> ShardEntry:
    return write_shard(folder, {"ids": FIELDS["ids"]}, [make_rows(4, ["ids"])])


@pytest.mark.parametrize("which", ["tar", "index"])
def test_another_size_is_refused(tmp_path: Path, which: str) -> None:
    entry = _entry(tmp_path)
    file = entry if which == "tar" else entry.index
    path = tmp_path / file.path
    for data, what in ((path.read_bytes()[:-1], f"has {file.bytes - 1} bytes"), (None, "is missing")):
        path.unlink()
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(DataError) as caught:
            open_shard(tmp_path, {"ids": FIELDS["ids"]}, entry)
        assert str(caught.value) == f"{path} {what}, the manifest says {file.bytes}; run `sslpipe verify`"


def test_another_number_of_rows_is_refused(tmp_path: Path) -> None:
    entry = _entry(tmp_path).model_copy(update={"samples": 5})
    with pytest.raises(DataError, match=rf"^{entry.index.path} lists 4 rows, the manifest says 5$"):
        open_shard(tmp_path, {"ids": FIELDS["ids"]}, entry)


def test_rows_are_copies_and_documents_are_not(tmp_path: Path) -> None:
    shard = open_shard(tmp_path, {"ids": FIELDS["ids"]}, _entry(tmp_path))
    assert shard.row("ids", 0).flags.writeable and not np.shares_memory(shard.row("ids", 0), shard.data)
    assert shard.documents("ids").data is shard.data and not shard.data.flags.writeable


def test_tarfile_finds_data_where_the_index_says(tmp_path: Path) -> None:
    shard = open_shard(tmp_path, {"ids": FIELDS["ids"]}, _entry(tmp_path))
    with tarfile.open(tmp_path / shard.entry.path) as tar:
        places = [(info.offset, info.offset_data + info.size) for info in tar]
    ends = shard.column("ids.start") + shard.column("ids.bytes")
    assert list(zip(shard.column("_header").tolist(), ends.tolist(), strict=True)) == places
