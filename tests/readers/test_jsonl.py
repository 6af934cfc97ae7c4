"""One line, one row or one reason; nothing is lost without a word."""

from __future__ import annotations

import itertools
import json
import random
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sslpipe.readers.jsonl as module
from sslpipe.codecs.compression import decompressed
from sslpipe.core.errors import FieldError
from sslpipe.core.steps import Bad as BadRecord
from sslpipe.readers._json import as_string, json_object
from sslpipe.readers._lines import Line, lines_of
from sslpipe.readers.jsonl import Jsonl
from tests.badinputs.text import COMPRESSORS, GOOD_LINES, Bad, lines
from tests.readers.support import Row, everything, payloads, write

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\u2028\u0085\x0c\x1c\n\r\t"'), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=5
)
CUTS = ("the file ends ",)
GOOD = [json.loads(line)["text"].encode() for line in GOOD_LINES.splitlines()]


def read(data: bytes, name: str = "a.jsonl", **fields: Any) -> tuple[list[Row], list[BadRecord]]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), [(name, data)])
        return everything(Jsonl(paths=(folder,), **fields))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, st.booleans(), st.integers(0, 3)), max_size=20),
    st.sampled_from(list(COMPRESSORS)),
    st.sampled_from([1, 2000, 1 << 20]),
    st.sampled_from([b"\n", b"\r\n"]),
    st.data(),
)
def test_rows_do_not_depend_on_files_compression_order_or_parts(
    records: list[tuple[str, bool, int]], suffix: str, part_bytes: int, end: bytes, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in range(4):
            inside = [
                json.dumps({"id": 7, "text": text}, ensure_ascii=escaped).encode() + end
                for text, escaped, place in records
                if place == file
            ]
            whole = b"".join(inside)
            if data.draw(st.booleans()):
                whole = whole.removesuffix(end)
            write(folder, [(f"{file}.ndjson{suffix}", COMPRESSORS[suffix](whole))])
        rows, bad = everything(Jsonl(paths=(str(folder),)), part_bytes)
    assert bad == []
    assert payloads(rows) == sorted((text.encode(),) for text, _, _ in records)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", lines(), ids=lambda case: case.name)
def test_bad_inputs_have_their_reasons(case: Bad) -> None:
    rows, bad = read(case.data, case.name, max_record_bytes=150_000 if case.name == "large.jsonl" else 1 << 20)
    if case.name.startswith("deep.") or case.name.startswith("number."):
        assert sys.getrecursionlimit() < 100_000
    assert tuple(record.reason for record in bad) == case.reasons
    assert len(rows) == case.rows
    assert all(0 < len(record.detail) <= 300 for record in bad)


def test_places_are_numbers_of_lines_and_raw_is_the_line() -> None:
    rows, bad = read(b'\n{"text":"a"}\n{"text":1}\n\n{"text":"b"}\n["x\xff"]')
    assert [(row[1], row[2]) for row in rows] == [(b"1", b"a"), (b"4", b"b")]
    assert [(record.place, record.reason, record.raw) for record in bad] == [
        ("line 3", "json.field_type", b'{"text":1}'),
        ("line 6", "text.utf8", b'["x\xff"]'),
    ]


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (b'{"text":"ab\xffc"}', "text.utf8", "invalid start byte at byte 11: ff 63 22 7d"),
        (
            b'{"text":"a",}',
            "json.syntax",
            "Illegal trailing comma before end of object at character 11|Expecting property name",
        ),
        (b'{"text":{}}', "json.field_type", "'text' is an object, wanted a string"),
        (b'{"t":"a"}', "json.missing_field", "there is no key 'text'"),
        (b"[1]", "json.not_object", "got an array, wanted an object"),
        (b'{"text":"a","n":NaN}', "json.nonfinite", "NaN is no JSON number"),
        (b'{"text":"a","n":-1e999}', "json.nonfinite", "-1e999 is too large for a number"),
        (b'{"a":1,"a":1}', "json.duplicate_key", "the key 'a' stands there more than once"),
        (b'{"text":"\\udc00"}', "json.surrogate", "a lone surrogate, \\udc00"),
        (b'{"n":' + b"7" * 641 + b"}", "json.number", "an integer of 641 digits; at most 640 are read"),
        (b"[" * 129 + b"]" * 129, "json.depth", "nested deeper than 128"),
    ],
)
def test_messages(line: bytes, reason: str, detail: str) -> None:
    _, (bad,) = read(line + b"\n")
    assert bad.reason == reason
    assert any(bad.detail.startswith(each) for each in detail.split("|"))


def test_limits_are_exact_wherever_they_are_called_from() -> None:
    deepest = b'{"text":"a","n":' + b"[" * 127 + b"]" * 127 + b"}"
    longest = b'{"text":"a","n":-' + b"7" * 639 + b"}"
    rows, bad = read(deepest + b"\n" + longest + b"\n")
    assert len(rows) == 2 and bad == []

    def deeper(levels: int) -> tuple[list[Row], list[BadRecord]]:
        return deeper(levels - 1) if levels else read(deepest)

    assert len(deeper(300)[0]) == 1


