"""Loading: what is wrong is shown at its place, the first by position; paths start where they were written."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_support import HEAD, refusal, written
from toy.filters.long import Long
from toy.maps.same import Same
from toy.readers.lines import Lines

from sslpipe.core.errors import RecipeError
from sslpipe.recipe.load import load_recipe, shipped_names

LONG_FIELDS = ", ".join(Long.model_fields)
SIZES = "a number with B, kB, MB, GB, TB (thousands) or KiB, MiB, GiB, TiB (1024s), such as 200MB"


def caret(column: int, hint: str = "") -> str:
    return " " * (4 + column - 1) + "^" + (f" {hint}" if hint else "")


FIELDS = [
    ("thresold: 0.5", 24, f"got `thresold`, wanted a field of `toy.filters.long`: {LONG_FIELDS}", "did you mean `threshold`?"),
    ("threshold: 1.5", 35, "got 1.5 for `threshold`, wanted a number from 0 to 1", ""),
    ("threshold: nan", 35, 'got "nan" for `threshold`, wanted a number from 0 to 1', ""),
    ("threshold: .nan", 35, 'got ".nan" for `threshold`, wanted a number from 0 to 1', ""),
    ("min_words: -1", 35, "got -1 for `min_words`, wanted a whole number of at least 0", ""),
    ("min_words: 1e3", 35, "got 1000.0 for `min_words`, wanted a whole number of at least 0", ""),
    ("min_words: 012", 35, 'got "012" for `min_words`, wanted a whole number of at least 0', ""),
    ("min_words: '5'", 35, 'got "5" for `min_words`, wanted a whole number of at least 0', ""),
    ("lang: 12", 30, "got 12 for `lang`, wanted text; put it in quotes", ""),
    ("lang: 1e3", 30, "got 1000.0 for `lang`, wanted text; put it in quotes", ""),
    ("lang:", 29, "got nothing for `lang`, wanted text", ""),
    ("strict: no", 32, 'got "no" for `strict`, wanted true or false', ""),
    ("mode: word", 30, 'got "word" for `mode`, wanted one of `words`, `bytes`', "did you mean `words`?"),
    ("size: 10 GBB", 30, f'got "10 GBB" for `size`, wanted a size: a whole number of bytes, or {SIZES}', ""),
    ("size: -1", 30, "got -1 for `size`, wanted a whole number of bytes, at least 0 and below 2^63", ""),
    ("scores: 3", 32, "got 3 for `scores`, wanted a list", ""),
    ("scores: [1, x]", 36, 'got "x" for `scores`, wanted a number', ""),
    ("limit: a", 31, 'got "a" for `limit`, wanted a whole number', ""),
    ("either: a", 32, 'got "a" for `either`, wanted a whole number or a list', ""),
    ("table: [a]", 31, "got a list for `table`, wanted text", ""),
    ("min_words: 9, max_words: 5", 5, "`toy.filters.long`: got min_words 9 above max_words 5, wanted it below", ""),
]


@pytest.mark.parametrize(("fields", "column", "message", "hint"), FIELDS, ids=[field[0] for field in FIELDS])
def test_a_wrong_field_is_shown_with_what_was_wanted(tmp_path: Path, fields: str, column: int, message: str, hint: str) -> None:
    line = f"  - toy.filters.long: {{{fields}}}"
    assert refusal(tmp_path, f"build:\n{line}\n") == f"r.yaml:4:{column}: {message}\n    {line}\n{caret(column, hint)}"


REST = [
    ("seed: -1", 7, "got -1 for `seed`, wanted a whole number of at least 0 and below 2^63", ""),
    (
        "seed: 9223372036854775808",
        7,
        "got 9223372036854775808 for `seed`, wanted a whole number of at least 0 and below 2^63",
        "",
    ),
    (
        "seeed: 1",
        1,
        "got `seeed`, wanted one of name, seed, source, sources, build, stream, shards, limits",
        "did you mean `seed`?",
    ),
    ("sources: {}", 1, "got both `source` and `sources`, wanted one of them", ""),
    ("shards: {max_bytes: 10}", 21, "got 10 for `max_bytes`, wanted a size in bytes of at least 1000", ""),
    ("shards: {count: 0}", 17, "got 0 for `count`, wanted a whole number from 1 to 1000000", ""),
    (
        "shards: {splits: {vall: 0.1}}",
        19,
        "got `vall`, wanted a field of `shards.splits`: val, test, by",
        "did you mean `val`?",
    ),
    ("shards: {splits: {val: 1}}", 24, "got 1 for `splits.val`, wanted a number above 0 and below 1", ""),
    ("shards: {splits: {val: 0.5, test: 0.5}}", 18, "got splits that sum to 1, wanted less than 1: the rest is `train`", ""),
    ("shards: {shard_size: -1}", 10, "got `shard_size`, wanted a field of `shards`: max_bytes, count, splits", ""),
    ("limits: 3", 9, "got 3 for `limits`, expected a mapping", ""),
    ("limits: {part_bytes: 0}", 22, "got 0 for `part_bytes`, wanted a size in bytes of at least 1000", ""),
    ("limits: {max_bad: 2}", 19, "got 2 for `max_bad`, wanted a number from 0 to 1", ""),
    ("build: toy.maps.same", 8, 'got "toy.maps.same" for `build`, wanted a list: lines that begin with `- `', ""),
    ("build: [3]", 9, "got 3, wanted one step: `maps.tokenize`, or `maps.tokenize: {field: value}`", ""),
    ("build: [{toy.maps.same: 3}]", 25, "got 3 for `toy.maps.same`, expected a mapping of its fields", ""),
    ("build: [toy.maps.sane]", 9, "the package `toy.maps` has no module `sane`", "did you mean `toy.maps.same`?"),
    ("build: [toy.readers.lines]", 9, "got `toy.readers.lines` in `build:`; readers go under `source:`", ""),
    (
        "stream: [toy.maps.same, toy.fits.counts: {}]",
        25,
        "got `toy.fits.counts` in `stream:`; a fit learns from the whole corpus, so it goes into `build:`",
        "",
    ),
    (
        "build: [{toy.maps.same: {}, a: {}}]",
        9,
        "got 2 keys, wanted one step: `maps.tokenize`, or `maps.tokenize: {field: value}`",
        "indent its fields further than its name",
    ),
]


@pytest.mark.parametrize(("line", "column", "message", "hint"), REST, ids=[case[0] for case in REST])
def test_whatever_else_is_wrong(tmp_path: Path, line: str, column: int, message: str, hint: str) -> None:
    assert refusal(tmp_path, line + "\n") == f"r.yaml:3:{column}: {message}\n    {line}\n{caret(column, hint)}"


def test_of_several_problems_the_first_by_position_is_told(tmp_path: Path) -> None:
    text = "limits: {part_bytes: 0}\nbuild: [toy.filters.long: {min_words: x, nope: 1}]\nzzz: 1\nseed: -1\n"
    lines = text.splitlines()
    expected = ["r.yaml:3:22:", "r.yaml:3:39:", "r.yaml:3:1:", "r.yaml:3:7:"]
    for first, start in enumerate(expected):
        assert refusal(tmp_path, "\n".join(lines[first:])).startswith(start)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\n", "`name` is missing; it says what the dataset is called"),
        ("name: x\n", "`source` is missing; write `source: {readers.text: {paths: FOLDER}}`"),
    ],
)
def test_what_is_missing(tmp_path: Path, text: str, message: str) -> None:
    first = text.splitlines()[0]
    assert refusal(tmp_path, text, head="") == f"r.yaml:1:1: {message}\n    {first}\n    ^"


def test_a_name_has_few_characters(tmp_path: Path) -> None:
    message = refusal(tmp_path, "name: My data\nsource: toy.readers.lines\n", head="")
    assert (
        message
        == 'r.yaml:1:7: got "My data" for `name`, wanted text that matches ^[a-z0-9_-]{1,64}$\n    name: My data\n          ^'
    )


def test_sources_have_names_and_readers(tmp_path: Path) -> None:
    head = "name: x\nsources:\n"
    assert refusal(tmp_path, "  A: toy.readers.lines\n", head).startswith(
        "r.yaml:3:3: got a source named 'A', wanted 1 to 64 of"
    )
    assert refusal(tmp_path, "  a: toy.maps.same\n", head).startswith(
        "r.yaml:3:6: got `toy.maps.same` as a source, wanted one of"
    )
    many = "".join(f"  s{n}: toy.readers.lines\n" for n in range(256))
    assert refusal(tmp_path, many, head).startswith("r.yaml:3:3: got 256 sources, wanted 255 at most")


def test_one_source_is_short_for_main(tmp_path: Path) -> None:
    short = load_recipe(written(tmp_path, ""))
    long = load_recipe(written(tmp_path, "name: x\nsources: {main: {toy.readers.lines: {paths: [data]}}}", head=""))
    assert short == long
    assert short.sources == {"main": Lines(paths=(str(tmp_path / "data"),))}


def test_words_stay_words_and_numbers_numbers(tmp_path: Path) -> None:
    step = load_recipe(
        written(tmp_path, "build: [toy.filters.long: {lang: no, threshold: 1, scores: [1e3], size: 1.5KiB}]")
    ).build[0]
    assert step == Long(lang="no", threshold=1.0, scores=(1000.0,), size=1536)


def test_paths_start_from_where_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DATA", "/data")
    text = """name: x
