"""Inputs and output are looked at before anything is written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipe_support import written
from toy.readers.lines import Lines

from sslpipe.core.errors import EnvironmentFault, RecipeError
from sslpipe.recipe.check import check_inputs, overlap
from sslpipe.recipe.load import load_located
from sslpipe.recipe.recipe import Recipe


def reads(*paths: object) -> Recipe:
    return Recipe(name="x", sources={"main": Lines(paths=tuple(map(str, paths)))})


def refused(out: object, *paths: object) -> str:
    with pytest.raises(RecipeError) as caught:
        check_inputs(reads(*paths), str(out))
    return str(caught.value).removeprefix("recipe.sources.main.toy.readers.lines.paths")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.txt").write_text("b")
    return folder


def test_what_is_fine_passes_and_writes_nothing(data: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    check_inputs(reads(data, data / "a.txt", f"{data}/*.txt", f"{data}/**/*.txt"), tmp_path / "out")
    check_inputs(reads(data / "a.txt"), data / "out")
    check_inputs(reads(f"{data}/*.txt"), data / "out")
    check_inputs(reads(data), tmp_path / "data2")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("pipe:cat /etc/passwd", "pipe:"),
        ("http://169.254.169.254/", "http://"),
        ("https://example.org/a", "https://"),
        ("file:///etc/passwd", "file://"),
        ("file:/etc/passwd", "file:"),
        ("s3://bucket/a", "s3://"),
        ("HTTP://x/", "HTTP://"),
    ],
)
def test_schemes_are_not_allowed(tmp_path: Path, path: str, scheme: str) -> None:
    message = refused(tmp_path / "out", path)
    assert message.startswith(f"[0]: got the scheme `{scheme}`, wanted a path on this machine: other schemes are not allowed")
    with pytest.raises(RecipeError, match=r"^output .*: got the scheme"):
        check_inputs(reads("/x"), path)


def test_what_is_not_there(data: Path, tmp_path: Path) -> None:
    out, fix = tmp_path / "out", "edit `paths`, or give it with -i"
    assert refused(out, data, tmp_path / "dta") == f"[1]: `{tmp_path}/dta` doesn't exist; {fix}; did you mean `data`?"
    assert refused(out, f"{data}/*.json") == f"[0]: `{data}/*.json` matches no file; {fix}"
    assert (
        refused(out, f"{tmp_path}/no/*.txt")
        == f"[0]: `{tmp_path}/no/*.txt` matches no file; {fix}; there is no folder {tmp_path}/no"
    )
    (tmp_path / "link").symlink_to("gone")
    assert refused(out, tmp_path / "link") == f"[0]: `{tmp_path}/link` doesn't exist (a link that leads nowhere); {fix}"
    assert refused(out, "") == "[0]: got '', wanted a path"
    assert refused(out, "a\0b") == "[0]: got 'a\\x00b', wanted a path"
    with pytest.raises(RecipeError, match=r": source `main` has no paths; edit `paths`, or give it with -i$"):
        check_inputs(reads(), out)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "out", tmp_path / "pipe").startswith(f"[0]: `{tmp_path}/pipe` is neither a file nor a folder; ")
    assert refused(tmp_path / "out", "/dev/zero").startswith("[0]: `/dev/zero` is neither a file nor a folder; ")
    (tmp_path / "loop").symlink_to("loop")
    assert (
        refused(tmp_path / "out", tmp_path / "loop")
        == f"[0]: `{tmp_path}/loop` can't be read: Too many levels of symbolic links"
    )


def test_where_a_path_was_given_decides_what_to_do_about_it(data: Path, tmp_path: Path) -> None:
    """One of the command line is there to be seen, and the file of a shipped recipe is nobody's to edit."""
    (tmp_path / "dta").symlink_to("gone")
    located = load_located("images", input=tmp_path / "dta")
    with pytest.raises(RecipeError, match=r"`/.*/dta` doesn't exist \(a link that leads nowhere\)\n"):
        check_inputs(located.recipe, tmp_path / "out", located)
    located = load_located("images")
    with pytest.raises(RecipeError, match=r"`/.*/path/to/your/pictures` doesn't exist; give yours with -i\n"):
        check_inputs(located.recipe, tmp_path / "out", located)


