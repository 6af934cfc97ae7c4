"""One file, one row, whatever it is packed in."""

from __future__ import annotations

import json
import os
import random
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import FieldError
from sslpipe.readers.text import Text
from tests.badinputs.text import COMPRESSORS, Bad, texts, zeros
from tests.readers.support import everything, payloads, write

DOCUMENTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60).filter(
    lambda text: not text.startswith("\ufeff")
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(DOCUMENTS, st.sampled_from(list(COMPRESSORS))), min_size=1, max_size=8), st.data())
def test_rows_do_not_depend_on_names_compression_order_or_parts(files: list[tuple[str, str]], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (text, suffix) in enumerate(files):
            write(folder, [(f"{number}/a.txt{suffix}", COMPRESSORS[suffix](text.encode()))])
        paths = data.draw(st.permutations([str(folder / str(number)) for number in range(len(files))]))
        rows, bad = everything(Text(paths=tuple(paths)), data.draw(st.sampled_from([1, 3000, 1 << 20])))
    assert bad == []
    assert payloads(rows) == sorted((text.encode(),) for text, _ in files)
    assert all(row[1] == b"0" for row in rows)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", texts(), ids=lambda case: case.name)
def test_bad_inputs_have_their_reasons(case: Bad, tmp_path: Path) -> None:
    write(tmp_path, [("a.txt", b"before"), ("z.txt", b"behind"), (f"m/{case.name}", case.data)])
    rows, bad = everything(Text(paths=(str(tmp_path),)))
    assert tuple(record.reason for record in bad) == case.reasons
    assert len(rows) == case.rows + 2
    assert all(Path(record.file).name == case.name and record.place.startswith("byte ") for record in bad)
    assert all(0 < len(record.detail) <= 300 for record in bad)


def test_bytes_stay_as_they_are(tmp_path: Path) -> None:
    odd = "\r\n a\u0301\u2028\x0c\t\ufeff z\r".encode()
    write(tmp_path, [("a.md", odd), ("b", b"\xef\xbb\xbf" + odd), ("c.pod", b""), ("d.txt", b" \n")])
    assert [row[2] for row in everything(Text(paths=(str(tmp_path),)))[0]] == [odd, odd, b"", b" \n"]


def test_what_is_claimed(tmp_path: Path) -> None:
    claimed = ["a.txt", "a.md", "a.rst.gz", "a.html.zst", "a.htm", "a.pod.xz", "README", "printf.3", "open.3perl.gz", "v-2.0"]
    left = ["a.yaml", "a.png", "a.svg", "a.jsonl", "a.tar.gz", "Makefile.am"]
    write(tmp_path, [(name, b"x") for name in claimed + left])
    reader = Text(paths=(str(tmp_path),))
    rows, _ = everything(reader)
    assert sorted(Path(os.fsdecode(row[0])).name for row in rows) == sorted(claimed)
    assert reader.unclaimed() == {".am": 1, ".jsonl": 1, ".png": 1, ".svg": 1, ".tar.gz": 1, ".yaml": 1}


def test_pages_are_told_by_name_or_content(tmp_path: Path) -> None:
    page = b"<!DOCTYPE html><body><p>A page &amp; more</p>"
    files = [("a.html", b"<p>A page &amp; more"), ("b.txt", page), ("c", b"\n<!-- x -->" + page), ("d.md", b"# A\n<p>" + page)]
    write(tmp_path, files)
    rows, bad = everything(Text(paths=(str(tmp_path),)))
    assert [row[2] for row in rows] == [b"A page & more"] * 3 + [b"# A\n<p>" + page]
    assert bad == []


def test_other_encodings(tmp_path: Path) -> None:
    write(tmp_path, [("a.txt", "naïve €".encode("cp1252")), ("b.html", b"<meta charset=utf-8><p>na\xefve")])
    rows, bad = everything(Text(paths=(str(tmp_path),), encoding="CP1252"))
    assert [row[2].decode() for row in rows] == ["naïve €", "naïve"]
    assert bad == []
    with pytest.raises(FieldError, match="'zlib' is no character encoding of text files; wanted one such as utf-8"):
        Text(paths=("x",), encoding="zlib")


def test_kept_paths_are_canonical_json(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b'/caf\xe9 "a"')
    Path(name).write_bytes(b"x")
    reader = Text(paths=(str(tmp_path),), keep=("path",))
    ((_, _, _, meta),), _ = everything(reader)
    assert json.loads(meta) == {"path": f'{tmp_path}/caf\\xe9 "a"'}
    assert meta.startswith(b'{"path":"/') and b" :" not in meta
    assert {name: field.kind for name, field in reader.outputs({}).items()} == {"text": "text", "meta": "meta"}


def test_batches_are_bounded(tmp_path: Path) -> None:
    write(tmp_path, [(f"{number:04}", b"x") for number in range(4100)])
    write(tmp_path, [(f"large{number}", b"y" * (5 << 20)) for number in range(3)])
    write(tmp_path, [("larger", b"y" * (9 << 20))])
    reader = Text(paths=(str(tmp_path),))
    (part,) = reader.parts(1 << 30)
    assert [len(batch) for batch in reader.read(part, pytest.fail)] == [4096, 5, 1, 1, 1]
    assert len(everything(reader)[0]) == 4104


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_too_large_is_found_in_bounded_memory(suffix: str, tmp_path: Path) -> None:
    data = b"x" * (40 << 20) if not suffix else zeros(suffix, 160 << 20)
    write(tmp_path, [(f"a.txt{suffix}", data), ("b.txt", b"fine")])
    del data
    reader = Text(paths=(str(tmp_path),), max_record_bytes=1 << 20)
    tracemalloc.start()
    rows, bad = everything(reader)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [record.reason for record in bad] == ["record_too_large"]
    assert bad[0].detail == "more than `max_record_bytes`, which is 1,048,576"
    assert len(rows) == 1 and peak < 8 << 20


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([case for case in texts() if len(case.data) < 2000]), st.randoms(use_true_random=False), st.integers(1, 6)
)
def test_mutated_files_are_rows_or_bad(case: Bad, chance: random.Random, times: int) -> None:
    data = bytearray(case.data or b"\0")
    for _ in range(times):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), [(case.name, bytes(data))])
        rows, bad = everything(Text(paths=(folder,)))
    assert len(rows) + len(bad) == 1
    for row in rows:
        row[2].decode("utf-8")


def test_parts_do_not_depend_on_how_paths_are_given(tmp_path: Path) -> None:
    write(tmp_path, [(f"{number % 7}/{number}", b"x" * number) for number in range(100)])
    once = Text(paths=(str(tmp_path),)).parts(2000)
    assert once == Text(paths=tuple(sorted((f"{tmp_path}/{n}" for n in range(7)), reverse=True))).parts(2000)