@settings(max_examples=100)
@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.booleans())
def test_any_object_reads_as_the_library_reads_it(value: dict[str, Any], escaped: bool) -> None:
    assert json_object(json.dumps(value, ensure_ascii=escaped).encode(), True) == value


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES), min_size=1, max_size=5))
def test_metadata_has_every_key_as_a_string(records: list[dict[str, Any]]) -> None:
    data = b"".join(json.dumps({"text": "x", **record}).encode() + b"\n" for record in records)
    rows, bad = read(data, keep=("b", "a"))
    assert bad == []
    for (_, _, _, meta), record in zip(rows, records, strict=True):
        values = json.loads(meta)
        assert list(values) == ["a", "b"]
        for key, value in values.items():
            assert isinstance(value, str)
            wanted = record.get(key)
            assert (value == wanted) if isinstance(wanted, str) else (json.loads(value or "null") == wanted)
        assert meta == json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_metadata_examples() -> None:
    assert [as_string(value) for value in ("a", None, True, 1.0, 3, {"b": ["é"], "a": 1})] == [
        "a", "", "true", "1.0", "3", '{"a":1,"b":["é"]}',
    ]  # fmt: skip
    _, (bad,) = read(b'{"text":"a","url":"\\ud800"}\n', keep=("url",))
    assert bad.reason == "json.surrogate"


def test_several_fields(tmp_path: Path) -> None:
    write(tmp_path, [("a.jsonl", b'{"q":"one","a":"two","id":3}\n')])
    reader = Jsonl(paths=(str(tmp_path),), fields={"answer": "a", "question": "q"}, keep=("id",))
    rows, _ = everything(reader)
    assert rows[0][2:] == (b"two", b"one", b'{"id":"3"}')
    assert {name: field.kind for name, field in reader.outputs({}).items()} == {
        "answer": "text",
        "question": "text",
        "meta": "meta",
    }


@pytest.mark.parametrize("fields", [{}, {"meta": "a"}, {"_file": "a"}, {"a.b": "a"}, {"Text": "a"}])
def test_names_that_cannot_be_fields(fields: dict[str, str]) -> None:
    with pytest.raises(FieldError, match="wanted names of lower-case letters, digits and `_` other than `meta`"):
        Jsonl(paths=("x",), fields=fields)


def test_what_is_claimed(tmp_path: Path) -> None:
    write(tmp_path, [(name, b"{}") for name in ("a.jsonl", "b.ndjson.zst", "c.json", "README", "d.jsonl.txt")])
    reader = Jsonl(paths=(str(tmp_path),))
    assert [Path(name).name for name in reader.parts(1)[0].files + reader.parts(1)[1].files] == ["a.jsonl", "b.ndjson.zst"]
    assert reader.unclaimed() == {".json": 1, ".txt": 1, "no suffix": 1}


def check_nothing_is_lost_silently(rows: list[Row], bad: list[BadRecord], flipped: bool = False) -> None:
    """The law of damage: what is read is a prefix of the truth, and one entry stands for the rest.

    A changed bit can look like a cut, by turning the end of the data into more of it; then the entry is all there is.
    """
    texts = [row[2] for row in rows]
    assert texts == GOOD[: len(texts)] or (flipped and any(record.detail.startswith(CUTS) for record in bad))
    assert len(texts) == len(GOOD) or len(bad) >= 1


