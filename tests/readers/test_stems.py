"""Files with one stem, one row; what has no partner, or two, has its reason."""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sslpipe.readers.stems as module
from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.steps import Bad
from sslpipe.readers._files import File
from sslpipe.readers.stems import Stems
from tests.badinputs.audio import pcm16, wav
from tests.badinputs.images import JPEG, PNG
from tests.badinputs.text import COMPRESSORS
from tests.readers.support import Row, everything, payloads, write
from tests.support_images import saved

SOUND = wav(pcm16(800))
THREE = {"image": (".png", ".jpg"), "note": ("_note.txt",), "text": (".txt",)}
SUFFIXES = {"image": (".png", ".JPG"), "note": ("_note.txt", "_NOTE.txt.gz"), "text": (".txt", ".TXT.zst")}


class Stem(NamedTuple):
    """The files of one stem: how many of each field, by the suffixes that they take in turn."""

    folder: str
    name: str
    counts: tuple[int, int, int]

    def files(self) -> dict[str, tuple[str, bytes]]:
        """Name to field and payload."""
        made = {}
        for (field, suffixes), count in zip(SUFFIXES.items(), self.counts, strict=True):
            for suffix in suffixes[:count]:
                payload = f"{field} of {self.folder}{self.name}".encode()
                made[f"{self.folder}{self.name}{suffix}"] = (field, PNG + payload if field == "image" else payload)
        return made

    def expected(self) -> Row | str:
        """The row, or the reason against it."""
        if max(self.counts) > 1:
            return "pair.ambiguous"
        missing = [field for field, count in zip(("image", "note", "text"), self.counts, strict=True) if not count]
        return f"pair.missing_{missing[0]}" if missing else tuple(payload for _, payload in self.files().values())


STEMS = st.builds(
    Stem,
    st.sampled_from(["", "a/", "a/b/", "b/"]),
    st.sampled_from(["x", "x.y", "22.05", "x y", "X", "x_", "é", "x-1"]),
    st.sampled_from([(1, 1, 1)] * 4 + [(0, 1, 1), (1, 0, 1), (1, 1, 0), (2, 1, 1), (1, 2, 1), (1, 1, 2), (0, 0, 2), (1, 0, 0)]),
)  # fmt: skip
CORPORA = st.lists(STEMS, max_size=12, unique_by=lambda stem: (stem.folder, stem.name))


def laid(folder: Path, stems: Sequence[Stem]) -> None:
    for stem in stems:
        for name, (field, payload) in stem.files().items():
            suffix = next((suffix for suffix in COMPRESSORS if suffix and name.endswith(suffix)), "")
            write(folder, [(name, payload if field == "image" else COMPRESSORS[suffix](payload))])


def check(folder: Path, stems: Sequence[Stem], paths: Sequence[str], part_bytes: int) -> None:
    """The law of division: rows and reasons are functions of the files alone, and every stem is one of the two."""
    rows, bad = everything(Stems(paths=tuple(paths), fields=THREE), part_bytes)
    expected = [stem.expected() for stem in stems]
    assert payloads(rows) == sorted(row for row in expected if not isinstance(row, str))
    assert Counter(record.reason for record in bad) == Counter(reason for reason in expected if isinstance(reason, str))
    assert len(rows) + len(bad) == len(stems)


