"""Our own safe YAML: every key and value keeps its place, and only plain data gets through.

PyYAML scans and parses; values are made here from its events, so no constructor of its own ever runs. Scalars follow YAML 1.2:
`true` and `false` are the only booleans, `no` is a word, `012`, times and dates are text. What can't be a recipe is refused:
tags, duplicate keys, several documents, and whatever grows beyond the caps below.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from sslpipe.core.errors import RecipeError
from sslpipe.core.words import did_you_mean, show
from sslpipe.recipe.node import Node, Scalar
from sslpipe.recipe.snippet import Snippet
from sslpipe.recipe.source import LINE_END, Source

MAX_BYTES: Final = 1_000_000
MAX_ALIASES: Final = 100
MAX_ALIASED: Final = 10_000
"""Values that all aliases together may stand for: 81 of them in nine levels would be 9^9."""
MAX_DEPTH: Final = 20

_NULL: Final = re.compile(r"null|Null|NULL|~|")
_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,99})")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FORBIDDEN: Final = re.compile("[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_yaml(path: Path) -> Node:
    """The mapping in a file; raises RecipeError for a file that can't be read, or that is none."""
    source, text = _read(path)
    root = parse_yaml(source, text)
    if root.mapping is None:
        got = "an empty file" if root.value is None else "a list" if root.items is not None else show(root.value)
        raise root.at.error(f"got {got}, expected a mapping: lines of `key: value`, first of all `name:`")
    return root


def parse_yaml(source: Source, text: str, offset: int = 0) -> Node:
    """The one document of a text, a part of the source that begins `offset` columns into its first line; empty is null."""
    if bad := _FORBIDDEN.search(text):
        name = "a NUL" if bad[0] == "\0" else f"the control character U+{ord(bad[0]):04X}"
        at = _place(source, text, bad.start(), offset)
        raise at.error(f"got {name}, wanted text; write it as an escape in double quotes")
    loader = yaml.SafeLoader(text)
    try:
        return _Composer(source, offset, _events(loader)).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, source, offset) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        place = Snippet(source, loader.line, loader.column + (offset if loader.line == 0 else 0))
        raise place.error("got a character or number that YAML can't hold") from None


def _events(loader: yaml.SafeLoader) -> Iterator[Any]:
    while loader.check_event():
        yield loader.get_event()  # type: ignore[no-untyped-call]


