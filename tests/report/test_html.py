"""No text can become markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.report import html
from sslpipe.report.html import Html, cut, escaped, joined, tag


class Read(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.other: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_decl(self, decl: str) -> None:
        self.other.append(decl)


HOSTILE = st.text() | st.sampled_from(
    ["</p><script>alert(1)</script>", "\"><img src=x onerror='x'>", "<!--", "&lt;b&gt;", "]]>", "\u202egnp.exe", "\0", "\ud800"]
)


def shown(text: str) -> str:
    """A text as the page spells it."""
    return html._UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def holds(text: str) -> bool:
    """Whether a text in an element and in an attribute comes back as one text, and adds nothing else."""
    read = Read(tag("p", text, tag("b", "!"), title=text))
    return read.tags == [("p", {"title": shown(text)}), ("b", {})] and read.text == f"{shown(text)}!" and not read.other


@given(HOSTILE)
def test_a_text_stays_a_text(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize("letter", "&<>\"'")
def test_a_letter_that_is_not_escaped_is_caught(letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = ["<b>", "a&lt;b", "\"'>", "' onload='x", '" onload="x', ">"]
    assert all(map(holds, hostile))
    monkeypatch.setitem(html._ENTITIES, letter, letter)
    assert escaped(letter) == letter
    # Where texts stand now, between elements and in double quotes, a browser forgives these two.
    assert all(map(holds, hostile)) == (letter in ">'")


def test_what_cannot_be_seen_is_spelt_out() -> None:
    assert shown("a\u202eb\x1b[2J\0\ufeff\ud800") == "a\\u202eb\\u001b[2J\\u0000\\ufeff\\ud800"
    assert shown("line\n\tü 中 🙂") == "line\n\tü 中 🙂"


def test_elements() -> None:
    assert tag("p", None, 1234567, ["a", ["b", None]], class_="x", data_count=3, hidden=None) == (
        '<p class="x" data-count="3">1,234,567ab</p>'
    )
    assert tag("rect", x=1 / 3, y=2) == '<rect x="0.33333" y="2"/>' and tag("br") == "<br>"
    assert joined("<", Html("<i>"), [Html("</i>")]) == "&lt;<i></i>"
    assert isinstance(joined("a"), Html)


@given(st.text(max_size=40), st.integers(2, 30))
def test_long_texts_are_cut_in_the_middle(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert short == text if len(text) <= limit else len(short) == 2 * (limit // 2) + 3
    assert short[: limit // 2] == text[: limit // 2]
