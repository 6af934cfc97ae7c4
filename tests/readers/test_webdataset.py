"""Archives of samples: every damage has its reason, and nothing is lost without one."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.readers.webdataset import WebDataset
from sslpipe.recipe.load import load_recipe
from tests.badinputs.images import JPEG, PNG
from tests.readers.support import everything, write

PAIR = {"image": ("jpg", "png"), "text": ("txt",)}


class Entry(NamedTuple):
    """A member."""

    name: str
    data: bytes = b""
    kind: bytes = tarfile.REGTYPE


def tar(*entries: Entry | tuple[str, bytes], form: int = tarfile.USTAR_FORMAT, end: bool = True) -> bytes:
    """An archive as `tarfile` writes it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for entry in (Entry(*entry) for entry in entries):
            info = tarfile.TarInfo(entry.name)
            info.size, info.type = len(entry.data), entry.kind
            info.linkname = "elsewhere" if entry.kind in (tarfile.LNKTYPE, tarfile.SYMTYPE) else ""
            archive.addfile(info, io.BytesIO(entry.data))
        size = archive.offset
    return out.getvalue() if end else out.getvalue()[:size]


def sample(number: int) -> list[Entry]:
    return [Entry(f"s{number}.txt", b"words %d" % number), Entry(f"s{number}.jpg", JPEG)]


EIGHT = [entry for number in range(4) for entry in sample(number)]
GOOD = tar(*EIGHT)
HEADERS = [at for at in range(0, len(GOOD), 512) if GOOD[at + 257 : at + 262] == b"ustar"]


