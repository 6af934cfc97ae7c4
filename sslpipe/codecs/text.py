"""From raw bytes to UTF-8 that can be trusted, or the reason why not.

Text keeps its bytes as they are: no newline, normal form or control character is changed here, only a byte order mark is taken
off. What isn't text is refused rather than repaired, since a wrong guess is seen by nobody once it is in a corpus.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

from sslpipe.core.damage import Damage

_BOM: Final = codecs.BOM_UTF8
_WIDE_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE: Final = 4096
_CONTROLS: Final = bytes([*range(0x08), *range(0x0E, 0x1B), 0x7F])
"""Not among them: white space, backspace (overstriking), escape (terminal colours), and the separators 0x1C to 0x1F."""
_STRAY_CONTROLS: Final = 3
"""So many are a slip of the pen in however short a text, not the mark of a binary file."""
_NO_ENCODINGS: Final = ("unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "utf-7", "mbcs", "oem")


def checked_encoding(name: str) -> str:
    """The canonical name of a character encoding; raises ValueError for what is none (`zlib`, `rot13`) or can't be strict."""
    try:
        found = codecs.lookup(name)
    except LookupError:
        raise ValueError(f"no such encoding: {name!r}; wanted one that Python knows, such as utf-8, utf-16, cp1252") from None
    if not found._is_text_encoding or found.name.replace("-", "_") in {each.replace("-", "_") for each in _NO_ENCODINGS}:
        raise ValueError(f"{name!r} is no character encoding of text files; wanted one such as utf-8, utf-16, cp1252")
    return found.name


def wide_encoding(head: bytes) -> str | None:
    """The encoding of two or four bytes a character that a file begins in, told by its mark or by where its NULs are."""
    for mark, name in _WIDE_BOMS:
        if head.startswith(mark):
            return name
    sample = head[: min(len(head), _SAMPLE) // 4 * 4]
    if not sample.count(0):
        return None
    # Letters of the ASCII range leave all bytes but one of each character zero.
    zero = [sample[at::4].count(0) * 10 >= len(sample) // 4 * 7 for at in range(4)]
    patterns = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return patterns.get((zero[0], zero[1], zero[2], zero[3]))


def byte_order_mark(data: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    if data.startswith(_BOM):
        return "utf-8-sig"
    return next((name for mark, name in _WIDE_BOMS if data.startswith(mark)), None)


def is_binary(data: bytes) -> bool:
    """Whether more than a tenth of the bytes are control characters."""
    controls = len(data) - len(data.translate(None, _CONTROLS))
    return controls > _STRAY_CONTROLS and controls * 10 > len(data)


def utf8_of(data: bytes, encoding: str = "utf-8") -> bytes:
    """The text of a whole file as strict UTF-8 without a byte order mark.

    Raises Damage: `text.utf8` for bytes that no shortest-form UTF-8 of a Unicode character has (overlong forms and surrogates
    too), `text.encoding` for a file in UTF-16 or UTF-32, or one that isn't in the encoding given, `text.binary` for more than
    10 % control characters, or for bytes with NULs that aren't UTF-8 either.
    """
    if codecs.lookup(encoding).name != "utf-8":
        return _other(data, encoding)
    refuse_wide(data[:_SAMPLE])
    text = data.removeprefix(_BOM)
    if is_binary(text):
        raise _binary()
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        if 0 in text:
            raise _binary() from None
        raise invalid_utf8(error, len(data) - len(text)) from None
    return text


def _other(data: bytes, encoding: str) -> bytes:
    try:
        text = data.decode(encoding).removeprefix("\ufeff").encode("utf-8")
    except UnicodeDecodeError as error:
        raise Damage("text.encoding", error.start, f"not {encoding}: {error.reason}") from None
    except UnicodeEncodeError as error:
        raise Damage("text.encoding", 0, f"{encoding} gives a lone surrogate as character {error.start}") from None
    if is_binary(text):
        raise _binary()
    return text


def _binary() -> Damage:
    return Damage("text.binary", 0, "too many control characters for a text")


def refuse_wide(head: bytes) -> None:
    """Raises Damage `text.encoding` for a file that begins in UTF-16 or UTF-32."""
    if guess := wide_encoding(head):
        raise Damage(
            "text.encoding", 0, f"not utf-8: looks like {guess}; convert it, or set `encoding: {guess}` where there is one"
        )


def invalid_utf8(error: UnicodeDecodeError, shift: int = 0) -> Damage:
    """The damage that a strict decoder found; `shift` is added to its offset."""
    shown = error.object[error.start : error.start + 4].hex(" ")
    return Damage("text.utf8", error.start + shift, f"{error.reason} at byte {error.start + shift}: {shown}")


def without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """A file's chunks without its byte order mark; raises Damage `text.encoding` as `utf8_of` does, first of all."""
    head, damage = bytearray(), None
    try:
        for chunk in chunks:
            head += chunk
            if len(head) >= _SAMPLE:
                break
    except Damage as error:
        damage = error
    refuse_wide(bytes(head[:_SAMPLE]))
    yield bytes(head).removeprefix(_BOM)
    if damage is not None:
        raise damage
    yield from chunks
