"""Which files are found, once each, in which parts."""

from __future__ import annotations

import itertools
import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.errors import EnvironmentFault, RecipeError
from sslpipe.readers._files import bundled, discover, split_suffix
from tests.readers.support import write


def claims(name: str) -> bool:
    return split_suffix(name)[0] in (".txt", "")


def names(folder: Path, *paths: str) -> list[str]:
    found = discover(tuple(paths) or (str(folder),), claims)
    return [os.path.relpath(name, folder) for name, _ in found.files]


@pytest.mark.parametrize(
    ("name", "suffix", "compression"),
    [
        ("a.txt", ".txt", ""),
        ("a.b.TXT.GZ", ".txt", ".gz"),
        ("README", "", ""),
        ("README.gz", "", ".gz"),
        ("printf.3", "", ""),
        ("open.3perl.gz", "", ".gz"),
        ("release-2.0", "", ""),
        ("a.tar.gz", ".tar", ".gz"),
        ("a.gz.gz", ".gz", ".gz"),
        ("a.", "", ""),
        (".txt", "", ""),
        (".gz", "", ""),
        (".hidden.txt", ".txt", ""),
        ("changelog.Debian.xz", ".debian", ".xz"),
    ],
)
def test_an_extension_begins_with_a_letter(name: str, suffix: str, compression: str) -> None:
    assert split_suffix(name) == (suffix, compression)


def test_folders_files_and_globs(tmp_path: Path) -> None:
    write(tmp_path, [(name, b"x") for name in ("b.txt", "a/c.txt", "a/d.png", "a/e/f.txt.gz", "g", ".h.txt", ".i/j.txt")])
    assert names(tmp_path) == ["a/c.txt", "a/e/f.txt.gz", "b.txt", "g"]
    assert names(tmp_path, str(tmp_path / "a"), str(tmp_path / "b.txt")) == ["a/c.txt", "a/e/f.txt.gz", "b.txt"]
    assert names(tmp_path, f"{tmp_path}/*.txt") == ["b.txt"]
    assert names(tmp_path, f"{tmp_path}/**/*.txt*") == ["a/c.txt", "a/e/f.txt.gz", "b.txt"]
    assert names(tmp_path, f"{tmp_path}/[a]/*") == ["a/c.txt", "a/e/f.txt.gz"]
    assert names(tmp_path, f"{tmp_path}/a/**") == ["a/c.txt", "a/e/f.txt.gz"]
    assert names(tmp_path, f"{tmp_path}/.*/*") == [".i/j.txt"]
    assert names(tmp_path, f"{tmp_path}/?") == ["a/c.txt", "a/e/f.txt.gz", "g"]
    assert names(tmp_path, str(tmp_path / "a/d.png"), str(tmp_path / ".h.txt")) == [".h.txt", "a/d.png"]


def test_a_name_that_looks_like_a_glob_is_a_name_first(tmp_path: Path) -> None:
    write(tmp_path, [("[a].txt", b"x"), ("a.txt", b"x")])
    assert names(tmp_path, f"{tmp_path}/[a].txt") == ["[a].txt"]


def test_what_is_no_regular_file_is_counted_and_never_waited_for(tmp_path: Path) -> None:
    write(tmp_path, [("real.txt", b"x"), ("folder.txt/inside.txt", b"y"), ("image.png", b"z"), ("page.svg.gz", b"")])
    os.mkfifo(tmp_path / "fifo.txt")
    (tmp_path / "loop1.txt").symlink_to(tmp_path / "loop2.txt")
    (tmp_path / "loop2.txt").symlink_to(tmp_path / "loop1.txt")
    (tmp_path / "folder.txt" / "up").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)
        server.bind("socket.txt")
        os.chdir(here)
        found = discover((str(tmp_path),), claims)
    assert names(tmp_path) == ["folder.txt/inside.txt", "real.txt"]
    assert found.skipped == {".png": 1, ".svg.gz": 1, "not_regular_file": 8}


def test_a_file_reached_twice_is_read_once_under_its_first_name(tmp_path: Path) -> None:
    write(tmp_path, [("b/real.txt", b"x"), ("z.txt", b"y")])
    (tmp_path / "a.txt").symlink_to("b/real.txt")
    (tmp_path / "c.txt").hardlink_to(tmp_path / "b/real.txt")
    for paths in ((str(tmp_path),), (f"{tmp_path}/*", str(tmp_path / "b"), str(tmp_path / "c.txt"))):
        found = discover(paths, claims)
        assert names(tmp_path, *paths) == ["a.txt", "z.txt"]
        assert found.skipped == {"same_file": 2}


def test_names_of_any_bytes_survive_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    raw = [b"caf\xe9", b"-rf", b"a\nb", "ä".encode(), b"\xff\xfe", b"x" * 255]
    for name in raw:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    found = discover((str(tmp_path),), claims)
    assert [os.fsencode(name).rpartition(b"/")[2] for name, _ in found.files] == sorted(raw)


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no-such: there is no such file or folder \(looked for /.*\); check the spelling$"):
        discover(("no-such",), claims)
    with pytest.raises(RecipeError, match=r"\*\.txt: no file matches it \(looked in .*\); check the spelling$"):
        discover((f"{tmp_path}/*.txt",), claims)
    with pytest.raises(
        RecipeError, match=r"^pipe:cat x: got the scheme `pipe:`, wanted a path on this machine; download it first$"
    ):
        discover(("pipe:cat x",), claims)
    with pytest.raises(RecipeError, match=r"got the scheme `http://`"):
        discover(("http://169.254.169.254/",), claims)


def test_a_folder_that_cannot_be_listed_stops_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("sslpipe.readers._files.os.scandir", refused)
    with pytest.raises(EnvironmentFault, match=r"can't list this folder \(Permission denied\); fix it or leave it out$"):
        discover((str(tmp_path),), claims)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9000), max_size=30), st.integers(1, 20_000))
def test_parts_are_consecutive_whole_and_bounded(sizes: list[int], part_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate(sizes):
            path = Path(folder) / f"{number:03}"
            path.touch()
            os.truncate(path, size)
        found = discover((folder,), claims)
        parts = bundled(found, part_bytes)
        assert [name for part in parts for name in part.files] == [name for name, _ in found.files]
        assert [size for part in parts for size in part.sizes] == sizes
        for part in parts:
            assert len(part.files) == 1 or sum(part.sizes) <= part_bytes
        for one, two in itertools.pairwise(parts):
            assert sum(max(size, 1024) for size in (*one.sizes, two.sizes[0])) > part_bytes
