"""Strict UTF-8 or a reason."""

from __future__ import annotations

import codecs
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.codecs.text import checked_encoding, is_binary, utf8_of, wide_encoding, without_mark
from sslpipe.core.damage import Damage

PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


def verdict(data: bytes, encoding: str = "utf-8") -> bytes | str:
    try:
        return utf8_of(data, encoding)
    except Damage as damage:
        return damage.reason


@given(PRINTABLE)
def test_text_keeps_its_bytes_but_for_the_mark(text: str) -> None:
    data = text.encode()
    assert verdict(codecs.BOM_UTF8 + data) == data
    if not data.startswith(codecs.BOM_UTF8):
        assert verdict(data) == data


@given(st.binary(max_size=60))
def test_nothing_but_valid_utf8_comes_out(data: bytes) -> None:
    result = verdict(data)
    if isinstance(result, bytes):
        assert result.decode("utf-8").encode() == result
        assert data.endswith(result)
    else:
        assert result in ("text.utf8", "text.encoding", "text.binary")


@given(PRINTABLE, PRINTABLE, st.sampled_from([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80"]))
def test_the_offset_is_that_of_the_first_wrong_byte(before: str, after: str, wrong: bytes) -> None:
    with pytest.raises(Damage) as caught:
        utf8_of(b"# " + before.encode() + wrong + after.encode())
    assert (caught.value.reason, caught.value.offset) == ("text.utf8", len(b"# " + before.encode()))


def test_the_message_shows_the_bytes_and_counts_the_mark() -> None:
    with pytest.raises(Damage, match=r"^text.utf8 at byte 5: invalid start byte at byte 5: ff 62 63$"):
        utf8_of(b"\xef\xbb\xbfab\xffbc")


@settings(max_examples=60)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=4), st.sampled_from(["utf-16", "utf-32"]))
def test_wide_files_are_refused_with_a_guess_and_read_when_told(text: str, family: str) -> None:
    text += " " * (-len(text) % 4)
    for encoding in (family, f"{family}-le", f"{family}-be"):
        data = text.encode(encoding)
        with pytest.raises(Damage) as caught:
            utf8_of(data)
        assert caught.value.reason == "text.encoding"
        assert encoding in caught.value.detail
        assert verdict(data, encoding) == text.encode()


def test_wide_encoding_leaves_others_alone() -> None:
    assert wide_encoding("Straße, 普通话".encode()) is None
    assert wide_encoding(b"a\0b") is None
    assert wide_encoding(b"") is None


def test_other_encodings() -> None:
    assert verdict("naïve €".encode("cp1252"), "cp1252") == "naïve €".encode()
    assert verdict(b"\x81", "cp1252") == "text.encoding"
    assert verdict("日本".encode("shift_jis"), "shift_jis") == "日本".encode()
    assert verdict(b"\x00\xd8", "utf-16-le") == "text.encoding"
    assert verdict(b"\1\2\3\4", "latin-1") == "text.binary"


@pytest.mark.parametrize("name", ["zlib", "rot13", "hex", "unicode_escape", "utf-7", "idna", "no such", "../os"])
def test_what_is_no_character_encoding(name: str) -> None:
    with pytest.raises(ValueError, match="wanted one"):
        checked_encoding(name)


def test_binary_is_more_than_a_tenth_of_controls() -> None:
    assert not is_binary(b"\1" * 4 + b"a" * 36)
    assert is_binary(b"\1" * 4 + b"a" * 35)
    assert not is_binary(b"\0\0\0")
    assert not is_binary(b"\t\n\v\f\r\x08\x1b\x1c\x1d\x1e\x1f" * 9)
    assert verdict(b"\xff\xfb\x90\0text text text") == "text.binary"


@given(st.binary(max_size=9000), st.lists(st.integers(0, 9000), max_size=4), st.booleans(), st.booleans())
def test_without_mark_changes_nothing_else(data: bytes, cuts: list[int], mark: bool, damaged: bool) -> None:
    data = (codecs.BOM_UTF8 if mark else b"{") + data
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})

    def chunks():  # type: ignore[no-untyped-def]
        for start, stop in itertools.pairwise(edges):
            yield data[start:stop]
        if damaged:
            raise Damage("gz.data", 7, "torn")

    out, reason = b"", None
    try:
        for chunk in without_mark(chunks()):
            out += chunk
    except Damage as damage:
        reason = damage.reason
    if reason != "text.encoding":
        assert out == (data[3:] if mark else data)
        assert reason == ("gz.data" if damaged else None)
