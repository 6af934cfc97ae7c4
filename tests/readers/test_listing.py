"""Lists of files: a line is a row or a reason, and no line leads out of its folder."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sslpipe.readers.listing as module
from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.steps import Bad, Part
from sslpipe.readers._beneath import Beneath
from sslpipe.readers._listed import ListedFiles
from sslpipe.readers.listing import Listing
from tests.badinputs.audio import pcm16, wav
from tests.badinputs.images import PNG
from tests.badinputs.text import COMPRESSORS
from tests.readers.support import Row, everything, payloads, write
from tests.support_images import saved

SOUND = wav(pcm16(800))
Line = Mapping[str, Any]


def picture(number: int) -> bytes:
    return PNG + b"%d" % number


def jsonl(lines: Sequence[Line | bytes]) -> bytes:
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def table(lines: Sequence[Line], separator: str = ",", names: Sequence[str] = ()) -> bytes:
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_MINIMAL if separator in ",;" else csv.QUOTE_NONE
    writer = csv.writer(out, delimiter=separator, quoting=quoting, quotechar='"' if separator in ",;" else None)
    writer.writerows(
        [names or ("file_name", "text", "id"), *([line[name] for name in ("file_name", "text", "id")] for line in lines)]
    )
    return out.getvalue().encode()


def read(folder: Path, part_bytes: int = 1 << 20, **fields: Any) -> tuple[list[Row], list[Bad]]:
    return everything(Listing(paths=(str(folder),), **fields), part_bytes)


class Entry(NamedTuple):
    """What a line says: a picture by its number, 7 of which there isn't, and a caption."""

    number: int
    text: str

    def line(self, at: int) -> Line:
        return {"file_name": f"p/{self.number}.png", "text": self.text, "id": str(at)}

    def row(self, at: int) -> Row:
        return (picture(self.number), self.text.encode(), b'{"id":"%d"}' % at)


CAPTIONS = st.text(st.characters(codec="utf-8", categories=["L", "Zs", "Po"]), max_size=12)
ENTRIES = st.lists(st.builds(Entry, st.integers(0, 7), CAPTIONS), max_size=14)


def check(folder: Path, entries: Sequence[Entry], part_bytes: int = 1 << 20) -> None:
    """The law of division: rows are functions of lines and files, and every line is a row or has a reason."""
    rows, bad = read(folder, part_bytes, keep=("id",))
    assert payloads(rows) == sorted(entry.row(at) for at, entry in enumerate(entries) if entry.number != 7)
    assert [record.reason for record in bad] == ["io.vanished"] * sum(entry.number == 7 for entry in entries)


@settings(max_examples=60, deadline=None)
@given(ENTRIES, st.sampled_from([1, 8000, 20_000, 1 << 20]), st.sampled_from(list(COMPRESSORS)), st.data())
def test_rows_do_not_depend_on_lists_their_format_or_parts(
    entries: list[Entry], part_bytes: int, compression: str, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, [(f"p/{number}.png", picture(number)) for number in range(7)])
        lines: list[list[Line]] = [[], [], []]
        for at, entry in enumerate(entries):
            lines[data.draw(st.integers(0, 2))].append(entry.line(at))
        made = [("a.jsonl", jsonl(lines[0])), ("b.csv", table(lines[1])), ("c.tsv", table(lines[2], "\t"))]
        write(folder, [(listing + compression, COMPRESSORS[compression](content)) for listing, content in made])
        check(folder, entries, part_bytes)


LAID = [Entry(number % 7, f"caption {number}") for number in range(20)] + [Entry(7, "")]


@pytest.fixture
def laid(tmp_path: Path) -> Path:
    """Lists of both formats over seven pictures that several lines share."""
    write(tmp_path, [(f"p/{number}.png", picture(number)) for number in range(7)])
    lines = [entry.line(at) for at, entry in enumerate(LAID)]
    write(tmp_path, [("a.jsonl", jsonl(lines[:11])), ("b.csv", table(lines[11:]))])
    return tmp_path


def test_parts_are_spans_with_the_files_that_they_name(laid: Path) -> None:
    parts = Listing(paths=(str(laid),)).parts(3 * len(picture(0)))
    assert [part.span for part in parts if part.files[0].endswith("a.jsonl")] == [(0, 3), (3, 6), (6, 9), (9, None)]
    assert [part.span for part in parts if part.files[0].endswith("b.csv")] == [(0, 4), (4, 7), (7, None)]
    for part in parts:
        assert list(part.sizes) == [Path(name).stat().st_size for name in part.files]
        assert list(part.stamps) == [Path(name).stat().st_mtime_ns for name in part.files]
    assert [os.path.basename(name) for name in parts[1].files] == ["a.jsonl", "3.png", "4.png", "5.png"]  # noqa: PTH119
    (part,) = Listing(paths=(f"{laid}/a.jsonl",)).parts(1)[:1]
    assert part.span == (0, 1)


