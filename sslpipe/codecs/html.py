"""The text of an HTML page: its main content, without navigation, scripts and link targets.

The extraction is resiliparse's, a pure function of the page. What is main content it decides by rules of thumb (`<ul>` is
navigation where it stands within three levels of `<body>`), so that a page of links alone becomes an empty text. Three shapes
of page make it, or any tree builder, take quadratic time: deep nesting, formatting elements left open and rebuilt in every
block, and thousands of attributes on one tag. Limits count those (never time, so that the verdict is the same everywhere);
pages of ordinary size and sloppiness stay far below them.
"""

from __future__ import annotations

import re
from typing import Final

from sslpipe.codecs.text import byte_order_mark, checked_encoding, is_binary
from sslpipe.core.damage import Damage

MAX_BYTES: Final = 20 << 20

_MAX_DEPTH: Final = 256
"""Browsers flatten at 512; hand-written pages rarely reach 50. Extraction takes time in proportion to it."""
_DEEPER: Final = " > ".join(["*"] * (_MAX_DEPTH + 1))
_MAX_ATTRIBUTES: Final = 2000
_MAX_REBUILT: Final = 4_000_000
"""Elements that unclosed formatting could make."""
_MAX_STEPS: Final = 200_000_000
"""Comparisons of end tags with open elements."""
_FEW_TAGS: Final = 2000
"""A page with fewer reaches neither of the two, whatever they are."""

_LABEL: Final = re.compile(
    rb"""<meta\s[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.\-]{1,40})|<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9_:.\-]{1,40})""",
    re.IGNORECASE,
)
_HEAD: Final = 1024
_SNIFFED: Final = re.compile(rb"<(?:!doctype\s+html|html)[\s/>]", re.IGNORECASE)
_SCRIPT: Final = re.compile(rb"<(script|style)\b.*?(?:</\1|\Z)", re.IGNORECASE | re.DOTALL)
_LONG_TAG: Final = re.compile(rb"<[A-Za-z][^<>]{%d,}+" % (2 * _MAX_ATTRIBUTES))
_TAG: Final = re.compile(rb"<(/?)([A-Za-z][^\s/>]{0,40})")
_FORMATTING: Final = frozenset(b"b big code em font i nobr s small strike strong tt u".split())
_NO_NESTING: Final = frozenset(
    b"a area base br col dd dt embed hr img input li link meta option p param source tbody td tfoot th thead tr wbr".split()
)


def is_html(head: bytes) -> bool:
    """Whether a file begins like a page: `<!doctype html` or `<html` behind white space, comments and an XML declaration."""
    at = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    while at < len(head):
        if head[at : at + 1].isspace():
            at += 1
        elif head.startswith((b"<!--", b"<?xml"), at):
            closing = b"-->" if head.startswith(b"<!--", at) else b"?>"
            end = head.find(closing, at)
            if end < 0:
                return False
            at = end + len(closing)
        else:
            return _SNIFFED.match(head, at) is not None
    return False


def html_text(page: bytes, encoding: str | None = None) -> str:
    """The main text of a page; paragraphs, lists and preformatted lines stay apart.

    Its encoding is that of its byte order mark, else the first of these that decodes it without an error: the one given, its
    `<meta>` or XML declaration, UTF-8; else what detection finds. Undecodable bytes become U+FFFD then, as they do in browsers.
    Raises Damage: `html.limit` for more than 20 MiB or a shape that would take quadratic time, `text.binary` for a file that is
    no text.
    """
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    if len(page) > MAX_BYTES:
        raise Damage("html.limit", MAX_BYTES, f"a page of {len(page):,} bytes; at most {MAX_BYTES:,} are parsed")
    text = _decoded(page, encoding)
    _refuse_costly(page)
    tree = HTMLTree.parse(text)
    if tree.document is None or tree.document.query_selector(_DEEPER) is not None:
        raise Damage("html.limit", 0, f"elements nested deeper than {_MAX_DEPTH}")
    extracted: str = extract_plain_text(
        tree,
        preserve_formatting=True,
        main_content=True,
        list_bullets=True,
        alt_texts=False,
        links=False,
        form_fields=False,
        noscript=False,
        comments=False,
    )
    return extracted


def _decoded(page: bytes, encoding: str | None) -> str:
    from resiliparse.parse.encoding import detect_encoding

    mark = byte_order_mark(page)
    if mark is not None:
        return page.decode(mark, "replace")
    wide = encoding is not None and encoding.startswith(("utf-16", "utf-32"))
    if not wide and (is_binary(page) or (0 in page and _tried(page, "utf-8") is None)):
        raise Damage("text.binary", 0, "too many control characters for a page")
    for candidate in (encoding, _declared(page), "utf-8"):
        if candidate is not None and (text := _tried(page, candidate)) is not None:
            return text
    return page.decode(_known(detect_encoding(page)), "replace")


def _tried(page: bytes, encoding: str) -> str | None:
    try:
        return page.decode(encoding)
    except UnicodeDecodeError:
        return None


def _declared(page: bytes) -> str | None:
    """The encoding that a page names, as WHATWG reads its label; one it couldn't be read in, if true, means UTF-8."""
    from resiliparse.parse.encoding import map_encoding_to_html5

    match = _LABEL.search(page, 0, _HEAD)
    if match is None:
        return None
    label = _known(map_encoding_to_html5((match[1] or match[2]).decode("ascii")))
    return "utf-8" if label.startswith(("utf-16", "utf-32")) else label


def _known(label: str | None) -> str:
    """The codec of a label, UTF-8 for one that Python has no codec for."""
    try:
        return checked_encoding(label or "utf-8")
    except ValueError:
        return "utf-8"


def _refuse_costly(page: bytes) -> None:
    bare = _SCRIPT.sub(b"", page) if _LONG_TAG.search(page) else b""
    for tag in _LONG_TAG.finditer(bare):
        if len(tag[0].split()) > _MAX_ATTRIBUTES:
            raise Damage("html.limit", 0, f"more than {_MAX_ATTRIBUTES} attributes on one tag")
    tags = page.count(b"<")
    if tags <= _FEW_TAGS:
        return
    formatting, others, ends = _unclosed(page)
    if formatting * tags > _MAX_REBUILT or others * ends > _MAX_STEPS:
        raise Damage("html.limit", 0, f"{max(formatting, others):,} elements left open in {tags:,} tags")


def _unclosed(page: bytes) -> tuple[int, int, int]:
    """The most formatting elements, and other elements, ever open at once, and the number of end tags."""
    counts: dict[bytes, int] = {}
    now, most = [0, 0], [0, 0]
    ends = 0
    for end, name in _TAG.findall(page.lower()):
        if name in _NO_NESTING:
            ends += 1 if end else 0
            continue
        group = 0 if name in _FORMATTING else 1
        count = counts.get(name, 0)
        if not end:
            counts[name] = count + 1
            now[group] += 1
            most[group] = max(most[group], now[group])
        else:
            ends += 1
            if count:
                counts[name] = count - 1
                now[group] -= 1
    return most[0], most[1], ends