@pytest.mark.parametrize("suffix", [suffix for suffix in COMPRESSORS if suffix])
def test_every_cut_and_flip_of_a_packed_file(suffix: str) -> None:
    packed = COMPRESSORS[suffix](GOOD_LINES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.jsonl{suffix}"
        for at in range(len(packed)):
            for hurt in (packed[:at], packed[:at] + bytes([packed[at] ^ 1 << at % 8]) + packed[at + 1 :]):
                path.write_bytes(hurt)
                rows, bad = everything(Jsonl(paths=(folder,)))
                check_nothing_is_lost_silently(rows, bad, flipped=len(hurt) == len(packed))
                assert all(record.place.startswith(("byte ", "line ")) for record in bad)


def test_records_before_the_damage_are_kept() -> None:
    noise = random.Random(5)
    many = b"".join(b'{"text":"%d %032x"}\n' % (n, noise.getrandbits(128)) for n in range(30_000))
    for suffix in (".gz", ".zst", ".bz2", ".xz"):
        packed = COMPRESSORS[suffix](many)
        rows, (bad,) = read(packed[: len(packed) * 9 // 10], f"a.jsonl{suffix}")
        assert len(rows) > 20_000 if suffix != ".bz2" else len(rows) > 10_000
        assert b"".join(b'{"text":"%s"}\n' % row[2] for row in rows) == many[: many.index(b'{"text":"%d ' % len(rows))]
        assert bad.place == f"byte {len(packed) * 9 // 10}"


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 5), st.sampled_from(["", ".gz", ".zst"]))
def test_mutated_files_are_rows_or_bad(chance: random.Random, times: int, suffix: str) -> None:
    data = bytearray(COMPRESSORS[suffix](GOOD_LINES))
    for _ in range(times):
        data[chance.randrange(len(data))] = chance.randrange(256)
    rows, bad = read(bytes(data), f"a.jsonl{suffix}", keep=("id",))
    for row in rows:
        row[2].decode("utf-8")
        json.loads(row[3])
    if not suffix:
        # Each changed byte spoils one line, splits it in two, or joins two.
        assert len(rows) + len(bad) >= len(GOOD) - times
        assert len(set(GOOD) - {row[2] for row in rows}) <= 2 * times


def test_a_line_of_any_length_takes_bounded_memory(tmp_path: Path) -> None:
    def huge() -> Iterator[bytes]:
        yield b"first\n"
        for _ in range(500):
            yield b"x" * (1 << 20)
        yield b"x\nlast"

    tracemalloc.start()
    found = list(lines_of(huge(), 4 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [Line(0, b"first", True), Line(1, None, False), Line(2, b"last", False)]
    assert peak < 16 << 20

    good = b'{"text":"good"}\n'
    packed = COMPRESSORS[".gz"](good + b'{"text":"' + b"x" * (24 << 20) + b'"}\n' + good)
    rows, (bad,) = read(packed, "a.jsonl.gz", max_record_bytes=100_000)
    assert (len(rows), bad.place, bad.reason) == (2, "line 2", "record_too_large")
    assert bad.detail == "more than `max_record_bytes`, which is 100,000" and bad.raw == b""


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=6), st.integers(1, 12))
def test_lines_do_not_depend_on_chunks(data: bytes, cuts: list[int], limit: int) -> None:
    data = data.replace(b"\x00", b"\n")
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    chunks = [data[start:stop] for start, stop in itertools.pairwise(edges)]
    found = list(lines_of(iter(chunks), limit))
    *ended, last = data.split(b"\n")
    wanted = [
        Line(number, line, True) if len(line) <= limit else Line(number, None, False) for number, line in enumerate(ended)
    ]
    if last:
        wanted.append(Line(len(ended), last if len(last) <= limit else None, False))
    assert found == wanted


def test_mutant_splitlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's idea of a line end breaks records; the law of separators sees that."""

    def splitting(chunks: Iterator[bytes], limit: int) -> Iterator[Line]:
        for number, text in enumerate(b"".join(chunks).decode().splitlines()):
            yield Line(number, text.encode(), True)

    data = '{"text":"a\u2028b"}\n{"text":"c\u0085d"}\n'.encode()

    def check() -> None:
        rows, bad = read(data)
        assert ([row[2].decode() for row in rows], bad) == (["a\u2028b", "c\u0085d"], [])

    check()
    monkeypatch.setattr(module, "lines_of", splitting)
    with pytest.raises(AssertionError):
        check()


def test_mutant_that_swallows_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that takes what it gets from a damaged file; the law of damage sees that."""
    real = module.verified

    def swallowing(*arguments: Any, **fields: Any) -> Iterator[bytes]:
        try:
            yield from real(*arguments, **fields)
        except module.Damage:
            return

    hurt = COMPRESSORS[".gz"](GOOD_LINES)[:-20]
    check_nothing_is_lost_silently(*read(hurt, "a.jsonl.gz"))
    monkeypatch.setattr(module, "verified", swallowing)
    with pytest.raises(AssertionError):
        check_nothing_is_lost_silently(*read(hurt[:40], "a.jsonl.gz"))


def test_mutant_that_trusts_what_was_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that delivers as it decodes gives altered records before the checksum tells; the law of damage sees that."""
    packed = COMPRESSORS[".zst"](GOOD_LINES)

    def check() -> None:
        for at in range(30, len(packed), 2):
            hurt = packed[:at] + bytes([packed[at] ^ 4]) + packed[at + 1 :]
            check_nothing_is_lost_silently(*read(hurt, "a.jsonl.zst"), flipped=True)

    check()
    monkeypatch.setattr(module, "verified", decompressed)
    with pytest.raises(AssertionError):
        check()


def test_mutant_last_key_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own parser takes duplicate keys, NaN and 1e999; the table of bad inputs sees that."""
    cases = [case for case in lines() if case.reasons and case.reasons[0] in ("json.duplicate_key", "json.nonfinite")]
    monkeypatch.setattr(module, "json_object", lambda line, _: json.loads(line))
    assert len(cases) == 6
    for case in cases:
        with pytest.raises(AssertionError):
            test_bad_inputs_have_their_reasons(case)
