"""Records of a list: what each line costs, and no more."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sslpipe.readers._table as module
from sslpipe.core.damage import Damage
from sslpipe.readers._lines import lines_of
from sslpipe.readers._table import Record, cell_records, json_records

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r") | st.sampled_from('",;|\t\n'), max_size=8)
TABLES = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8)
Parsed = list[tuple[int, list[str] | str]]


def records(data: bytes, separator: str = ",", columns: tuple[str, ...] = ("a", "b", "c"), start: int = 0) -> list[Record]:
    return list(cell_records(lines_of(iter([data]), 1000), 1000, separator, columns, ("a", "b"), start))


def parsed(data: bytes, separator: str = ",", **more: int) -> Parsed:
    """Line, and the cells or the reason against them."""
    return [
        (record.line, record.cells.reason if isinstance(record.cells, Damage) else list(record.cells.values()))
        for record in records(data, separator, **more)
    ]


def written(rows: list[tuple[str, ...]], separator: str = ",", end: str = "\n") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode()


@settings(max_examples=100)
@given(TABLES, st.sampled_from(",;"), st.sampled_from(["\n", "\r\n"]))
def test_what_the_library_writes_is_read(rows: list[tuple[str, ...]], separator: str, end: str) -> None:
    found = parsed(written(rows, separator, end), separator)
    assert [cells for _, cells in found] == [list(row) for row in rows]
    lines = [0]
    for row in rows:
        lines.append(lines[-1] + 1 + sum(cell.count("\n") for cell in row))
    assert [line for line, _ in found] == lines[:-1]


@settings(max_examples=100)
@given(TABLES, st.sampled_from("\t|"))
def test_where_nothing_is_quoted_lines_and_separators_are_all_that_counts(rows: list[tuple[str, ...]], separator: str) -> None:
    clean = [tuple(cell.replace("\n", "").replace(separator, "") for cell in row) for row in rows]
    data = "".join(separator.join(row) + "\n" for row in clean).encode()
    assert [cells for _, cells in parsed(data, separator)] == [list(row) for row in clean]


@settings(max_examples=100)
@given(TABLES.filter(len), st.data())
def test_a_part_may_begin_at_any_record(rows: list[tuple[str, ...]], data: st.DataObject) -> None:
    whole = parsed(written(rows))
    at = data.draw(st.integers(0, len(whole) - 1))
    assert parsed(written(rows), start=whole[at][0]) == whole[at:]
    with_names = records(written([("a", "b", "c"), *rows]), columns=(), start=whole[at][0] + 1)
    assert [record.line - 1 for record in with_names] == [line for line, _ in whole[at:]]


GOOD = [b"1,x,y", b'2,"x, ""y""",z', b'"3","",""', b"4,5 inch,z"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'9,"never closed,z', "csv.syntax"),
        (b'9,"x"y,z', "csv.syntax"),
        (b"9,x\ry,z", "csv.syntax"),
        (b"9,x", "csv.cells"),
        (b"9,x,y,z", "csv.cells"),
        (b"9", "csv.cells"),
        (b"9,\xff,z", "text.utf8"),
        (b"9," + b"x" * 1000 + b",z", "record_too_large"),
        (b'9,"' + b"x" * 900 + b",z", "csv.syntax"),
    ],
)
def test_a_bad_line_costs_itself_alone(line: bytes, reason: str) -> None:
    for at in range(len(GOOD) + 1):
        lines = [*GOOD[:at], line, *GOOD[at:]]
        found = parsed(b"\n".join(lines) + b"\n")
        assert found.pop(at) == (at, reason)
        assert [cells for _, cells in found] == [cells for _, cells in parsed(b"\n".join(GOOD))]


def test_a_quote_that_nothing_closes_costs_one_line_of_many() -> None:
    lines = [b"%d,x,y" % number for number in range(30_000)]
    lines[7] = b'7,"x,y'
    found = parsed(b"\n".join(lines))
    assert [line for line, cells in found if cells == "csv.syntax"] == [7]
    assert len(found) == len(lines)


def test_mutant_that_goes_on_behind_what_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open quote swallows lines until the parser gives up; the law of bad lines sees that."""
    monkeypatch.setattr(module._Feed, "keep_first", lambda self: None)
    with pytest.raises(AssertionError):
        test_a_quote_that_nothing_closes_costs_one_line_of_many()
    with pytest.raises(AssertionError):
        test_a_bad_line_costs_itself_alone(b'9,"never closed,z', "csv.syntax")


def test_names_of_columns() -> None:
    data = b"\n\nb,a\n1,2\n\n3,4\n"
    found = [(record.line, record.cells, record.raw) for record in records(data, columns=())]
    assert found == [(3, {"b": "1", "a": "2"}, b"1,2"), (5, {"b": "3", "a": "4"}, b"3,4")]
    assert records(b"", columns=()) == [] and records(b"b,a\n", columns=()) == []
    for head, detail in [
        (b"a,c", "no columns 'b', wanted one; the columns are 'a', 'c'"),
        (b"b,a,b", "2 columns 'b', wanted one; the columns are 'b', 'a', 'b'"),
        (b'"a,b', "the names of the columns can't be read: unexpected end of data"),
    ]:
        with pytest.raises(Damage) as caught:
            records(head + b"\n1,2\n", columns=())
        assert (caught.value.reason, caught.value.detail) == ("csv.columns", detail)


def test_lines_of_json() -> None:
    data = b'{"a":1}\n\n {"a":2}\nno\n' + b"x" * 1001 + b'\n{"a":3}\n{"a":'

    def read(start: int = 0) -> Iterator[Record]:
        return json_records(lines_of(iter([data]), 1000), 1000, start)

    found = list(read())
    reasons = [record.cells.reason if isinstance(record.cells, Damage) else record.cells["a"] for record in found]
    assert reasons == [1, 2, "json.syntax", "record_too_large", 3, "json.truncated"]
    assert [record.line for record in found] == [0, 2, 3, 4, 5, 6]
    for start in range(8):
        later = [(record.line, record.raw) for record in read(start)]
        assert later == [(record.line, record.raw) for record in found if record.line >= start]


@settings(max_examples=100)
@given(st.lists(st.sampled_from([b'"', b",", b"a", b"\n", b"\r", b"\xff", b'""', b"\n1,2,3\n"]), max_size=40))
def test_every_line_is_in_a_record_or_told(pieces: list[bytes]) -> None:
    """Whatever stands there, the lines of records and bad lines together are all lines that aren't blank."""
    data = b"".join(pieces)
    found = records(data)
    assert b"\n".join(record.raw for record in found).replace(b"\n", b"").replace(b"\r", b"") == data.replace(
        b"\n", b""
    ).replace(b"\r", b"")
    assert [record.line for record in found] == sorted({record.line for record in found})
    for record in found:
        assert isinstance(record.cells, Damage) or list(record.cells) == ["a", "b", "c"]
        json.dumps(record.cells if not isinstance(record.cells, Damage) else record.cells.reason)
