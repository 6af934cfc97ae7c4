"""Our tars are those of Python's `tarfile`, byte for byte, and every reader agrees on them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webdataset.tariterators import group_by_keys, tar_file_expander

from sslpipe.core.errors import SslpipeError
from sslpipe.shards.storage import LocalStorage, UniqueFile
from sslpipe.shards.tar import BLOCK, END, SIZE_LIMIT, tar_header, write_member

NAMES = st.from_regex(r"[0-9a-fA-F_-][0-9a-zA-Z._-]{0,99}", fullmatch=True)


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode, info.uid, info.gid = size, 0, 0o644, 0, 0
    return info


@given(NAMES, st.integers(0, SIZE_LIMIT))
def test_headers_are_those_of_tarfile(name: str, size: int) -> None:
    assert tar_header(name, size) == _info(name, size).tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 8**10, SIZE_LIMIT])
@pytest.mark.parametrize("length", [1, 99, 100])
def test_headers_at_their_limits(length: int, size: int) -> None:
    assert tar_header("n" * length, size) == _info("n" * length, size).tobuf(tarfile.USTAR_FORMAT)


def test_other_headers_are_caught() -> None:
    pax = _info("a", 5)
    pax.mtime = 1
    assert tar_header("a", 5) != pax.tobuf(tarfile.USTAR_FORMAT)
    assert tar_header("a", 5) != _info("a", 5).tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(("length", "size"), [(101, 0), (100, SIZE_LIMIT + 1)])
def test_what_does_not_fit_is_refused(length: int, size: int) -> None:
    name = "n" * length
    message = f"member `{name}` has a name of {length} bytes and {size} bytes of data; a shard takes 100 and {SIZE_LIMIT}"
    with pytest.raises(SslpipeError) as caught:
        tar_header(name, size)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["é.txt", "a b.txt", "../a", "/a", "a\n", "", ".a"])
def test_names_that_readers_misread_are_refused(name: str) -> None:
    with pytest.raises(
        SslpipeError,
        match=r"^member `(?s:.*)` of a shard: wanted letters, digits, `-`, `_` and `\.` in its name; rename the field$",
    ):
        tar_header(name, 0)


MEMBERS = st.lists(
    st.tuples(
        st.from_regex(r"[0-9a-f]{8}(x[1-9])?(-[0-9])?", fullmatch=True), st.binary(max_size=1200), st.binary(max_size=90)
    ),
    max_size=6,
    unique_by=lambda member: member[0],
)


def _write(folder: Path, members: list[tuple[str, bytes, bytes]]) -> tuple[Path, list[tuple[int, bytes]]]:
    file = UniqueFile(LocalStorage(folder), "a.tar")
    places = []
    for key, text, meta in members:
        half = len(text) // 2
        places.append((write_member(file, f"{key}.txt", text[:half], memoryview(text)[half:]), text))
        places.append((write_member(file, f"{key}.x.bin", meta), meta))
    file.write(END)
    assert file.publish()
    assert file.bytes == (folder / "a.tar").stat().st_size
    return folder / "a.tar", places


def _by_tarfile(members: list[tuple[str, bytes, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for key, text, meta in members:
            for name, data in ((f"{key}.txt", text), (f"{key}.x.bin", meta)):
                tar.addfile(_info(name, len(data)), io.BytesIO(data))
    return out.getvalue()


@settings(max_examples=40)
@given(MEMBERS)
def test_every_reader_agrees(tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, bytes, bytes]]) -> None:
    path, places = _write(tmp_path_factory.mktemp("tar"), members)
    whole = path.read_bytes()
    assert [whole[start : start + len(data)] for start, data in places] == [data for _, data in places]
    reference = _by_tarfile(members)
    assert whole == reference[: len(whole)] and not reference[len(whole) :].strip(b"\0"), "tarfile pads to its record size"
    with tarfile.open(path) as tar:
        found = {info.name: (tar.extractfile(info) or io.BytesIO()).read() for info in tar}
        assert all(info.isreg() and not info.pax_headers for info in tar)
    assert found == {f"{key}.{end}": data for key, *both in members for end, data in zip(("txt", "x.bin"), both, strict=True)}
    if members:
        with path.open("rb") as stream:
            members_of = tar_file_expander([{"url": str(path), "stream": stream}])
            samples = list(group_by_keys(members_of))
        assert [(s["__key__"], s["txt"], s["x.bin"]) for s in samples] == members


def test_data_begins_at_a_block(tmp_path: Path) -> None:
    _, places = _write(tmp_path, [("b", b"x" * 513, b"y")])
    assert [start % BLOCK for start, _ in places] == [0, 0]


def test_an_archive_without_padding_is_caught(tmp_path: Path) -> None:
    mutant = tar_header("a.txt", 1) + b"x" + tar_header("b.txt", 1) + b"y" + END
    with tarfile.open(fileobj=io.BytesIO(mutant)) as tar:
        assert tar.getnames() != ["a.txt", "b.txt"]
