"""No path and no link leads out of a folder."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.damage import Damage
from sslpipe.readers._beneath import Beneath, checked_path

INSIDE, OUTSIDE = b"inside", b"outside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with files and links, and files beside it."""
    (tmp_path / "root/a/b").mkdir(parents=True)
    (tmp_path / "root-more").mkdir()
    for name in ("root/f", "root/a/f", "root/a/b/f", "root/a/b/..f"):
        (tmp_path / name).write_bytes(INSIDE)
    for name in ("f", "root-more/f"):
        (tmp_path / name).write_bytes(OUTSIDE)
    links = {
        "file": "a/f", "folder": "a/b", "a/up": "../f", "a/b/round": "../../a/up", "chain": "file", "a/here": ".",
        "out": "../f", "a/out": "../../f", "absolute": str(tmp_path / "root/f"), "etc": "/etc", "out_and_back": "../root/f",
        "loop": "loop", "one": "two", "two": "one", "gone": "nowhere", "a/b/back": "../../..", "slash": "a/b/",
    }  # fmt: skip
    for name, target in links.items():
        (tmp_path / "root" / name).symlink_to(target)
    os.mkfifo(tmp_path / "root/fifo")
    return tmp_path / "root"


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def read(root: Path, path: str) -> bytes:
    """What lies at a path, or the reason why nothing does."""
    with Beneath(str(root)) as folder:
        before = descriptors()
        try:
            descriptor = folder.open(checked_path(path))
        except Damage as damage:
            assert damage.reason in ("path.url", "path.name") or path.startswith("/") or folder.status(path) is None
            assert descriptors() == before
            return damage.reason.encode()
        with os.fdopen(descriptor, "rb") as file:
            assert os.fstat(descriptor).st_ino == folder.status(path).st_ino  # type: ignore[union-attr]
            assert descriptors() == before + 1
            return file.read()


@pytest.mark.parametrize(
    "path",
    ["f", "./f", "a/f", "a//b/./f", "a/../f", "a/b/../../f", "a/b/..f", "file", "folder/f", "a/up", "a/b/round", "chain",
     "a/here/here/f", "folder/../f", "slash/f", "a/b/../../a/b/f"],
)  # fmt: skip
def test_what_stays_inside_is_opened(path: str, root: Path) -> None:
    assert read(root, path) == INSIDE


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../f", "path.outside"),
        ("../root/f", "path.outside"),
        ("../root-more/f", "path.outside"),
        ("a/../../f", "path.outside"),
        ("a/b/../../../f", "path.outside"),
        ("..", "path.outside"),
        ("/etc/passwd", "path.outside"),
        ("//etc/passwd", "path.outside"),
        ("out", "path.link"),
        ("a/out", "path.link"),
        ("absolute", "path.link"),
        ("etc/passwd", "path.link"),
        ("out_and_back", "path.link"),
        ("a/b/back/f", "path.link"),
        ("loop", "path.link"),
        ("one", "path.link"),
        ("folder/../../../f", "path.link"),
        ("http://example.com/f.jpg", "path.url"),
        ("S3://bucket/f", "path.url"),
        ("file:///etc/passwd", "path.url"),
        ("file:/etc/passwd", "path.url"),
        ("pipe:cat /etc/passwd", "path.url"),
        ("data:image/png;base64,AAAA", "path.url"),
        ("", "path.name"),
        ("a\0b", "path.name"),
        ("x" * 256, "path.name"),
        ("é" * 128, "path.name"),
        ("a/" * 2050 + "f", "path.name"),
        ("a/" + "here/" * 41 + "f", "path.link"),
        ("a", "path.not_file"),
        (".", "path.not_file"),
        ("a/b/", "path.not_file"),
        ("folder", "path.not_file"),
        ("a/..", "path.not_file"),
        ("fifo", "path.not_file"),
        ("gone", "io.vanished"),
        ("none", "io.vanished"),
        ("none/../f", "io.vanished"),
        ("f/f", "io.vanished"),
        ("f/", "io.vanished"),
        ("f/.", "io.vanished"),
        ("f/../f", "io.vanished"),
        ("~/f", "io.vanished"),
        ("C:\\f", "io.vanished"),
        ("a\\f", "io.vanished"),
        ("a:b", "io.vanished"),
    ],
)  # fmt: skip
def test_everything_else_has_its_reason(path: str, reason: str, root: Path) -> None:
    assert read(root, path) == reason.encode()