class Case(NamedTuple):
    name: str
    data: bytes
    reasons: tuple[str, ...]
    rows: int


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def cases() -> list[Case]:
    """What plain reading of tars passes over in silence, or stumbles over."""
    end = len(GOOD.rstrip(b"\0"))
    sized = bytearray(GOOD)
    sized[HEADERS[3] + 124 : HEADERS[3] + 136] = b"77777777777\0"
    sized[HEADERS[3] + 148 : HEADERS[3] + 156] = b"%06o\0 " % (
        sum(sized[HEADERS[3] : HEADERS[3] + 148]) + 256 + sum(sized[HEADERS[3] + 156 : HEADERS[3] + 512])
    )
    negative = bytearray(GOOD)
    negative[HEADERS[3] + 124 : HEADERS[3] + 136] = b"\xff" * 10 + b"\xfe\x00"
    negative[HEADERS[3] + 148 : HEADERS[3] + 156] = b"%06o\0 " % (
        sum(negative[HEADERS[3] : HEADERS[3] + 148]) + 256 + sum(negative[HEADERS[3] + 156 : HEADERS[3] + 512])
    )
    return [
        Case("good", GOOD, (), 4),
        Case("cut_between_members", GOOD[: HEADERS[3]], ("tar.no_end",), 1),
        Case("cut_between_samples", GOOD[: HEADERS[4]], ("tar.no_end",), 2),
        Case("cut_in_header", GOOD[: HEADERS[3] + 100], ("tar.truncated",), 1),
        Case("cut_behind_header", GOOD[: HEADERS[3] + 512], ("tar.truncated",), 1),
        Case("cut_in_data", GOOD[: HEADERS[3] + 700], ("tar.truncated",), 1),
        Case("cut_in_padding", GOOD[: end + 1], ("tar.truncated",), 3),
        Case("no_end", tar(*EIGHT, end=False), ("tar.no_end",), 4),
        Case("one_zero_block", tar(*EIGHT, end=False) + bytes(512), (), 4),
        Case("header_flipped", flipped(GOOD, HEADERS[3]), ("tar.header",), 1),
        Case("checksum_flipped", flipped(GOOD, HEADERS[3] + 150), ("tar.header",), 1),
        Case("size_changed", flipped(GOOD, HEADERS[3] + 134), ("tar.header",), 1),
        Case("too_large", bytes(sized), ("tar.truncated",), 1),
        Case("negative", bytes(negative), ("tar.header",), 1),
        Case(
            "tail_of_zeros", GOOD[: HEADERS[3] + 600] + bytes(len(GOOD) - HEADERS[3] - 600), ("image.truncated", "tar.zeros"), 1
        ),
        Case("garbage_behind", GOOD + b"garbage", ("tar.truncated",), 4),
        Case("more_garbage_behind", GOOD + b"garbage" * 100, ("tar.header",), 4),
        Case("two_archives", GOOD + tar(*sample(9)), (), 5),
        Case("empty", b"", ("tar.empty",), 0),
        Case("zeros", bytes(10240), (), 0),
        Case("many_zeros", bytes(1 << 20), ("tar.zeros",), 0),
        Case("zeros_between", GOOD + bytes(512 * 20) + GOOD, ("tar.zeros",), 4),
        Case("gzip", gzip.compress(GOOD), ("tar.compressed",), 0),
        Case("text", b"no archive " * 99, ("tar.header",), 0),
        Case("pax", tar(Entry("ü" * 200 + "/a.txt", b"x"), Entry("ü" * 200 + "/a.jpg", JPEG), form=tarfile.PAX_FORMAT), (), 1),
        Case("gnu", tar(Entry("u" * 300 + "/a.txt", b"x"), Entry("u" * 300 + "/a.jpg", JPEG), form=tarfile.GNU_FORMAT), (), 1),
        Case("prefix", tar(Entry("u" * 99 + "/a.txt", b"x"), Entry("u" * 99 + "/a.jpg", JPEG)), (), 1),
        Case("folders", tar(Entry("a", kind=tarfile.DIRTYPE), Entry("a/b.txt", b"x"), Entry("a/b.jpg", JPEG)), (), 1),
        Case("links", tar(*sample(1), Entry("a.txt", kind=tarfile.SYMTYPE), Entry("a.jpg", JPEG)), ("tar.member_type",), 1),
        Case("hard_link", tar(Entry("a.jpg", JPEG), Entry("a.txt", kind=tarfile.LNKTYPE), *sample(1)), ("tar.member_type",), 1),
        Case("devices", tar(Entry("a.txt", b"x"), Entry("a.jpg", kind=tarfile.CHRTYPE), *sample(1)), ("tar.member_type",), 1),
        Case("pipe_nobody_wants", tar(Entry("s1.pipe", kind=tarfile.FIFOTYPE), *sample(1)), (), 1),
        Case("unknown_kind", tar(Entry("a.txt", b"x" * 600, b"Z"), Entry("a.jpg", JPEG), *sample(1)), ("tar.member_type",), 1),
        Case("absolute", tar(Entry("/etc/a.jpg", JPEG), *sample(1)), ("tar.name",), 1),
        Case("parent", tar(Entry("b/../../a.jpg", JPEG), *sample(1)), ("tar.name",), 1),
        Case("latin_name", tar(*sample(1), *sample(2)).replace(b"s2.txt", b"\xe92.txt"), ("tar.header",), 1),
        Case("missing", tar(Entry("a.jpg", JPEG), *sample(1), Entry("b.txt", b"x")), ("tar.missing_field",) * 2, 1),
        Case("apart", tar(Entry("a.jpg", JPEG), *sample(1), Entry("a.txt", b"x")), ("tar.missing_field",) * 2, 1),
        Case("twice", tar(Entry("a.jpg", JPEG), Entry("a.txt", b"x"), Entry("a.JPG", JPEG), *sample(1)), ("tar.duplicate",), 1),
        Case("first_of_two", tar(Entry("a.png", PNG), Entry("a.jpg", JPEG), Entry("a.txt", b"x")), (), 1),
        Case("capitals", tar(Entry("a.JPG", JPEG), Entry("a.Txt", b"x")), (), 1),
        Case("dots", tar(Entry("a.txt", b"x"), Entry("a.seg.jpg", b"?"), Entry("a.jpg", JPEG), Entry("a.pyd", b"?")), (), 1),
        Case("dotted_key", tar(Entry("v1.5/a.txt", b"x"), Entry("v1.5/a.jpg", JPEG)), (), 1),
        Case("passed_over", tar(Entry("README", b"x"), Entry("._s1.jpg", b"x"), *sample(1), Entry(".DS_Store", b"x")), (), 1),
        Case("binary_text", tar(Entry("a.txt", b"\1\2\3\4"), Entry("a.jpg", JPEG), *sample(1)), ("text.binary",), 1),
        Case("utf8", tar(Entry("a.txt", b"\xff"), Entry("a.jpg", JPEG), *sample(1)), ("text.utf8",), 1),
        Case("picture", tar(Entry("a.txt", b"x"), Entry("a.jpg", b"BM"), *sample(1)), ("image.unknown_format",), 1),
        Case("large", tar(Entry("a.txt", b"x" * 100_000), Entry("a.jpg", JPEG), *sample(1)), ("record_too_large",), 1),
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_bad_archives_have_their_reasons(case: Case, tmp_path: Path) -> None:
    write(tmp_path, [("a.tar", GOOD), ("m.tar", case.data), ("z.tar", GOOD)])
    reader = WebDataset(paths=(str(tmp_path),), fields=PAIR, max_record_bytes=50_000)
    rows, bad = everything(reader)
    assert tuple(record.reason for record in bad) == case.reasons
    assert len(rows) == case.rows + 8
    assert all(Path(record.file).name == "m.tar" and record.detail for record in bad)


def test_tarfile_would_pass_over_most_of_it() -> None:
    """The mutant: the standard library's scan, which takes damage for the end."""
    silent = []
    for case in cases():
        if any(reason in ("tar.header", "tar.no_end", "tar.truncated") for reason in case.reasons) and case.name != "negative":
            try:
                with tarfile.open(fileobj=io.BytesIO(case.data), mode="r|") as archive:
                    silent += [case.name for _ in [list(archive)]]
            except tarfile.ReadError:
                continue
    assert {"cut_between_members", "cut_in_header", "header_flipped", "no_end", "more_garbage_behind"} <= set(silent)


def test_fields_keys_and_metadata(tmp_path: Path) -> None:
    about = json.dumps({"url": "http://x/ü", "width": 60, "tags": ["a"]}).encode()
    first = Entry("./d/a.b.caption", b"no"), Entry("./d/a.caption", b"a dog"), Entry("d/a.png", PNG), Entry("d/a.json", about)
    archive = tar(*first, Entry("d/b.json", b"{}"), Entry("d/b.jpg", JPEG), Entry("d/b.caption", b""))
    write(tmp_path, [("a.tar", archive)])
    fields = {"image": ("jpg", "PNG"), "words": "caption"}
    reader = WebDataset(paths=(str(tmp_path),), fields=fields, keep=("__key__", "url", "width", "tags"))
    rows, bad = everything(reader)
    assert not bad and [row[1:4] for row in rows] == [(b"0", PNG, b"a dog"), (b"1", JPEG, b"")]
    assert [json.loads(row[4]) for row in rows] == [
        {"__key__": "d/a", "url": "http://x/ü", "width": "60", "tags": '["a"]'},
        {"__key__": "d/b", "url": "", "width": "", "tags": ""},
    ]
    kinds = {name: field.kind for name, field in reader.outputs({}).items()}
    assert kinds == {"image": "image", "words": "text", "meta": "meta"}


def test_a_broken_json_is_told(tmp_path: Path) -> None:
    write(tmp_path, [("a.tar", tar(Entry("a.jpg", JPEG), Entry("a.json", b"{"), Entry("b.jpg", JPEG)))])
    rows, bad = everything(WebDataset(paths=(str(tmp_path),), keep=("url",)))
    assert [record.reason for record in bad] == ["json.syntax"] and bad[0].place == "sample a" and len(rows) == 1
    rows, bad = everything(WebDataset(paths=(str(tmp_path),), keep=("__key__",)))
    assert not bad and len(rows) == 2, "a member that nothing asks for is not read"


def test_the_last_sample_before_damage_is_kept_only_whole(tmp_path: Path) -> None:
    with_json = [Entry("a.jpg", JPEG), Entry("a.json", b'{"n": 1}'), Entry("b.jpg", JPEG)]
    write(tmp_path, [("a.tar", tar(*with_json, end=False))])
    assert len(everything(WebDataset(paths=(str(tmp_path),)))[0]) == 2
    rows, bad = everything(WebDataset(paths=(str(tmp_path),), keep=("n",)))
    assert len(rows) == 1 and [record.reason for record in bad] == ["tar.no_end"]


def test_what_is_claimed_and_refused(tmp_path: Path) -> None:
    write(tmp_path, [("a.tar", GOOD), ("b.TAR", GOOD), ("c.zip", b""), ("d.idx", b"")])
    reader = WebDataset(paths=(str(tmp_path),), fields=PAIR)
    assert len(everything(reader)[0]) == 8 and reader.unclaimed() == {".idx": 1, ".zip": 1}
    for name in ("e.tar.gz", "f.tgz", "g.tar.zst"):
        write(tmp_path, [(name, b"x")])
        with pytest.raises(RecipeError, match=f"{name} is a compressed archive; decompress it first, or leave it out"):
            reader.parts(1 << 20)
        (tmp_path / name).unlink()


def test_a_recipe_may_name_one_extension_or_several(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("name: x\nsources:\n  a: {readers.webdataset: {paths: a.tar, fields: {image: [JPG, png], text: txt}}}\n")
    reader = load_recipe(file).sources["a"]
    assert reader == WebDataset(paths=reader.paths, fields={"image": ("jpg", "png"), "text": ("txt",)})
    assert WebDataset.model_validate_json(reader.model_dump_json(), strict=True) == reader


def test_what_fields_hold() -> None:
    fields = {"mask": "seg.png", "speech": ("flac", "wav"), "caption": "txt", "image": "bin", "label": "cls", "words": "ogg"}
    kinds = {name: field.kind for name, field in WebDataset(fields=fields, kinds={"words": "text"}).outputs({}).items()}
    assert kinds == {"mask": "image", "speech": "audio", "caption": "text", "image": "image", "label": "text", "words": "text"}


def test_fields_that_can_not_be() -> None:
    with pytest.raises(FieldError, match=r"wanted extensions without the dot before them, such as jpg or seg.png"):
        WebDataset(fields={"image": (".jpg",)})
    with pytest.raises(FieldError, match="`kinds` names 'sound', wanted one of the fields image"):
        WebDataset(kinds={"sound": "audio"})
    with pytest.raises(FieldError, match="wanted names of lower-case letters"):
        WebDataset(fields={"meta": "json"})


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_mutated_archives_never_lose_a_sample_in_silence(chance: random.Random, times: int) -> None:
    data = bytearray(GOOD)
    for _ in range(times):
        data[chance.randrange(HEADERS[-1])] ^= 1 << chance.randrange(8)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), [("a.tar", bytes(data))])
        rows, bad = everything(WebDataset(paths=(folder,), fields=PAIR))
    assert len(rows) + len(bad) >= 4 or any(record.reason.startswith("tar.") for record in bad)