def test_no_part_is_smaller_than_its_list(laid: Path) -> None:
    with (laid / "a.jsonl").open("ab") as file:
        file.write(b" " * 10_000 + b"\n")
    assert len(Listing(paths=(f"{laid}/a.jsonl",)).parts(1)) == 4


def whole_list(self: Listing, part: Part) -> Any:
    return RECORDS(self, Part(part.files, part.sizes, part.stamps))


def without_its_end(listing: Any, span: Any = None) -> Part:
    return PART_OF(listing, span and (span[0], span[1] - 1 if span[1] else None))


RECORDS, PART_OF = Listing._records, module.part_of


def test_mutants_of_division(laid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part reads the whole list; parts miss their last line; a line without its files is passed over."""
    for part_bytes in (1, 9000, 1 << 20):
        check(laid, LAID, part_bytes)
    for target, name, mutant in [
        (Listing, "_records", whole_list),
        (module, "part_of", without_its_end),
        (ListedFiles, "bad", lambda *_: Bad("", "", "io.error", "")),
    ]:
        with monkeypatch.context() as patch, pytest.raises(AssertionError):
            patch.setattr(target, name, mutant)
            check(laid, LAID, 1)


HOSTILE = {
    "http://example.com/x.png": "path.url",
    "s3://bucket/x.png": "path.url",
    "/etc/passwd": "path.outside",
    "../secret.png": "path.outside",
    "p/../../secret.png": "path.outside",
    "out.png": "path.link",
    "up/secret.png": "path.link",
    "": "path.name",
    "a\0b": "path.name",
    "p": "path.not_file",
    "pipe.png": "path.not_file",
    "gone.png": "io.vanished",
    "dangling.png": "io.vanished",
    "\udce9.png": "json.surrogate",
    None: "json.field_type",
    7: "json.field_type",
    "bad.png": "image.truncated",
    "large.png": "record_too_large",
    "list.jsonl": "image.unknown_format",
}


def hostile(folder: Path) -> Path:
    """A list that asks for what it shouldn't get, beside one picture that it may have, by several ways."""
    root = folder / "root"
    write(folder, [("secret.png", picture(9)), ("root/p/0.png", picture(0)), ("root/bad.png", PNG[:-1])])
    write(folder, [("root/large.png", PNG + bytes(50_000))])
    for name, target in {"out.png": "../secret.png", "up": "..", "dangling.png": "nothing", "in.png": "p/0.png"}.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe.png")
    good = ["p/0.png", "in.png", "./p//0.png", "p/../p/0.png"]
    write(root, [("list.jsonl", jsonl([{"file_name": name, "text": ""} for name in [*HOSTILE, *good]]))])
    return root


def check_hostile(root: Path) -> None:
    rows, bad = read(root, max_record_bytes=30_000)
    assert payloads(rows) == [(picture(0), b"")] * 4
    assert [record.reason for record in bad] == list(HOSTILE.values())


def test_hostile_paths_have_their_reasons(tmp_path: Path) -> None:
    check_hostile(hostile(tmp_path))


def test_pictures_have_limits(tmp_path: Path) -> None:
    sizes = {"large": (100, 101), "fits": (100, 100), "small": (9, 20), "narrow": (100, 39)}
    write(tmp_path, [(f"{name}.png", saved(np.zeros((*side, 3), np.uint8), "PNG")) for name, side in sizes.items()])
    write(tmp_path, [("list.jsonl", jsonl([{"file_name": f"{name}.png", "text": name} for name in sizes]))])
    rows, bad = read(tmp_path, max_pixels=10_000, min_side=10, max_aspect=2.5)
    assert [row[-1] for row in payloads(rows)] == [b"fits"]
    assert {Path(record.file).stem: (record.reason, record.detail) for record in bad} == {
        "large": ("image.too_large", "101 x 100 pixels, more than `max_pixels`, which is 10,000"),
        "small": ("image.dimension", "20 x 9 pixels, a side below `min_side`, which is 10"),
        "narrow": ("image.dimension", "39 x 100 pixels, narrower than `max_aspect`, which is 2.5"),
    }


def test_mutant_that_joins_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = hostile(tmp_path)
    monkeypatch.setattr(Beneath, "open", lambda _, path: os.open(root / path, os.O_RDONLY | os.O_NONBLOCK))
    with pytest.raises((AssertionError, OSError)):
        check_hostile(root)


def test_bad_lines_and_bad_files_say_where(tmp_path: Path) -> None:
    root = hostile(tmp_path)
    (root / "list.jsonl").write_bytes(jsonl([{"file_name": "bad.png", "text": "a"}, {"file_name": "../x", "text": "a"}, b"no"]))
    _, bad = read(root)
    assert [(Path(record.file).name, record.place, record.raw) for record in bad] == [
        ("bad.png", f"byte {len(PNG) - 1}, named in line 1 of list.jsonl", PNG[:-1]),
        ("list.jsonl", "line 2", b'{"file_name": "../x", "text": "a"}'),
        ("list.jsonl", "line 3", b"no"),
    ]
    assert bad[1].detail == "'../x' leads out of its folder"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"text": "x"}, "json.missing_field"),
        ({"file_name": "p/0.png"}, "json.missing_field"),
        ({"file_name": "p/0.png", "text": None}, "json.field_type"),
        ({"file_name": "p/0.png", "text": "\x01" * 9}, "text.binary"),
        ({"file_name": "p/0.png", "text": "\ud800"}, "json.surrogate"),
        ({"file_name": "p/0.png", "text": "", "id": "\ud800"}, "json.surrogate"),
        (b'{"file_name":"p/0.png","text":"\xff"}', "text.utf8"),
        (b"[1]", "json.not_object"),
        (b'{"text":"","text":""}', "json.duplicate_key"),
        (b'{"text":"' + b"x" * 300 + b'"}', "record_too_large"),
    ],
)
def test_lines_of_json_have_their_reasons(line: Line | bytes, reason: str, laid: Path) -> None:
    (laid / "a.jsonl").write_bytes(jsonl([LAID[0].line(0), line, LAID[1].line(1)]))
    (laid / "b.csv").unlink()
    rows, bad = read(laid, keep=("id",), max_line_bytes=300)
    assert [record.reason for record in bad] == [reason] and len(rows) == 2


