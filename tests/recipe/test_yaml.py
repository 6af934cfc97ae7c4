"""Laws of the loader: plain data comes through, every place is right, everything else is refused with its place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from recipe_support import refusal

from sslpipe.core.errors import RecipeError
from sslpipe.recipe.node import Node
from sslpipe.recipe.source import Source
from sslpipe.recipe.yaml import MAX_DEPTH, parse_yaml, plain_scalar, read_yaml

PRINTABLE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Cn", "Zl", "Zp")), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | PRINTABLE
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4), max_leaves=12
)


def parsed(text: str) -> Node:
    return parse_yaml(Source.of_text("t", text, Path()), text)


@given(DATA)
def test_plain_data_comes_through(data: Any) -> None:
    assert parsed(json.dumps(data, ensure_ascii=False)).plain() == data


@given(
    st.dictionaries(st.from_regex("[a-z]{1,6}", fullmatch=True), st.integers(0, 99), min_size=1, max_size=6), st.integers(0, 3)
)
def test_every_key_and_value_keeps_its_place(data: dict[str, int], blank: int) -> None:
    text = "\n" * blank + "".join(f"{key}:   {value}\n" for key, value in data.items())
    root = parsed(text)
    lines = text.split("\n")
    for key, value in data.items():
        at, place = root.keys[key], (root.mapping or {})[key].at
        assert lines[at.line][at.column :].startswith(f"{key}:")
        assert lines[place.line][place.column :] == str(value)


@given(st.text(max_size=60) | st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@`?,\n\t $\x85\u2028\ufeff"), max_size=40))
@example("\\")
@example('"\\UFFFFFFFF"')
@example('"\\ud800"')
@example("%YAML 1.1\n---\n%")
@example("%YAML 9.9\n---\na")
@example("? [a]\n: 1")
@example("--- |\n\ta")
@example("&a")
def test_any_text_is_a_value_or_a_recipe_error(text: str) -> None:
    try:
        root = parsed(text)
    except RecipeError as error:
        assert str(error).startswith("t:")
    else:
        json.dumps(root.plain())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("012", "012"),
        ("0o7", "0o7"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2024-01-02", "2024-01-02"),
        ("1e3", 1000.0),
        ("1e-05", 1e-05),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e999", "1e999"),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("nan", "nan"),
        (".", "."),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = plain_scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_words_are_text() -> None:
    assert parsed("['12', \"true\", 'null', '']").plain() == ["12", "true", "null", ""]


KEYS = st.lists(st.from_regex("[a-z]{1,4}", fullmatch=True), min_size=1, max_size=5, unique=True)


def refuses_repeats(load: Callable[[str], object]) -> bool:
    """The law: a mapping that says a key twice is refused, wherever, in block and flow form."""

    @given(KEYS, st.integers(0, 9), st.booleans())
    def check(keys: list[str], which: int, flow: bool) -> None:
        pairs = [f"{key}: 1" for key in [*keys, keys[which % len(keys)]]]
        text = "a:\n  - {" + ", ".join(pairs) + "}\n" if flow else "a:\n" + "".join(f"  {pair}\n" for pair in pairs)
        with pytest.raises(RecipeError, match="twice"):
            load(text)

    try:
        check()
    except BaseException as error:
        # pytest.raises fails with an exception that is no Exception.
        assert "DID NOT RAISE" in str(error)
        return False
    return True


def test_repeated_keys_are_refused() -> None:
    assert refuses_repeats(parsed)


def test_the_mutant_that_takes_the_last_key_is_caught() -> None:
    assert not refuses_repeats(yaml.safe_load)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("build:\n\t- x\n", "r.yaml:4:1: got a tab, wanted spaces before the first word of a line\n     - x\n    ^"),
        ("build: 'x\n", "r.yaml:3:8: this quote is never closed\n    build: 'x\n           ^"),
        ("build: [a\n", "r.yaml:3:8: this bracket is never closed\n    build: [a\n           ^"),
        (
            "build: [{a: ${B}}]\n",
            "r.yaml:3:14: got ${ between braces or brackets, where it must be in quotes\n"
            "    build: [{a: ${B}}]\n                 ^",
        ),
        (
            "  seed: 1\n",
            "r.yaml:3:3: not YAML: expected <block end>, but found '<block mapping start>' (while parsing a block mapping)\n"
            "      seed: 1\n      ^",
        ),
        ("name: y\n", "r.yaml:3:1: got the key `name` twice, wanted it once; it stands in line 1 already\n    name: y\n    ^"),
        ("---\nname: y\n", "r.yaml:3:1: got a second document, expected a mapping and nothing behind it\n    ---\n    ^"),
        (
            "seed: !mine 1\n",
            'r.yaml:3:7: got the tag "!mine", wanted plain data; recipes have no tags\n    seed: !mine 1\n          ^',
        ),
        (
            "seed: !!int 1\n",
            'r.yaml:3:7: got the tag "!!int", wanted plain data; recipes have no tags\n    seed: !!int 1\n          ^',
        ),
        ("? [a]\n: 1\n", "r.yaml:3:3: got a list, mapping, alias, anchor or tag as a key, wanted a word\n    ? [a]\n      ^"),
        ("seed: *s\n", "r.yaml:3:7: got the alias *s, but no &s stands before it\n    seed: *s\n          ^"),
        (
            "build: &b [*b]\n",
            "r.yaml:3:12: got the alias *b inside its own &b, which has no end\n    build: &b [*b]\n               ^",
        ),
        (
            b"",
            "r.yaml:1:1: got an empty file, expected a mapping: lines of `key: value`, first of all `name:`\n\n    ^",
        ),
        (
            b"- a\n",
            "r.yaml:1:1: got a list, expected a mapping: lines of `key: value`, first of all `name:`\n    - a\n    ^",
        ),
        (
            b"\n# only a word\nhello\n",
            'r.yaml:3:1: got "hello", expected a mapping: lines of `key: value`, first of all `name:`\n    hello\n    ^',
        ),
        (
            "name: é\nseed: ".encode() + b"\xff\n",
            "r.yaml:2:7: got byte 0xff, wanted UTF-8; save the file in that encoding\n"
            "    seed: \N{REPLACEMENT CHARACTER}\n          ^",
        ),
        (
            b"name: a\0b\n",
            "r.yaml:1:8: got a NUL, wanted text; write it as an escape in double quotes\n"
            "    name: a\N{REPLACEMENT CHARACTER}b\n           ^",
        ),
        (
            b"name: a\x1b[2Jb\n",
            "r.yaml:1:8: got the control character U+001B, wanted text; write it as an escape in double quotes\n"
            "    name: a\N{REPLACEMENT CHARACTER}[2Jb\n           ^",
        ),
    ],
)
def test_what_is_no_recipe_is_refused_at_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_a_python_tag_runs_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    message = refusal(tmp_path, f"build: !!python/object/apply:os.system ['touch {canary}']\n")
    assert message.startswith(
        'r.yaml:3:8: got the tag "!!python/object/apply:os.system", wanted plain data; recipes have no tags\n'
    )
    assert not canary.exists()


def test_an_alias_bomb_is_refused_before_it_grows(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    message = refusal(tmp_path, "\n".join(lines))
    assert message.startswith("r.yaml:7:10: more than 100 aliases, or than 10000 values behind them; write them out\n")


def test_a_hundred_aliases_are_enough(tmp_path: Path) -> None:
    def text(count: int) -> str:
        return f"a: &a 1\nb: [{', '.join(['*a'] * count)}]"

    assert parsed(text(100)).plain()["b"] == [1] * 100
    with pytest.raises(RecipeError, match="more than 100 aliases"):
        parsed(text(101))


def test_depth_has_an_end_also_through_aliases() -> None:
    assert parsed("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(RecipeError, match=r"^t:1:22: nested more than 20 deep"):
        parsed("[" * 100_000)
    half = MAX_DEPTH // 2 + 1
    with pytest.raises(RecipeError, match="nested more than 20 deep"):
        parsed(f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}")


def test_a_file_beyond_a_megabyte_is_not_parsed(tmp_path: Path) -> None:
    message = refusal(tmp_path, b"#" * 1_000_001)
    assert message == "r.yaml: got more than 1000000 bytes, wanted a recipe; is this the corpus?"


def test_what_is_no_file_is_refused_without_opening_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(RecipeError, match=r"pipe.yaml: got a device or pipe, wanted a recipe file$"):
        read_yaml(tmp_path / "pipe.yaml")
    with pytest.raises(RecipeError, match=r": got a folder, wanted a recipe file$"):
        read_yaml(tmp_path)
    with pytest.raises(RecipeError, match=r"pip.yaml: there is no such recipe file; did you mean `pipe.yaml`\?$"):
        read_yaml(tmp_path / "pip.yaml")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert read_yaml(file).plain() == {"name": "x"}