def _read(path: Path) -> tuple[Source, str]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecipeError(f"{path}: got {'a folder' if path.is_dir() else 'a device or pipe'}, wanted a recipe file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, siblings)
        raise RecipeError(f"{path}: there is no such recipe file" + (f"; {hint}" if hint else "")) from None
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise RecipeError(f"{path}: got more than {MAX_BYTES} bytes, wanted a recipe; is this the corpus?")
    folder = path.absolute().parent
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8-sig", "replace")
        before = data[: error.start].decode("utf-8-sig", "replace")
        source = Source.of_text(str(path), text, folder)
        byte = data[error.start]
        raise _place(source, text, len(before)).error(
            f"got byte 0x{byte:02x}, wanted UTF-8; save the file in that encoding"
        ) from None
    return Source.of_text(str(path), text, folder), text


def _place(source: Source, text: str, position: int, offset: int = 0) -> Snippet:
    lines = LINE_END.split(text[:position])
    return Snippet(source, len(lines) - 1, len(lines[-1]) + (offset if len(lines) == 1 else 0))


def _syntax_error(error: yaml.MarkedYAMLError, source: Source, offset: int) -> RecipeError:
    context, begun, problem = error.context or "", error.context_mark, error.problem or "not YAML"
    at_end = any(word in problem for word in ("end of stream", "<stream end>", "document separator"))
    at = _marked(error.problem_mark or begun, source, offset)
    upto = source.lines[at.line][: at.column + 1] if at.line < len(source.lines) else ""
    if begun and "quoted scalar" in context and at_end:
        return _marked(begun, source, offset).error("this quote is never closed")
    if begun and "flow" in context and at_end:
        return _marked(begun, source, offset).error("this bracket is never closed")
    if upto.endswith("${"):
        return at.error("got ${ between braces or brackets, where it must be in quotes")
    if "\t" in upto and not upto.strip():
        return at.error("got a tab, wanted spaces before the first word of a line")
    return at.error(f"not YAML: {problem}" + (f" ({context})" if context else ""))


def _marked(mark: yaml.Mark | None, source: Source, offset: int) -> Snippet:
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return Snippet(source, line, column + (offset if line == 0 else 0))


@dataclass(slots=True)
class _Measured:
    """A node with what its anchor must know: how many values it stands for, and how deep they go."""

    node: Node
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Composer:
    source: Source
    offset: int
    events: Iterator[Any]
    anchors: dict[str, _Measured | None] = field(default_factory=dict)
    """None while the anchor's own value is being read."""
    aliases: int = 0
    aliased: int = 0

    def document(self) -> Node:
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            return Node(None, Snippet(self.source))
        root = self.value(next(self.events), 0).node
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.place(after).error("got a second document, expected a mapping and nothing behind it")
        return root

    def place(self, event: Any) -> Snippet:
        return _marked(event.start_mark, self.source, self.offset)

    def value(self, event: Any, depth: int) -> _Measured:
        at = self.place(event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(str(event.anchor), at, depth)
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            raise at.error(f"got the tag {show(tag)}, wanted plain data; recipes have no tags")
        if depth > MAX_DEPTH:
            raise at.error(f"nested more than {MAX_DEPTH} deep, which no recipe is")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            made = _Measured(Node(_scalar(event, at), at))
        elif isinstance(event, yaml.SequenceStartEvent):
            made = self.sequence(at, depth)
        else:
            made = self.mapping(at, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = made
        return made

    def alias(self, name: str, at: Snippet, depth: int) -> _Measured:
        if name not in self.anchors:
            raise at.error(f"got the alias *{name}, but no &{name} stands before it", did_you_mean(name, self.anchors))
        made = self.anchors[name]
        if made is None:
            raise at.error(f"got the alias *{name} inside its own &{name}, which has no end")
        self.aliases += 1
        self.aliased += made.size
        if self.aliases > MAX_ALIASES or self.aliased > MAX_ALIASED:
            raise at.error(f"more than {MAX_ALIASES} aliases, or than {MAX_ALIASED} values behind them; write them out")
        if depth + made.height > MAX_DEPTH:
            raise at.error(f"nested more than {MAX_DEPTH} deep, which no recipe is")
        return made

    def sequence(self, at: Snippet, depth: int) -> _Measured:
        children: list[_Measured] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            children.append(self.value(event, depth + 1))
        return _measured(Node([child.node for child in children], at), children)

    def mapping(self, at: Snippet, depth: int) -> _Measured:
        children: dict[str, _Measured] = {}
        keys: dict[str, Snippet] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, place = self.key(event), self.place(event)
            if key in children:
                first = keys[key]
                raise place.error(f"got the key `{key}` twice, wanted it once; it stands in line {first.line + 1} already")
            keys[key] = place
            children[key] = self.value(next(self.events), depth + 1)
        nodes = {key: child.node for key, child in children.items()}
        return _measured(Node(nodes, at, keys), list(children.values()))

    def key(self, event: Any) -> str:
        at = self.place(event)
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None or event.anchor is not None:
            raise at.error("got a list, mapping, alias, anchor or tag as a key, wanted a word")
        _scalar(event, at)
        return str(event.value)


def _measured(node: Node, children: list[_Measured]) -> _Measured:
    height = 1 + max((child.height for child in children), default=0)
    return _Measured(node, 1 + sum(child.size for child in children), height)


def _scalar(event: Any, at: Snippet) -> Scalar:
    text: str = event.value
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise at.error("got half of a surrogate pair, wanted a character")
    return plain_scalar(text) if event.implicit[0] else text


def plain_scalar(text: str) -> Scalar:
    """What an unquoted word is: null, a boolean, a finite number, or text."""
    if _NULL.fullmatch(text):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text):
        return int(text)
    if len(text) <= 400 and _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
