"""JSON as it is trusted here: one object a line, and nothing that two parsers would read differently."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sslpipe.codecs.text import invalid_utf8, is_binary
from sslpipe.core.damage import Damage

_MAX_DEPTH: Final = 128
"""serde_json's limit; Python's own depends on how deep its caller is."""
_MAX_DIGITS: Final = 640
"""Integers up to here are converted by every Python, whatever limit it runs with."""
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]++|[\]}]++', re.DOTALL)


def json_object(line: bytes, ended: bool) -> dict[str, Any]:
    """The object on a line; `ended` says whether a newline stood behind it.

    Raises Damage, its offset counted in the line: `text.utf8`, `json.syntax`, `json.truncated` (no newline, and no JSON),
    `json.not_object`, `json.nonfinite` (NaN, Infinity, 1e999), `json.duplicate_key`, `json.depth` (above 128 levels),
    `json.number` (an integer above 640 digits). Control characters are allowed inside strings: many writers leave them.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        if not ended and error.end == len(line) and error.reason == "unexpected end of data":
            raise Damage("json.truncated", error.start, "the file ends within a character") from None
        raise invalid_utf8(error) from None
    _refuse_depth(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = "json.syntax" if ended else "json.truncated"
        raise Damage(reason, len(text[: error.pos].encode()), f"{error.msg} at character {error.pos}") from None
    if not isinstance(value, dict):
        raise Damage("json.not_object", 0, f"got {kind_of(value)}, wanted an object")
    return value


def kind_of(value: Any) -> str:
    """What a value is, in JSON's words."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def as_string(value: Any) -> str:
    """A value as kept metadata: strings as they are, null and what is missing empty, the rest as canonical JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def string_of(record: Mapping[str, Any], key: str) -> bytes:
    """A string of a record in UTF-8; raises Damage `json.missing_field`, `json.field_type`, `json.surrogate`."""
    if key not in record:
        raise Damage("json.missing_field", 0, f"there is no key {key!r}")
    value = record[key]
    if not isinstance(value, str):
        raise Damage("json.field_type", 0, f"{key!r} is {kind_of(value)}, wanted a string")
    return encoded(str.encode, value)


def text_of(record: Mapping[str, Any], key: str) -> bytes:
    """A string of a record that is text; raises Damage as `string_of`, and `text.binary`."""
    text = string_of(record, key)
    if is_binary(text):
        raise Damage("text.binary", 0, f"too many control characters in {key!r}")
    return text


def encoded(encode: Callable[[Any], bytes], value: Any) -> bytes:
    """What `encode` makes of a value out of JSON; raises Damage `json.surrogate`."""
    try:
        return encode(value)
    except UnicodeEncodeError as error:
        raise Damage("json.surrogate", 0, f"a lone surrogate, \\u{ord(error.object[error.start]):04x}") from None


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        if text[token.start()] in "[{":
            depth += len(token[0])
        elif text[token.start()] in "]}":
            depth -= len(token[0])
        if depth > _MAX_DEPTH:
            raise Damage("json.depth", len(text[: token.start()].encode()), f"nested deeper than {_MAX_DEPTH}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Damage("json.duplicate_key", 0, f"the key {_shown(twice)} stands there more than once")
    return found


def _shown(key: str) -> str:
    return ascii(key if len(key) <= 100 else key[:100] + "...")


def _constant(name: str) -> float:
    raise Damage("json.nonfinite", 0, f"{name} is no JSON number")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise Damage("json.nonfinite", 0, f"{digits[:40]} is too large for a number")
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise Damage("json.number", 0, f"an integer of {len(digits):,} digits; at most {_MAX_DIGITS} are read")
    return int(digits)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_constant, parse_float=_float, parse_int=_integer, strict=False
)
