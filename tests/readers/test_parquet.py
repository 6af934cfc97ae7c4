"""Tables: rows by column, and damage told as finely as it can be."""

from __future__ import annotations

import io
import json
import random
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.readers.parquet import Parquet
from tests.badinputs.images import JPEG, PNG
from tests.readers.support import everything, write

TEXTS = [f"row {number}, " + "and more of it " * (number % 7) for number in range(100)]
IMAGES = {"image": "image.bytes", "text": "caption"}


def parquet(table: pa.Table | dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(table) if isinstance(table, dict) else table, out, **{"row_group_size": 40, **options})
    return out.getvalue()


def read(tmp_path: Path, data: bytes, **fields: Any) -> tuple[list[Any], list[Any]]:
    write(tmp_path, [("a.parquet", data)])
    return everything(Parquet(paths=(str(tmp_path / "a.parquet"),), **fields))


@pytest.mark.parametrize("options", [
    {}, {"compression": "zstd"}, {"compression": "none", "use_dictionary": False}, {"data_page_version": "2.0"},
    {"column_encoding": {"text": "DELTA_BYTE_ARRAY"}, "use_dictionary": False}, {"data_page_size": 100}, {"row_group_size": 7},
    {"column_encoding": {"text": "DELTA_LENGTH_BYTE_ARRAY"}, "use_dictionary": False}, {"store_schema": False},
    {"write_page_checksum": True}, {"row_group_size": 1000, "compression": "brotli"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_rows_are_those_of_the_table(tmp_path: Path, options: dict[str, Any], kind: pa.DataType) -> None:
    column = pa.array(TEXTS).cast(kind) if kind != pa.binary() else pa.array([text.encode() for text in TEXTS])
    rows, bad = read(tmp_path, parquet({"text": column, "n": list(range(100))}, **options))
    assert not bad and [row[1:] for row in rows] == [(b"%d" % n, text.encode()) for n, text in enumerate(TEXTS)]


def test_structs_kinds_and_metadata(tmp_path: Path) -> None:
    pictures = [{"bytes": JPEG, "path": "a.jpg"}, {"bytes": PNG, "path": None}]
    table = {"image": pictures, "caption": ["ein Hund", ""], "n": [1, None], "x": [True, False], "f": [0.5, 2.0]}
    reader: dict[str, Any] = {"fields": {"image": "image.bytes", "words": "caption"}}
    rows, bad = read(tmp_path, parquet(table), **reader, keep=("image.path", "n", "x", "f"))
    assert not bad and [row[2:4] for row in rows] == [(JPEG, b"ein Hund"), (PNG, b"")]
    assert [json.loads(row[4]) for row in rows] == [
        {"image.path": "a.jpg", "n": "1", "x": "true", "f": "0.5"},
        {"image.path": "", "n": "", "x": "false", "f": "2.0"},
    ]
    kinds = {name: field.kind for name, field in Parquet(**reader, keep=("n",)).outputs({}).items()}
    assert kinds == {"image": "image", "words": "text", "meta": "meta"}
    photo = Parquet(fields={"photo": "image.bytes"}, kinds={"photo": "image"})
    assert {name: field.kind for name, field in photo.outputs({}).items()} == {"photo": "image"}


def test_rows_that_are_none_have_their_reasons(tmp_path: Path) -> None:
    pictures = [{"bytes": JPEG}, None, {"bytes": None}, {"bytes": b"BM"}, {"bytes": JPEG}, {"bytes": JPEG}, {"bytes": JPEG}]
    captions = [b"fine", b"a", b"b", b"c", None, b"\xff", b"\1\2\3\4"]
    rows, bad = read(tmp_path, parquet({"image": pictures, "caption": captions}), fields=IMAGES)
    assert [row[1] for row in rows] == [b"0"]
    assert [(record.place, record.reason) for record in bad] == [
        ("row 2", "field_null"), ("row 3", "field_null"), ("row 4", "image.unknown_format"), ("row 5", "field_null"),
        ("row 6", "text.utf8"), ("row 7", "text.binary"),
    ]  # fmt: skip
    rows, bad = read(tmp_path, parquet({"text": ["x" * 100, "y" * 101]}), max_record_bytes=100)
    assert len(rows) == 1 and [record.reason for record in bad] == ["record_too_large"]
    rows, bad = read(tmp_path, parquet({"text": ["a", "b"], "k": pa.array([b"\xff", b"z"]).view(pa.string())}), keep=("k",))
    assert len(rows) == 1 and [(record.place, record.reason) for record in bad] == [("row 1", "text.utf8")]


def test_damaged_footers_are_one_entry(tmp_path: Path) -> None:
    good = parquet({"text": TEXTS})
    start = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
    long = good[:-8] + (len(good)).to_bytes(4, "little") + b"PAR1"
    cases = {
        "empty": b"", "magic": b"PAR1", "cut": good[:-1], "half": good[: len(good) // 2], "head": b"XXXX" + good[4:],
        "long": long, "text": b"no table at all", "footer": good[:start] + bytes(50) + good[start + 50 :],
    }  # fmt: skip
    write(tmp_path, [(f"m{name}.parquet", data) for name, data in cases.items()])
    write(tmp_path, [("a.parquet", good), ("z.pq", good)])
    rows, bad = everything(Parquet(paths=(str(tmp_path),)))
    assert len(rows) == 200 and {Path(record.file).stem[1:]: record.reason for record in bad} == dict.fromkeys(
        cases, "parquet.footer"
    )
    write(tmp_path, [("b.parquet", b"PARE" + good[4:-4] + b"PARE")])
    assert "parquet.encrypted" in {record.reason for record in everything(Parquet(paths=(str(tmp_path),)))[1]}


def test_a_damaged_page_is_its_row_groups(tmp_path: Path) -> None:
    good = parquet({"text": TEXTS}, write_page_checksum=True, use_dictionary=False, compression="none")
    chunk = pq.ParquetFile(io.BytesIO(good)).metadata.row_group(1).column(0)
    at = chunk.data_page_offset + chunk.total_compressed_size - 5
    rows, bad = read(tmp_path, good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
    assert [(record.place, record.reason) for record in bad] == [("row group 2", "parquet.page")]
    assert [int(row[1]) for row in rows] == [*range(40), *range(80, 100)]
    start = chunk.data_page_offset
    rows, bad = read(tmp_path, good[:start] + b"\xff" * 8 + good[start + 8 :])
    assert [record.reason for record in bad] == ["parquet.page"] and len(rows) == 60


def test_pages_of_small_rows_before_the_damage_are_kept(tmp_path: Path) -> None:
    texts = ["x" * 10_000] * 3000
    good = parquet({"text": texts}, row_group_size=3000, write_page_checksum=True, use_dictionary=False, compression="none")
    at = len(good) - 50_000
    rows, bad = read(tmp_path, good[:at] + b"?" + good[at + 1 :])
    assert 1000 < len(rows) < 3000 and [int(row[1]) for row in rows] == list(range(len(rows)))
    assert len(bad) == 1 and bad[0].detail.endswith(f"; {len(rows):,} rows before it were read")


def test_files_with_other_columns(tmp_path: Path) -> None:
    write(tmp_path, [("b.parquet", parquet({"text": [1]})), ("c.parquet", parquet({"body": ["a"]}))])
    write(tmp_path, [("a.parquet", parquet({"text": ["a"]}))])
    rows, bad = everything(Parquet(paths=(str(tmp_path),)))
    assert len(rows) == 1 and [(record.reason, record.detail) for record in bad] == [
        ("parquet.column", "`text` is int64, wanted strings for a field of text"),
        ("parquet.column", "there is no column `text`; the file has body: string"),
    ]


@pytest.mark.parametrize(("fields", "keep", "told"), [
    ({"text": "body"}, (), "there is no column `body`; the file has text: string, image.bytes: binary, l: list<element: "),
    ({"text": "l"}, (), r"`l` is list<element: int64>, wanted strings for a field of text"),
    ({"image": "text"}, (), "`text` is string, wanted bytes for a field of image"),
    ({"text": "text"}, ("l",), "`l` is list<element: int64>, which can't be kept in `meta`"),
    ({"text": "text"}, ("image.bytes",), "`image.bytes` is binary, which can't be kept in `meta`"),
    ({"text": "text"}, ("image",), "there is no column `image`"),
])  # fmt: skip
def test_a_recipe_that_the_first_file_does_not_fit(
    tmp_path: Path, fields: dict[str, str], keep: tuple[str, ...], told: str
) -> None:
    data = parquet({"text": ["a"], "image": [{"bytes": b"x"}], "l": [[1]]})
    write(tmp_path, [("a.parquet", data)])
    with pytest.raises(RecipeError) as caught:
        Parquet(paths=(str(tmp_path),), fields=fields, keep=keep).parts(1 << 20)
    assert told in str(caught.value) and "a.parquet: " in str(caught.value)


def test_two_columns_of_one_name_and_none(tmp_path: Path) -> None:
    twice = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    write(tmp_path, [("a.parquet", parquet(twice))])
    with pytest.raises(RecipeError, match="there are 2 columns `text`"):
        Parquet(paths=(str(tmp_path),)).parts(1 << 20)
    assert read(tmp_path, parquet({"text": pa.array([], pa.string())})) == ([], [])
    with pytest.raises(FieldError, match="`kinds` names 'caption', wanted one of the fields text"):
        Parquet(kinds={"caption": "text"})


class Trap(pa.ExtensionType):
    """A type that notes when it is made from what stands in a file."""

    opened: ClassVar[list[bytes]] = []

    def __init__(self) -> None:
        super().__init__(pa.string(), "tests.trap")

    def __arrow_ext_serialize__(self) -> bytes:
        return b"pickled"

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> Trap:
        cls.opened.append(serialized)
        return cls()


def test_extension_types_are_read_as_they_are_stored(tmp_path: Path) -> None:
    pa.register_extension_type(Trap())
    try:
        data = parquet({"text": pa.ExtensionArray.from_storage(Trap(), pa.array(["a", "b"]))})
        Trap.opened.clear()
        rows, bad = read(tmp_path, data)
        assert not bad and [row[2] for row in rows] == [b"a", b"b"] and not Trap.opened
        pq.ParquetFile(io.BytesIO(data)).schema_arrow  # noqa: B018 (the mutant: pyarrow by itself opens the trap)
        assert b"pickled" in Trap.opened
    finally:
        pa.unregister_extension_type("tests.trap")


def test_memory_is_bounded(tmp_path: Path) -> None:
    large = "x" * (1 << 20)
    repeated = parquet({"text": pa.array([0] * 200_000, pa.int32())}, row_group_size=200_000)
    table = pa.table({"text": pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array([large]))})
    bomb = parquet(table, row_group_size=50_000)
    assert len(bomb) < 200_000 and len(repeated) < 200_000
    write(tmp_path, [("a.parquet", bomb)])
    reader = Parquet(paths=(str(tmp_path),), max_record_bytes=1 << 16)
    (part,) = reader.parts(1 << 30)
    seen: list[str] = []
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    peak = 0

    def bad(record: Any) -> None:
        nonlocal peak
        seen.append(record.reason)
        peak = max(peak, pa.total_allocated_bytes() - before)
        if len(seen) == 300:
            raise StopIteration

    with pytest.raises(RuntimeError):
        list(reader.read(part, bad))
    traced = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(seen) == {"record_too_large"} and peak < 200 << 20 and traced < 200 << 20


def test_pages_and_footers_beyond_limits(tmp_path: Path) -> None:
    data = parquet({"text": ["x" * 5000] * 50, "n": [0] * 50}, use_dictionary=False)
    rows, bad = read(tmp_path, data, max_page_bytes=100_000)
    assert [(record.place, record.reason) for record in bad] == [("row group 1", "parquet.limit")]
    assert bad[0].detail.endswith("more than `max_page_bytes`, which is 100,000") and len(rows) == 10
    footer = data[:-8] + bytes(40 << 20) + (40 << 20).to_bytes(4, "little") + b"PAR1"
    assert [record.reason for record in read(tmp_path, footer)[1]] == ["parquet.limit"]


GOOD = parquet({"text": TEXTS, "n": list(range(100))}, write_page_checksum=True)


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 5), st.booleans())
def test_mutated_files_are_rows_or_bad(chance: random.Random, times: int, tail: bool) -> None:
    data = bytearray(GOOD)
    for _ in range(times):
        place = chance.randrange(len(data) - 900, len(data)) if tail else chance.randrange(len(data))
        data[place] ^= 1 << chance.randrange(8)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), [("a.parquet", bytes(data))])
        try:
            rows, bad = everything(Parquet(paths=(folder,)))
        except RecipeError:
            return
    assert len(rows) == 100 or bad


def test_what_is_claimed(tmp_path: Path) -> None:
    write(tmp_path, [("a.parquet", GOOD), ("b.PQ", GOOD), ("c.csv", b""), ("d.parquet.gz", b"")])
    reader = Parquet(paths=(str(tmp_path),))
    assert len(everything(reader)[0]) == 200 and reader.unclaimed() == {".csv": 1, ".parquet.gz": 1}