def test_an_output_that_may_not_be_looked_at(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat, out = Path.stat, tmp_path / "closed" / "out"

    def closed(path: Path, **options: bool) -> os.stat_result:
        if path == out:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(EnvironmentFault) as caught:
        check_inputs(reads(data), out)
    assert str(caught.value) == f"output {out}: can't be looked at (Permission denied); choose another -o"


def test_what_may_not_be_read(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("a.txt"))
    message = refused(tmp_path / "out", data / "a.txt")
    assert message == f"[0]: `{data}/a.txt` can't be read: you have no permission for it"


def test_output_and_input_lie_apart(data: Path, tmp_path: Path) -> None:
    other = "; choose another -o"
    inside = "so a second build would read it"
    assert refused(data, data) == f"[0]: the output {data} is the input itself{other}"
    assert refused(data / "x" / "y", data) == f"[0]: the output {data}/x/y lies inside the input {data}, {inside}{other}"
    assert refused(tmp_path, data) == f"[0]: the input {data} lies inside the output {tmp_path}{other}"
    assert refused(data, data / "a.txt") == f"[0]: the input {data}/a.txt lies inside the output {data}{other}"
    (tmp_path / "link").symlink_to(data)
    assert (
        refused(tmp_path / "link" / "out", data) == f"[0]: the output {data}/out lies inside the input {data}, {inside}{other}"
    )


@pytest.mark.parametrize("pattern", ["data/*", "data/**/*.txt", "*", "da[t]a/o*", "data/o?t/*.txt"])
def test_a_pattern_that_would_find_the_output_is_refused(data: Path, tmp_path: Path, pattern: str) -> None:
    (data / "out").mkdir()
    (data / "out" / "c.txt").write_text("c")
    message = refused(data / "out", tmp_path / pattern)
    where = f"the output {data}/out lies where `{tmp_path}/{pattern}` looks for input, so a second build would read it"
    assert message == f"[0]: {where}; choose another -o" or "lies inside the output" in message


def test_an_output_that_is_a_file(data: Path) -> None:
    with pytest.raises(RecipeError, match=r"a.txt: got a file, wanted a folder or nothing there$"):
        check_inputs(reads(data), data / "a.txt")


def test_the_place_in_the_file_is_shown(tmp_path: Path) -> None:
    located = load_located(written(tmp_path, ""))
    with pytest.raises(RecipeError) as caught:
        check_inputs(located.recipe, tmp_path / "out", located)
    line = "source: {toy.readers.lines: {paths: data}}"
    fix = "edit `paths`, or give it with -i"
    assert str(caught.value) == (f"{tmp_path}/r.yaml:2:37: `{tmp_path}/data` doesn't exist; {fix}\n    {line}\n{' ' * 40}^")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("f.json", "`{here}/f.json` doesn't exist; give the path of a file that is there"),
        (".", "`{here}` is a folder, wanted a file"),
        ("s3://b/f", "got the scheme `s3://`, wanted a path on this machine: other schemes are not allowed"),
    ],
)
def test_files_that_steps_name_are_looked_for_too(tmp_path: Path, file: str, problem: str) -> None:
    (tmp_path / "data").mkdir()
    located = load_located(written(tmp_path, f"build: [toy.maps.same: {{file: '{file}'}}]\n"))
    with pytest.raises(RecipeError) as caught:
        check_inputs(located.recipe, tmp_path / "out", located)
    assert str(caught.value).startswith(f"{tmp_path}/r.yaml:3:31: {problem.format(here=tmp_path)}\n")


PARTS = st.lists(st.sampled_from("ab"), max_size=4).map(lambda parts: Path("/nowhere", *parts))


@given(PARTS, PARTS)
def test_paths_overlap_exactly_when_one_begins_with_the_other(source: Path, out: Path) -> None:
    shorter = min(len(source.parts), len(out.parts))
    assert (overlap(source, out) is not None) == (source.parts[:shorter] == out.parts[:shorter])
