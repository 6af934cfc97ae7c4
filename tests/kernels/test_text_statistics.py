"""The counts against plain Python, row by row, and at every edge of a row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.ragged import Ragged
from sslpipe.kernels.text_statistics import STATISTICS, STOP_WORDS, text_statistics

PREFIXES = set("%=+,:;!?()[]{}<>_#*&'\"`$")
SUFFIXES = PREFIXES - set("=+")
ENDING = re.compile(r"(?<=.)(n['’]t|['’](s|S|d|m|ll|re|ve))\Z", re.DOTALL)
SEPARATOR = re.compile(
    r"\.{2,}|…|(?<=d)[+*^-](?=[d-])|(?<=[lo])\.(?=[uo])|(?<=[luo]),(?=[luo])"
    r"|(?<=[luod])(?:-{1,3}|~{1,3}|–{1,3}|—{1,3})(?=[luo])|(?<=[luod])[:<>=/](?=[luo])"
)


def is_symbol(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS" or unicodedata.category(character) == "Cc"


def comes_off(character: str, ascii_marks: set[str]) -> bool:
    return character in ascii_marks or (ord(character) > 127 and unicodedata.category(character)[0] in "PS")


def shape(character: str) -> str:
    """A letter for each class that separators look at, or the mark itself."""
    if character in "0123456789":
        return "d"
    if character.isalpha():
        return {"Ll": "l", "Lu": "u", "Lt": "u"}.get(unicodedata.category(character), "o")
    return character if ord(character) < 128 or character in "–—…" else "n"


def tokens_of(run: str) -> list[str]:
    front, back = [], []
    while run:
        stops = re.match(r"\.{2,}", run)
        if not stops and (not comes_off(run[0], PREFIXES) or re.match(r"\+[0-9]", run)):
            break
        front.append(stops.group() if stops else run[0])
        run = run[len(front[-1]) :]
    while run:
        stops = re.search(r"\.{2,}\Z", run)
        before = [shape(character) for character in run[:-1]]
        single = before and before[-1] in "luo" and (len(before) == 1 or before[-2] == ".")
        capitals = len(before) > 1 and before[-1] in "uo" and before[-2] in "uo"
        lone = run[-1] == "." and before and not single and (before[-1] in "lod" or comes_off(run[-2], SUFFIXES) or capitals)
        if not stops and not lone and not comes_off(run[-1], SUFFIXES):
            break
        back.append(stops.group() if stops else run[-1])
        run = run[: -len(back[-1])]
    if ending := ENDING.search(run):
        back.append(ending.group())
        run = run[: ending.start()]
    if not run or "://" in run:
        return [*front, *([run] if run else []), *back]
    start = 0
    for separator in SEPARATOR.finditer("".join(map(shape, run))):
        front += [run[start : separator.start()], separator.group()]
        start = separator.end()
    return [*front, run[start:], *back]


def statistics_of(text: str) -> dict[str, int]:
    tokens = [token for run in text.split() for token in tokens_of(run) if token]
    words = [token for token in tokens if not all(map(is_symbol, token))]
    lines = text.splitlines()
    return {
        "bytes": len(text.encode()),
        "characters": len(text),
        "tokens": len(tokens),
        "words": len(words),
        "word_characters": sum(map(len, words)),
        "alphabetic_tokens": sum(any(map(str.isalpha, token)) for token in tokens),
        "hashes": text.count("#"),
        "ellipses": text.count("...") + text.count("…"),
        "lines": len(lines),
        "bullet_lines": sum(line.lstrip().startswith(("-", "•")) for line in lines),
        "ellipsis_lines": sum(line.rstrip().endswith(("...", "…")) for line in lines),
        "stop_words": sum(1 << bit for bit, word in enumerate(STOP_WORDS) if word in tokens),
    }


def counted(texts: list[str]) -> list[dict[str, int]]:
    column = Ragged.from_texts(texts)
    return [dict(zip(STATISTICS, row, strict=True)) for row in text_statistics(column.values, column.offsets).tolist()]


CHARACTERS = st.characters(exclude_categories=["Cs"])
PIECES = st.sampled_from(
    [
        *"aZé中Ж9#.-+:/,'’…•–—_ \n\r\t\x0b\x1c\x1f\x85\x00\u2028\u3000\u0301(\"",
        "the",
        "The",
        "of",
        "with",
        "n't",
        "'s",
        "...",
        "://",
        "😀",
    ]
)
TEXTS = st.text(CHARACTERS, max_size=40) | st.lists(PIECES, max_size=25).map("".join)


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_counts_are_those_of_plain_python(texts: list[str]) -> None:
    assert counted(texts) == [statistics_of(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, world.", ["Hello", ",", "world", "."]),
        ("don't it's we’ll DON'T", ["do", "n't", "it", "'s", "we", "’ll", "DON'T"]),
        ("U.S. J. TCP. e.g. 3.5.", ["U.S.", "J.", "TCP", ".", "e.g.", "3.5", "."]),
        ("(see:http://a.b/c,d)", ["(", "see:http://a.b/c,d", ")"]),
        (
            "well-known 32-bit 1990-2000 a--b a----b x~y",
            ["well", "-", "known", "32", "-", "bit", "1990", "-", "2000", "a", "--", "b", "a----b", "x", "~", "y"],
        ),
        (
            "wait...what end.Next /usr/bin key=value",
            ["wait", "...", "what", "end", ".", "Next", "/usr", "/", "bin", "key", "=", "value"],
        ),
        ("+5 +x $3 50%", ["+5", "+", "x", "$", "3", "50", "%"]),
        ("«Привет», мир…", ["«", "Привет", "»", ",", "мир", "…"]),
        ("foo_bar __init__ -v", ["foo_bar", "_", "_", "init", "_", "_", "-v"]),
    ],
)
def test_the_rules_for_words_by_example(text: str, tokens: list[str]) -> None:
    oracle = [token for run in text.split() for token in tokens_of(run) if token]
    assert sorted(oracle) == sorted(tokens)
    assert counted([text])[0]["tokens"] == len(tokens)


@pytest.mark.parametrize("character", ["", "a", " ", "\n", "\r", ".", "…", "•", "-", "#", "😀", "\u2028", "é"])
@pytest.mark.parametrize("tail", ["", "\n", "\r\n", " ", "…", "...", "é", "the"])
def test_edges_of_rows(character: str, tail: str) -> None:
    texts = [character, character + tail, tail + character, "a\n" + character]
    assert counted(texts) == [statistics_of(text) for text in texts]


def independent(statistics: Callable[[np.ndarray, np.ndarray], np.ndarray], texts: list[str]) -> bool:
    column = Ragged.from_texts(texts)
    alone = [statistics(part.values, part.offsets)[0] for part in map(Ragged.from_texts, ([text] for text in texts))]
    return np.array_equal(statistics(column.values, column.offsets), np.array(alone))


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_row_knows_nothing_of_its_neighbours(texts: list[str]) -> None:
    assert independent(text_statistics, texts)


def test_a_state_that_leaks_between_rows_is_caught() -> None:
    def leaky(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        upto = [text_statistics(values, np.array([0, end]))[0] for end in offsets]
        return np.diff(np.array(upto), axis=0)

    assert not independent(leaky, ["ends with half a", "word..", ".\n"])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=12) | st.sampled_from([b"\xe2", b"\xe2\x80", b"\xf4\x90\x80\x80", b"\xc3", b"..\xe2\x80"])))
def test_bytes_that_are_not_utf8_stay_inside_their_row(rows: list[bytes]) -> None:
    column = Ragged.from_bytes(rows)
    inside = text_statistics(column.values, column.offsets)
    guarded = np.concatenate(
        [np.frombuffer(b"\xa6the...", np.uint8), column.values, np.frombuffer(b"\x80\xa6\xa6.. the", np.uint8)]
    )
    assert np.array_equal(text_statistics(guarded, column.offsets + 7), inside)
    assert inside[:, STATISTICS.index("bytes")].tolist() == [len(row) for row in rows]


def test_a_long_run_takes_one_pass() -> None:
    for text in (
        "." * 300_000,
        "a" * 300_000,
        "a-" * 150_000,
        "'" * 300_000,
        "\n" * 300_000,
        "\u0301" * 300_000,
        "a,.." * 75_000,
    ):
        (row,) = counted([text])
        assert row["characters"] == 300_000