source: {toy.readers.lines: {paths: [a, ~/b, "${DATA}/c", /d, "s3://bucket/e", pipe:cat]}}
build: [toy.filters.long: {table: t.json}, toy.maps.same: {file: f.json, word: w}]
"""
    file = written(here, text, head="")
    found = load_recipe(file)
    assert found.sources["main"].paths == (f"{here}/a", "/home/me/b", "/data/c", "/d", "s3://bucket/e", "pipe:cat")
    assert found.build[0].table == here / "t.json"  # type: ignore[attr-defined]
    assert found.build[1] == Same(file=f"{here}/f.json", word="w")
    there = load_recipe(file, overrides=["toy.maps.same.file=g.json"]).build[1]
    assert there == Same(file=f"{elsewhere}/g.json", word="w")
    assert load_recipe(file, input="a").sources["main"].paths == (f"{elsewhere}/a",)
    assert load_recipe(file, input=[Path("a"), "~/b"]).sources["main"].paths == (f"{elsewhere}/a", "/home/me/b")
    assert load_recipe(Path("../here/r.yaml")).sources["main"].paths[0] == f"{elsewhere}/../here/a"


def test_a_missing_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    message = refusal(tmp_path, "name: x\nsource: {toy.readers.lines: {paths: '${NOWHERE}/a'}}\n", head="")
    assert message.startswith("r.yaml:2:37: the environment variable `NOWHERE` isn't set; set it, or write the path out\n")


def test_input_needs_one_source(tmp_path: Path) -> None:
    head = "name: x\nsources: {a: toy.readers.lines, b: toy.readers.lines}\n"
    message = refusal(tmp_path, "", head, input="data")
    assert message == "-i:1:1: the recipe has 2 sources (a, b), wanted one; use --set sources.NAME.paths=...\n    data\n    ^"
    assert refusal(tmp_path, "", input=[]) == "-i: got no path, wanted at least one"


def test_input_fills_a_bare_reader(tmp_path: Path) -> None:
    file = written(tmp_path, "name: x\nsource: toy.readers.lines\n", head="")
    assert load_recipe(file, input="/a").sources == {"main": Lines(paths=("/a",))}


def test_a_name_is_that_of_a_shipped_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "text" in shipped_names()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        load_recipe("txet")
    assert (
        str(caught.value) == f"no shipped recipe is named `txet`; there are {', '.join(shipped_names())}; did you mean `text`?"
    )
    (tmp_path / "mine").write_text(HEAD)
    with pytest.raises(RecipeError, match=r"did you mean the file ./mine\?$"):
        load_recipe("mine")
    assert load_recipe("./mine").name == "x"