def test_damage_of_a_list_is_told_once_however_it_is_divided(laid: Path) -> None:
    lines = [entry.line(at) for at, entry in enumerate(LAID[:20])]
    packed = COMPRESSORS[".gz"](jsonl(lines))
    write(laid, [("a.jsonl", b""), ("b.csv", b"file_name,id\n"), ("c.jsonl.gz", packed[: len(packed) * 9 // 10])])
    results = [read(laid, part_bytes) for part_bytes in (1, 9000, 1 << 20)]
    for rows, bad in results:
        assert [record.reason for record in bad] == ["csv.columns", "gz.truncated"]
        assert 0 < len(rows) < 20 and sorted(rows) == sorted(results[0][0])
    assert len(Listing(paths=(str(laid),)).parts(1)) > 8


def test_speech_as_its_corpora_list_it(tmp_path: Path) -> None:
    """Common Voice: clips below the list, quotes in the text. LJ Speech: no names of columns, ids for paths, bars."""
    write(tmp_path, [("cv/clips/a.mp3.wav", SOUND), ("lj/wavs/LJ-1.wav", SOUND), ("lj/texts/LJ-1.txt", b"in a file")])
    voice = b'client\tpath\tsentence\nx\ta.mp3.wav\t"Quoted," he said\n'
    write(tmp_path, [("cv/test.tsv", voice), ("lj/metadata.csv", b'LJ-1|Dr. "A"|Doctor A\n')])
    rows, bad = read(tmp_path / "cv", fields={"audio": "clips/{path}", "text": "sentence"}, keep=("client",))
    assert bad == [] and payloads(rows) == [(SOUND, b'"Quoted," he said', b'{"client":"x"}')]
    reader = Listing(
        paths=(str(tmp_path / "lj"),),
        fields={"audio": "wavs/{id}.wav", "text": "normal", "note": "texts/{id}.txt"},
        columns=("id", "written", "normal"),
        separator="|",
    )
    rows, bad = everything(reader)
    assert bad == [] and payloads(rows) == [(SOUND, b"in a file", b"Doctor A")]
    assert {name: field.kind for name, field in reader.outputs({}).items()} == {
        "audio": "audio",
        "note": "text",
        "text": "text",
    }
    assert reader.unclaimed() == {}


def test_texts_in_files_are_strict(tmp_path: Path) -> None:
    write(tmp_path, [("a.txt", b"\xef\xbb\xbfa"), ("b.txt.gz", COMPRESSORS[".gz"](b"b")), ("c.txt", b"\xff")])
    write(tmp_path, [("l.jsonl", jsonl([{"p": name} for name in ("a.txt", "b.txt.gz", "c.txt")]))])
    rows, bad = read(tmp_path, fields={"text": "{p}"})
    assert payloads(rows) == [(b"a",), (b"b",)]
    assert [(record.reason, Path(record.file).name) for record in bad] == [("text.utf8", "c.txt")]


def test_what_is_claimed_and_what_is_left(laid: Path) -> None:
    write(
        laid,
        [
            ("p/8.png", PNG),
            ("c.NDJSON.gz", COMPRESSORS[".gz"](b"")),
            ("notes.txt", b""),
            (".hidden.jsonl", b""),
            ("d.json", b""),
        ],
    )
    (laid / "link.png").symlink_to("p/0.png")
    reader = Listing(paths=(str(laid),))
    assert reader.unclaimed() == {".json": 1, ".png": 1, ".txt": 1, "hidden": 1}
    assert {Path(part.files[0]).name for part in reader.parts(1)} == {"a.jsonl", "b.csv", "c.NDJSON.gz"}
    (laid / "list").write_bytes(jsonl([LAID[0].line(0)]))
    rows, bad = everything(Listing(paths=(f"{laid}/list",)))
    assert len(rows) == 1 and bad == []
    with pytest.raises(RecipeError, match="there is no such file"):
        Listing(paths=(f"{laid}/none",)).parts(1)


def test_files_that_change_between_plan_and_reading(laid: Path) -> None:
    reader = Listing(paths=(f"{laid}/a.jsonl",))
    (part,) = reader.parts(1 << 20)
    (laid / "p/0.png").write_bytes(PNG + b"changed")
    (laid / "p/1.png").unlink()
    (laid / "p/2.png").unlink()
    (laid / "p/2.png").symlink_to("/etc/hostname")
    bad: list[Bad] = []
    rows = sum(len(batch) for batch in reader.read(part, bad.append))
    assert Counter(record.reason for record in bad) == {"io.changed": 2, "io.vanished": 2, "path.link": 2} and rows == 5
    write(laid, [("p/7.png", PNG)])
    last = Listing(paths=(f"{laid}/b.csv",))
    (part,) = last.parts(1 << 20)
    assert part.files[-1].endswith("/p/7.png")
    without = Part(part.files[:-1], part.sizes[:-1], part.stamps[:-1], part.span)
    bad.clear()
    list(last.read(without, bad.append))
    assert ("io.changed", "line 11") in [(record.reason, record.place) for record in bad]
    (laid / "b.csv").write_bytes(b"file_name,text,id\n")
    bad.clear()
    assert list(last.read(part, bad.append)) == []
    assert [(record.reason, record.file) for record in bad] == [("io.changed", f"{laid}/b.csv")]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"fields": {}}, "wanted names of lower-case letters"),
        ({"fields": {"image": ""}}, "got '' for `image`, wanted a column, or a path below the list with one in braces"),
        ({"fields": {"image": "{a}/{b}"}}, "wanted a column, or a path"),
        ({"fields": {"image": "a}"}}, "wanted a column, or a path"),
        ({"fields": {"image": "/data/{a}"}}, "wanted a column, or a path below the list"),
        ({"kinds": {"photo": "image"}}, "`kinds` names 'photo', wanted one of the fields image, text"),
        ({"columns": ("file_name",)}, "got the column 'text', which `columns` doesn't have; it has file_name"),
        ({"separator": ":"}, "separator"),
    ],
)
def test_mistakes_are_told(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        Listing(paths=("x",), **fields)


def test_batches_are_bounded(tmp_path: Path) -> None:
    write(tmp_path, [("x.txt", b"y" * (5 << 20)), ("l.jsonl", jsonl([{"p": "x.txt"}] * 3))])
    write(tmp_path, [("m.jsonl", jsonl([{"p": "s.txt"}] * 4100)), ("s.txt", b"")])
    reader = Listing(paths=(str(tmp_path),), fields={"text": "{p}"})
    one, two = reader.parts(1 << 30)
    assert [len(batch) for batch in reader.read(one, pytest.fail)] == [1, 1, 1]
    assert [len(batch) for batch in reader.read(two, pytest.fail)] == [4096, 4]
