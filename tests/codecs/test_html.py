"""Pages become their main text, the same each time, in bounded work."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sslpipe.codecs.html import html_text, is_html
from sslpipe.core.damage import Damage

PAGE = """<!DOCTYPE html><html><head><title>A title</title><script>var a = "<b>no</b>";</script></head><body>
<nav><a href="/a">Home</a></nav><main><div><div><section><h1>Owls</h1><p>Owls &amp; mice <a href="/x">live</a> here,
on one line.</p><ul><li>first</li><li>second</li></ul><pre>a
  b</pre><img src=x alt="an owl"></section></div></div></main></body></html>"""


def test_the_main_text_of_a_page() -> None:
    text = html_text(PAGE.encode())
    assert "Owls & mice live here, on one line." in text
    assert "\n\n" in text and "a\n  b" in text
    assert [line.strip() for line in text.splitlines() if "first" in line or "second" in line] == ["• first", "• second"]
    for left_out in ("Home", "/x", "an owl", "var a", "<"):
        assert left_out not in text


def test_the_same_bytes_give_the_same_text_in_every_thread() -> None:
    words = random.Random(7).choices(["<p>", "<div>", "</div>", "<li>", "<b>", "</b>", "word ", "&lt;", "é "], k=4000)
    pages = [PAGE.encode(), "".join(words[:1500]).encode(), "".join(words[1500:3000]).encode()] * 12
    alone = [html_text(page) for page in pages]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(html_text, pages)) == alone


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, len(PAGE)), st.integers(0, 60))
@example(b"&#xd800;&#0;&#x110000;", 300, 0)
def test_any_bytes_are_a_page_or_damage(data: bytes, at: int, cut: int) -> None:
    page = PAGE.encode()[:at] + data + PAGE.encode()[at + cut :]
    try:
        first = html_text(page)
    except Damage as damage:
        assert damage.reason in ("html.limit", "text.binary")
        return
    first.encode("utf-8")
    assert html_text(page) == first


@pytest.mark.parametrize(
    ("page", "encoding", "text"),
    [
        ("<p>naïve €".encode(), None, "naïve €"),
        (b"<meta charset=windows-1252><p>na\xefve \x80", None, "naïve €"),
        (b"<meta charset='iso-8859-1'><p>na\xefve \x80", None, "naïve €"),
        (b'<?xml version="1.0" encoding="ISO-8859-2"?><html><p>\xb1', None, "ą"),
        ("<meta charset=nonsense><p>naïve".encode(), None, "naïve"),
        ("<meta charset=utf-16><p>naïve".encode(), None, "naïve"),
        ("<meta charset=shift_jis><p>naïve ☃☃".encode(), None, "naïve ☃☃"),
        ("<p>naïve".encode("utf-16"), None, "naïve"),
        ("\ufeff<meta charset=cp1252><p>naïve".encode(), None, "naïve"),
        ("<p>naïve".encode("utf-16-le"), "utf-16-le", "naïve"),
        (b"<meta charset=utf-8><p>\xcf\xf0\xe8\xe2\xe5\xf2", "cp1251", "Привет"),
        ("<p>Съешь же ещё этих мягких французских булок".encode("cp1251"), None, "Съешь же ещё этих мягких французских булок"),
    ],
)
def test_the_encoding_is_found_in_order(page: bytes, encoding: str | None, text: str) -> None:
    assert html_text(page, encoding).strip() == text


@pytest.mark.parametrize(
    "head",
    [
        b"<!DOCTYPE html>",
        b"<html>",
        b"\xef\xbb\xbf \n<HTML lang=en>",
        b"<?xml version='1.0'?>\n<!-- a -- b -->\n<!doctype HTML PUBLIC>",
    ],
)
def test_pages_are_told_by_their_beginning(head: bytes) -> None:
    assert is_html(head + b"...")


@pytest.mark.parametrize(
    "head", [b"", b"html", b"<htmlx>", b"<!doctype book>", b"<!-- open <html>", b"a <html>", b"<?xml ?><svg>"]
)
def test_what_is_no_page(head: bytes) -> None:
    assert not is_html(head)


BOMBS = {
    "depth": (b"<div>" * 100_000, "html.limit at byte 0: elements nested deeper than 256"),
    "fonts": (
        b"".join(b"<p><font a=%d>x" % n for n in range(50_000)),
        "html.limit at byte 0: 50,000 elements left open in 100,000 tags",
    ),
    "ends": (
        b"".join(b"<i%d>" % n for n in range(50_000)) + b"</x>" * 50_000,
        "html.limit at byte 0: 50,000 elements left open in 100,000 tags",
    ),
    "attributes": (
        b"<p " + b" ".join(b"a%d" % n for n in range(50_000)) + b">",
        "html.limit at byte 0: more than 2000 attributes on one tag",
    ),
    "scripts": (b"<script>" * 50_000 + b"<p " + b"a " * 5000, ""),
    "size": (b" " * ((20 << 20) + 1), "html.limit at byte 20971520: a page of 20,971,521 bytes; at most 20,971,520 are parsed"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", BOMBS)
def test_pages_that_take_quadratic_time_are_refused(name: str) -> None:
    page, message = BOMBS[name]
    if not message:
        html_text(page)
        return
    with pytest.raises(Damage) as caught:
        html_text(page)
    assert str(caught.value) == message


def test_ordinary_sloppiness_is_not_refused() -> None:
    rows = "".join(f"<tr><td>cell {n}<td><b>bold {n}</b> <span>open<p>text<br>" for n in range(3000))
    assert "cell 2999" in html_text(f"<html><body><p>intro<table>{rows}</table>".encode())
    assert html_text(b"<div>" * 200 + b"deep enough</div>").strip() == "deep enough"


def test_a_page_that_is_a_picture_is_binary() -> None:
    with pytest.raises(Damage, match=r"^text.binary at byte 0: too many control characters for a page$"):
        html_text(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff")
