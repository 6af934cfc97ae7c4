"""Bytes of a shard are a function of its rows and their order."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shards_support import FIELDS, NAME, make_rows, sample_rows, write_shard
from webdataset.autodecode import Decoder, basichandlers
from webdataset.tariterators import group_by_keys, tar_file_expander

from sslpipe.core.errors import SslpipeError
from sslpipe.core.fields import Field
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.shards.shard_writer import ShardWriter
from sslpipe.shards.storage import LocalStorage

Sample = tuple[dict[str, Field], Rows]


def _bytes(folder: Path, fields: dict[str, Field], batches: list[Rows]) -> tuple[bytes, bytes]:
    """The tar and the index of these batches."""
    entry = write_shard(folder, fields, batches, ("words",))
    return (folder / entry.path).read_bytes(), (folder / entry.index.path).read_bytes()


@settings(max_examples=30)
@given(sample_rows(), st.data())
def test_batches_leave_no_trace(tmp_path_factory: pytest.TempPathFactory, sample: Sample, data: st.DataObject) -> None:
    fields, rows = sample
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    ends = [0, *cuts, len(rows)]
    batches = [rows.view(a, b) for a, b in itertools.pairwise(ends)]
    copies = [batch.take(np.arange(len(batch))) for batch in batches]
    whole = _bytes(tmp_path_factory.mktemp("a"), fields, [rows])
    assert _bytes(tmp_path_factory.mktemp("b"), fields, batches) == whole
    assert _bytes(tmp_path_factory.mktemp("c"), dict(reversed(fields.items())), copies) == whole


def test_order_and_content_leave_a_trace(tmp_path: Path) -> None:
    """The mutants of the law above: other rows, or the same in another order, are other bytes."""
    rows = make_rows(3, ["ids"])
    fields = {"ids": FIELDS["ids"]}
    turned, other = rows.take(np.array([1, 0, 2])), make_rows(3, ["ids"], seed=1)
    shards = {_bytes(tmp_path / str(i), fields, [batch])[0] for i, batch in enumerate((rows, turned, other))}
    assert len(shards) == 3


@settings(max_examples=30)
@given(sample_rows())
def test_webdataset_reads_each_row(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> None:
    fields, rows = sample
    folder = tmp_path_factory.mktemp("wds")
    write_shard(folder, fields, [rows])
    with (folder / NAME).open("rb") as stream:
        samples = list(group_by_keys(tar_file_expander([{"url": NAME, "stream": stream}])))
    assert [sample["__key__"] for sample in samples] == rows.names.texts()
    for row, found in enumerate(samples):
        for name, field in fields.items():
            value = rows[name][row]
            ending = {"text": "txt", "title": "title.txt", "meta": "json"}.get(name, f"{name}.npy")
            if field.kind in ("text", "meta"):
                assert found[ending] == value.tobytes()
            else:
                loaded = np.load(io.BytesIO(found[ending]), allow_pickle=False)
                assert loaded.dtype == value.dtype and loaded.shape == value.shape and (loaded == value).all()


def test_webdataset_decodes_by_extension(tmp_path: Path) -> None:
    rows = Rows(
        Names.from_keys(np.array([1], np.uint64), np.array([2], np.uint64)),
        {
            "text": Ragged.from_texts(["grün"]),
            "meta": Ragged.from_bytes([json.dumps({"a": 1}).encode()]),
            "ids": Ragged(np.array([1, 60_000], np.uint16), np.array([0, 2])),
            "_source": np.zeros(1, np.int32),
        },
    )
    write_shard(tmp_path, {name: FIELDS[name] for name in ("text", "meta", "ids")}, [rows])
    with (tmp_path / NAME).open("rb") as stream:
        (sample,) = group_by_keys(tar_file_expander([{"url": NAME, "stream": stream}]))
    decoded = Decoder([basichandlers])(sample)
    assert decoded["txt"] == "grün" and decoded["json"] == {"a": 1} and decoded["ids.npy"].tolist() == [1, 60_000]


def test_members_stand_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Readers that group neighbours, and those that sort, see the same samples."""
    fields = {name: FIELDS[name] for name in ("title", "text", "meta", "ids", "labels")}
    rows = make_rows(5, list(fields))
    write_shard(tmp_path, fields, [rows])
    with tarfile.open(tmp_path / NAME) as tar:
        names = [name.partition(".") for name in tar.getnames()]
    assert [name[2] for name in names[:5]] == ["ids.npy", "json", "labels.npy", "title.txt", "txt"]
    assert [name[0] for name in names[::5]] == rows.names.texts()
    assert all(len("".join(name)) <= 100 for name in names)


def test_bookkeeping_is_not_stored(tmp_path: Path) -> None:
    fields = {"ids": FIELDS["ids"], "_id": Field(kind="array", dtype="int64", shape=())}
    rows = make_rows(2, ["ids"]).with_columns(_id=np.arange(2))
    write_shard(tmp_path, fields, [rows])
    with tarfile.open(tmp_path / NAME) as tar:
        assert {name.partition(".")[2] for name in tar.getnames()} == {"ids.npy"}


@pytest.mark.parametrize(
    ("name", "column", "found"),
    [
        ("ids", Ragged(np.zeros(3, np.int64), np.array([0, 1, 3])), "int64"),
        ("text", Ragged(np.zeros(3, np.uint16), np.array([0, 1, 3])), "uint16"),
        ("labels", Ragged(np.zeros(3, np.int32), np.array([0, 1, 3])), "int32"),
        ("mask", np.zeros((2, 4), np.uint8), "uint8"),
    ],
)
def test_rows_of_another_dtype_are_refused(tmp_path: Path, name: str, column: np.ndarray, found: str) -> None:
    """The index counts elements of the field's dtype: others would be read as something else, silently."""
    writer = ShardWriter(LocalStorage(tmp_path), {name: FIELDS[name]})
    rows = make_rows(2, []).with_columns(**{name: column})
    with pytest.raises(SslpipeError, match=rf"^field `{name}` holds {found}, its type says {FIELDS[name].dtype}$"):
        writer.append(rows)
    writer.discard()


def test_no_rows_are_no_shard(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    writer = ShardWriter(storage, {"ids": FIELDS["ids"]})
    writer.append(make_rows(0, ["ids"]))
    assert writer.samples == 0
    writer.discard()
    assert storage.list("shards") == [] and not list(storage.temporaries())


def test_a_later_attempt_replaces_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / NAME).write_bytes(b"left by an attempt that no commit names")
    entry = write_shard(tmp_path, {"ids": FIELDS["ids"]}, [make_rows(2, ["ids"])])
    assert (tmp_path / NAME).stat().st_size == entry.bytes


def test_checksums_are_over_the_data(tmp_path: Path) -> None:
    import xxhash
    from shards_support import open_shard

    fields = {"ids": FIELDS["ids"], "text": FIELDS["text"]}
    rows = make_rows(3, list(fields))
    shard = open_shard(tmp_path, fields, write_shard(tmp_path, fields, [rows]))
    wanted = [xxhash.xxh3_64_intdigest(rows["ids"][i].tobytes() + rows["text"][i].tobytes()) for i in range(3)]
    assert shard.column("_checksum").tolist() == wanted