def test_as_many_links_as_linux_follows(root: Path) -> None:
    assert read(root, "a/" + "here/" * 40 + "f") == INSIDE


def test_folders_below_one_another_have_a_limit(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"d" * 65)
    deep.mkdir(parents=True)
    (deep / "f").write_bytes(INSIDE)
    (deep.parent / "f").write_bytes(INSIDE)
    assert read(tmp_path, "d/" * 64 + "f") == INSIDE
    assert read(tmp_path, "d/" * 65 + "f") == b"path.name"
    assert read(tmp_path, "d/../" * 200 + "d/" * 64 + "f") == INSIDE


class _How(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("flags", "mode", "resolve")]


_OPENAT2, _RESOLVE_BENEATH = 437, 8
_REASONS = {errno.EXDEV: {"path.outside", "path.link"}, errno.ELOOP: {"path.link"}, errno.ENOENT: {"io.vanished"},
            errno.ENOTDIR: {"io.vanished"}}  # fmt: skip


def kernel(root: Path, path: str) -> bytes | set[str]:
    """What Linux itself finds beneath a folder, or the reasons that its refusal may be called."""
    how = _How(os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, 0, _RESOLVE_BENEATH)
    folder = os.open(root, os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(_OPENAT2, folder, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
    os.close(folder)
    if descriptor < 0:
        if ctypes.get_errno() in (errno.ENOSYS, errno.EPERM):
            pytest.skip("this kernel has no openat2, or a sandbox forbids it")
        return _REASONS[ctypes.get_errno()]
    with contextlib.suppress(IsADirectoryError), os.fdopen(descriptor, "rb") as file:
        return file.read()
    os.close(descriptor)
    return {"path.not_file"}


PIECES = st.sampled_from(["a", "b", "c", "f", "l", "m", "..", ".", ""])
PATHS = st.lists(PIECES, min_size=1, max_size=6).map("/".join)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from(["", "a/", "a/b/", "c/"]), st.sampled_from("lm")), PATHS, max_size=5), PATHS)
def test_it_finds_what_the_kernel_finds(links: dict[tuple[str, str], str], path: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "c"
        for folder in ("", "a", "a/b", "c"):
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder / "f").write_bytes(INSIDE + folder.encode())
        (Path(name) / "f").write_bytes(OUTSIDE)
        for (folder, link), target in links.items():
            os.symlink(target or ".", root / folder / link)  # noqa: PTH211 (a Path would tidy the target up)
        found = read(root, path)
        if found in (b"path.name", b"path.outside") and (not path or path.startswith("/")):
            return
        expected = kernel(root, path)
        assert found == expected if isinstance(expected, bytes) else found.decode() in expected


def swapped(monkeypatch: pytest.MonkeyPatch, root: Path, name: str) -> None:
    """Just before `name` is opened, its folder becomes a link that leads out."""
    real = os.open

    def racing(path: str, flags: int, *more: int, dir_fd: int | None = None) -> int:
        if os.path.basename(path) == name and not (root / "a").is_symlink():  # noqa: PTH119 (of a name in a folder)
            (root / "a").rename(root / "old")
            (root / "a").symlink_to("..")
        return real(path, flags, *more, dir_fd=dir_fd)

    monkeypatch.setattr("sslpipe.readers._beneath.os.open", racing)


def looked_at_first(folder: Beneath, path: str) -> int:
    """The mutant: asks where a path leads, and then goes there."""
    root = Path(f"/proc/self/fd/{folder._root}").readlink()
    if not (root / path).resolve().is_relative_to(root):
        raise Damage("path.link", 0, "out")
    return os.open(root / path, os.O_RDONLY)


@pytest.mark.parametrize("mutant", [False, True])
def test_a_folder_swapped_for_a_link_on_the_way(mutant: bool, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swapped(monkeypatch, root, "f")
    if mutant:
        monkeypatch.setattr(Beneath, "open", looked_at_first)
    with Beneath(str(root)) as folder, os.fdopen(folder.open("a/f"), "rb") as file:
        assert file.read() == (OUTSIDE if mutant else INSIDE)


def test_a_mutant_that_joins_paths_is_seen(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Beneath, "open", lambda _, path: os.open(root / path, os.O_RDONLY | os.O_NONBLOCK))
    assert read(root, "../f") == OUTSIDE and read(root, "etc/hostname") != b"path.link"