@settings(max_examples=60, deadline=None)
@given(CORPORA, st.sampled_from([1, 3000, 7000, 1 << 20]), st.data())
def test_rows_do_not_depend_on_parts_or_on_how_files_are_found(stems: list[Stem], part_bytes: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        laid(folder, stems)
        files = [str(folder / file) for stem in stems for file in stem.files()]
        paths = data.draw(st.sampled_from([[name], [f"{name}/**/*"] * bool(stems) or [name], files or [name]]))
        check(folder, stems, data.draw(st.permutations(paths)), part_bytes)


MANY = [Stem(folder, f"{number}", (1, 1, 1)) for folder in ("", "a/") for number in range(5)]
ODD = [*MANY, Stem("", "two", (2, 1, 1)), Stem("", "one", (1, 1, 0))]


MUTANTS: dict[str, Callable[[Iterator[list[File]]], list[list[File]]]] = {
    "files divided one by one": lambda groups: [[file] for group in groups for file in group],
    "what is incomplete left out": lambda groups: [group for group in groups if len(group) >= 3],
    "the first of several taken": lambda groups: [
        [file for at, file in enumerate(group) if at in (0, len(group) - 1) or "_note" in file[0]] for group in groups
    ],
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_of_grouping(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid(tmp_path, ODD)
    check(tmp_path, ODD, [str(tmp_path)], 1)
    real = module.bundled_groups
    monkeypatch.setattr(module, "bundled_groups", lambda groups, size: real(MUTANTS[mutant](groups), size))
    with pytest.raises(AssertionError):
        check(tmp_path, ODD, [str(tmp_path)], 1)


def test_mutant_stems_without_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names alone bring together what lies in different folders."""
    laid(tmp_path, MANY)
    real = module.Suffixes.split
    monkeypatch.setattr(module.Suffixes, "split", lambda self, name: real(self, name.rpartition("/")[2]))
    with pytest.raises(AssertionError):
        check(tmp_path, MANY, [str(tmp_path)], 1 << 20)


@pytest.mark.parametrize(
    ("files", "reason", "file", "place"),
    [
        ({"x.png": PNG, "x.txt": b""}, "pair.missing_audio", "x.png", "stem x"),
        ({"x.png": PNG}, "pair.missing_audio", "x.png", "stem x"),
        ({"x.ogg": SOUND, "x.txt": b""}, "pair.missing_image", "x.ogg", "stem x"),
        ({"x.png": PNG, "x.ogg": SOUND}, "pair.missing_text", "x.png", "stem x"),
        ({"x.png": PNG, "X.ogg": SOUND, "x.txt": b"", "X.txt": b"", "X.png": PNG}, "pair.missing_audio", "x.png", "stem x"),
        ({"x.png": PNG, "x.jpg": JPEG, "x.ogg": SOUND, "x.txt": b""}, "pair.ambiguous", "x.jpg", "stem x"),
        ({"x.png": PNG, "x.PNG": PNG}, "pair.ambiguous", "x.PNG", "stem x"),
        ({"x.png": PNG, "x.ogg": SOUND, "x.txt": b"", "x.txt.gz": b""}, "pair.ambiguous", "x.png", "stem x"),
        ({"x.png": PNG[:-1], "x.ogg": SOUND, "x.txt": b"\xff"}, "image.truncated", "x.png", f"byte {len(PNG) - 1}"),
        ({"x.png": PNG, "x.ogg": b"RIFFnone", "x.txt": b"\xff"}, "audio.truncated", "x.ogg", "byte 8"),
        ({"x.png": PNG, "x.ogg": SOUND, "x.txt": b"ab\xff"}, "text.utf8", "x.txt", "byte 2"),
        ({"x.png": PNG, "x.ogg": SOUND, "x.txt": "a".encode("utf-16")}, "text.encoding", "x.txt", "byte 0"),
        ({"x.png": PNG, "x.ogg": SOUND, "x.txt": b"\1\2" * 9}, "text.binary", "x.txt", "byte 0"),
        ({"x.png": PNG, "x.ogg": SOUND, "x.txt.gz": b"\x1f\x8b"}, "gz.truncated", "x.txt.gz", "byte 2"),
        ({"x.png": PNG, "x.ogg": SOUND, "x.txt.gz": b""}, "gz.empty", "x.txt.gz", "byte 0"),
        ({"x.png": PNG, "x.ogg": SOUND, "x.txt": b"a" * 40_000}, "record_too_large", "x.txt", "byte 32768"),
    ],
)  # fmt: skip
def test_reasons(files: dict[str, bytes], reason: str, file: str, place: str, tmp_path: Path) -> None:
    write(tmp_path, [("a.png", PNG), ("a.ogg", SOUND), ("a.txt", b"before"), ("z.jpg", JPEG), ("z.ogg", SOUND), ("z.txt", b"")])
    write(tmp_path, files.items())
    fields = {"image": (".png", ".jpg"), "audio": (".ogg",), "text": (".txt",)}
    rows, (*_, bad) = everything(Stems(paths=(str(tmp_path),), fields=fields, max_record_bytes=32_768))
    assert (bad.reason, Path(bad.file).name, bad.place) == (reason, file, place)
    assert 0 < len(bad.detail) <= 300
    assert [row[4] for row in rows if not row[0].endswith(b"X.png")] == [b"before", b""]


def read(folder: Path, **fields: Any) -> tuple[list[Row], list[Bad]]:
    return everything(Stems(paths=(str(folder),), **fields))


def test_pictures_and_captions_are_read_as_they_are_written(tmp_path: Path) -> None:
    write(tmp_path, [("a.JPG", PNG), ("a.txt", b"\xef\xbb\xbfeins\r\nzwei\r\n"), ("b.webp", JPEG), ("b.Txt", b"")])
    rows, bad = read(tmp_path)
    assert [row[1:] for row in rows] == [(b"0", PNG, b"eins\r\nzwei\r\n"), (b"0", JPEG, b"")] and bad == []
    rows, _ = read(tmp_path, lines="first")
    assert payloads(rows) == sorted([(PNG, b"eins"), (JPEG, b"")])


def test_all_of_a_text_has_to_be_text_whichever_lines_count(tmp_path: Path) -> None:
    write(tmp_path, [("a.png", PNG), ("a.txt", b"fine\nde=\xff")])
    rows, (bad,) = read(tmp_path, lines="first")
    assert rows == [] and bad.reason == "text.utf8"


def test_the_longest_suffix_counts_and_dots_belong_to_stems(tmp_path: Path) -> None:
    names = {"cat.png": "cat", "cat.ogg": "cat", "cat_desc.ogg": "cat", "22.05.png": "22.05", "22.05_desc.ogg": "22.05"}
    write(tmp_path, [(name, PNG if name.endswith("png") else SOUND + name.encode()) for name in names])
    write(tmp_path, [("22.05.ogg", SOUND + b"22.05.ogg"), ("cat_desc_fr.ogg", SOUND), ("cat.dat", b"")])
    fields = {"image": [".png"], "audio": ["_DESC.ogg"], "call": [".ogg"]}
    rows, (bad,) = read(tmp_path, fields=fields, keep=("stem",))
    assert [(row[3], row[4]) for row in rows] == [
        (SOUND + b"22.05_desc.ogg", SOUND + b"22.05.ogg"),
        (SOUND + b"cat_desc.ogg", SOUND + b"cat.ogg"),
    ]
    assert [json.loads(row[5]) for row in rows] == [{"stem": str(tmp_path / stem)} for stem in ("22.05", "cat")]
    assert [row[0] for row in rows] == [os.fsencode(tmp_path / name) for name in ("22.05.png", "cat.png")]
    assert bad.detail == "no file of `image` (.png) and `audio` (_desc.ogg) beside cat_desc_fr.ogg"
    assert Stems(paths=(str(tmp_path),), fields=fields).unclaimed() == {".dat": 1}


def test_fields_are_the_same_in_any_order(tmp_path: Path) -> None:
    laid(tmp_path, ODD)
    one = Stems(paths=(str(tmp_path),), fields=THREE, keep=("stem",))
    two = Stems(paths=(str(tmp_path),), fields=dict(reversed(THREE.items())), keep=("stem",))
    assert one == two and one.model_dump_json() == two.model_dump_json()
    assert everything(one) == everything(two)
    assert {name: field.kind for name, field in one.outputs({}).items()} == {
        "image": "image",
        "note": "text",
        "text": "text",
        "meta": "meta",
    }


def test_pictures_have_limits(tmp_path: Path) -> None:
    """The smallest one above each limit is refused with its row; one at the limit is let in."""
    sizes = {
        "large": (100, 101),
        "fits": (100, 100),
        "small": (9, 20),
        "least": (20, 10),
        "narrow": (100, 39),
        "wide": (40, 100),
    }
    for name, side in sizes.items():
        write(tmp_path, [(f"{name}.png", saved(np.zeros((*side, 3), np.uint8), "PNG")), (f"{name}.txt", name.encode())])
    rows, bad = read(tmp_path, max_pixels=10_000, min_side=10, max_aspect=2.5)
    assert {row[3] for row in rows} == {b"fits", b"least", b"wide"}
    assert {Path(record.file).stem: (record.reason, record.detail) for record in bad} == {
        "large": ("image.too_large", "101 x 100 pixels, more than `max_pixels`, which is 10,000"),
        "narrow": ("image.dimension", "39 x 100 pixels, narrower than `max_aspect`, which is 2.5"),
        "small": ("image.dimension", "20 x 9 pixels, a side below `min_side`, which is 10"),
    }
    write(tmp_path, [("line.png", saved(np.zeros((1, 101, 3), np.uint8), "PNG")), ("line.txt", b"")])
    assert [record.reason for record in read(tmp_path)[1]] == ["image.dimension"]


def test_kinds_can_be_said(tmp_path: Path) -> None:
    write(tmp_path, [("a.cover", PNG), ("a.lab", b"text"), ("b.cover", b"none"), ("b.lab", b"")])
    reader = Stems(paths=(str(tmp_path),), fields={"cover": [".cover"], "label": [".lab"]}, kinds={"cover": "image"})
    rows, (bad,) = everything(reader)
    assert payloads(rows) == [(PNG, b"text")] and bad.reason == "image.unknown_format"
    assert {name: field.kind for name, field in reader.outputs({}).items()} == {"cover": "image", "label": "text"}


def test_one_caption_may_have_many_names_but_a_row_is_read_once(tmp_path: Path) -> None:
    """That two names lead to one file takes a caption from nobody."""
    write(tmp_path, [("a.png", PNG + b"a"), ("b.png", PNG + b"b"), ("a.txt", b"same"), ("c/d.png", PNG + b"d")])
    (tmp_path / "b.txt").symlink_to("a.txt")
    (tmp_path / "c/d.txt").hardlink_to(tmp_path / "a.txt")
    (tmp_path / "e.png").symlink_to("c/d.png")
    (tmp_path / "e.txt").symlink_to("c/d.txt")
    (tmp_path / "f.txt").symlink_to("a.txt")
    reader = Stems(paths=(str(tmp_path),))
    rows, bad = everything(reader)
    assert payloads(rows) == [(PNG + letter, b"same") for letter in (b"a", b"b", b"d")]
    assert [record.reason for record in bad] == ["pair.missing_image"]
    assert reader.unclaimed() == {"same_file": 2}


def test_names_of_any_bytes(tmp_path: Path) -> None:
    stem = os.fsencode(tmp_path) + b"/caf\xe9 \n"
    for suffix, data in ((b".png", PNG), (b".txt", b"x"), (b"2.txt", b"y")):
        Path(os.fsdecode(stem + suffix)).write_bytes(data)
    ((name, *_, meta),), (bad,) = read(tmp_path, keep=("stem",))
    assert name == stem + b".png" and json.loads(meta) == {"stem": f"{tmp_path}/caf\\xe9 \n"}
    assert bad.place == "stem caf\\xe9 \n2" and bad.detail.endswith("beside caf\\xe9 \n2.txt")


def test_what_is_hidden_or_no_file_is_no_partner(tmp_path: Path) -> None:
    write(tmp_path, [("a.png", PNG), (".a.txt", b""), (".txt", b""), (".png", PNG), ("b.txt/c.png", PNG)])
    os.mkfifo(tmp_path / "a.txt")
    reader = Stems(paths=(str(tmp_path),))
    rows, bad = everything(reader)
    assert rows == [] and [record.reason for record in bad] == ["pair.missing_text"] * 2
    assert reader.unclaimed() == {"hidden": 3, "not_regular_file": 2}


def test_a_file_of_no_field_is_a_mistake_only_where_it_is_named(tmp_path: Path) -> None:
    write(tmp_path, [("a.png", PNG), ("a.txt", b""), ("a.bmp", b"")])
    assert Stems(paths=(str(tmp_path),)).unclaimed() == {".bmp": 1}
    with pytest.raises(
        RecipeError, match=r"a\.bmp: got a file of no field, wanted a folder, or a name that ends with one of \."
    ):
        Stems(paths=(f"{tmp_path}/a.bmp",)).parts(1)


def test_files_that_change_or_vanish_cost_their_row(tmp_path: Path) -> None:
    for stem in "abcd":
        write(tmp_path, [(f"{stem}.png", PNG), (f"{stem}.txt", b"x")])
    reader = Stems(paths=(str(tmp_path),))
    (part,) = reader.parts(1 << 20)
    (tmp_path / "a.txt").write_bytes(b"longer")
    (tmp_path / "b.png").unlink()
    os.utime(tmp_path / "c.png", ns=(0, 0))
    problems: list[Bad] = []
    (batch,) = reader.read(part, problems.append)
    assert [(record.reason, Path(record.file).name) for record in problems] == [
        ("io.changed", "a.txt"),
        ("io.vanished", "b.png"),
        ("io.changed", "c.png"),
    ]
    assert [part.files[number] for number in batch.array("_file")] == [str(tmp_path / "d.png")]


def test_batches_are_bounded(tmp_path: Path) -> None:
    write(tmp_path, [(f"{number:04}{suffix}", b"x") for number in range(4100) for suffix in (".q", ".a")])
    write(tmp_path, [(f"large{number}{suffix}", b"y" * (3 << 20)) for number in range(3) for suffix in (".q", ".a")])
    reader = Stems(paths=(str(tmp_path),), fields={"question": [".q"], "answer": [".a"]})
    (part,) = reader.parts(1 << 30)
    assert [len(batch) for batch in reader.read(part, pytest.fail)] == [4096, 5, 1, 1]
    assert len(everything(reader)[0]) == 4103


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"fields": {}}, "wanted names of lower-case letters"),
        ({"fields": {"meta": [".json"]}}, "wanted names of lower-case letters"),
        ({"fields": {"text": []}}, "got no suffix of `text`"),
        ({"fields": {"text": ["txt"]}}, "got the suffix 'txt' of `text`, wanted the end of a file name with its dot"),
        ({"fields": {"text": ["a/b.txt"]}}, "wanted the end of a file name"),
        ({"fields": {"a": [".txt"], "b": [".TXT"]}}, "got the suffix '.txt' more than once"),
        ({"fields": {"a": [".txt", ".png"]}}, "`a` has suffixes of image and text; wanted one kind"),
        ({"kinds": {"photo": "image"}}, "`kinds` names 'photo', wanted one of the fields image, text"),
    ],
)
def test_mistakes_are_told(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(FieldError, match=message):
        Stems(paths=("x",), **fields)


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_mutated_files_are_rows_or_bad(chance: random.Random, times: int) -> None:
    files = {".png": bytearray(PNG), ".wav": bytearray(SOUND), ".txt": bytearray(b"a text")}
    for _ in range(times):
        data = files[chance.choice(list(files))]
        data[chance.randrange(len(data))] = chance.randrange(256)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), [(f"a{suffix}", bytes(data)) for suffix, data in files.items()])
        rows, bad = read(Path(folder), fields={"image": [".png"], "audio": [".wav"], "text": [".txt"]})
    assert len(rows) + len(bad) == 1
    for row in rows:
        row[4].decode("utf-8")
