"""Pages as a browser reads them, and what must be true of every one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from sslpipe.report.report import write_report
from sslpipe.shards.commits import totals
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage

VOID = ("meta", "img", "br")
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "h1", "h2", "h3", "h4", "p", "a",
    "div", "span", "b", "i", "small", "code", "pre", "bdi", "ul", "ol", "li", "table", "thead", "tbody", "tfoot", "tr", "th",
    "td", "details", "summary", "figure", "figcaption", "article", "img", "svg", "g", "rect", "line", "path", "text",
}  # fmt: skip
"""All that a page is made of; none of it can run anything."""
ATTRIBUTES = {
    "lang", "charset", "name", "content", "http-equiv", "href", "id", "class", "role", "width", "height", "x", "y", "x1", "x2",
    "y1", "y2", "d", "viewbox", "preserveaspectratio", "src", "alt", "open", "dir",
}  # fmt: skip


@dataclass
class Element:
    """One element with what is in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, tag: str = "", class_: str = "", **attributes: str) -> Iterator[Element]:
        """Every element in it of this name, class and attributes."""
        for child in self.children:
            if isinstance(child, str):
                continue
            mine = child.attributes
            named = (not tag or child.tag == tag) and (not class_ or class_ in mine.get("class", "").split())
            if named and all(mine.get(name.replace("_", "-")) == value for name, value in attributes.items()):
                yield child
            yield from child.all(tag, class_, **attributes)

    def one(self, tag: str = "", class_: str = "", **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, class_, **attributes)
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes what is not open"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def read(text: str) -> Element:
    """The page's elements; everything that is opened is closed."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def page_of(out: Path, *, trust: bool = False) -> Element:
    """The page about a dataset, written and read, after the checks that every one has to pass."""
    target = write_report(out, trust=trust)
    page = read(target.read_text("utf-8"))
    assert harms(page) == []
    assert differs(page, Manifest.load(LocalStorage(out))) == []
    return page


def harms(page: Element) -> list[str]:
    """What a page must not have: anything that runs, loads, or leads elsewhere."""
    problems = []
    for element in page.all():
        if element.tag not in TAGS:
            problems.append(f"<{element.tag}>")
        for name, value in element.attributes.items():
            if name not in ATTRIBUTES and not name.startswith("data-"):
                problems.append(f"{element.tag} {name}")
            if name == "href" and not re.fullmatch("#[a-z-]+", value):
                problems.append(f"leads to {value}")
            if name == "src" and not re.fullmatch("data:image/jpeg;base64,[A-Za-z0-9+/]+=*", value):
                problems.append(f"loads {value[:40]}")
    policy = page.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    if "default-src 'none'" not in policy or "unsafe" in policy or "script" in policy:
        problems.append(policy)
    return problems


def number(element: Element) -> int:
    """A number as it is written."""
    return int(element.text.replace(",", ""))


def by_source(page: Element) -> dict[str, dict[str, int]]:
    """The table of sources; `all` where there is a line for it."""
    rows = [row for row in page.one("table", "sources").all("tr") if list(row.all("td", "number"))]
    return {
        next(row.all("th")).text: {cell.attributes["data-outcome"]: number(cell) for cell in row.all("td", "number")}
        for row in rows
    }


def by_reason(page: Element) -> dict[str, tuple[int, list[int]]]:
    """The table of reasons: for each outcome its total, and the counts of its reasons."""
    found: dict[str, tuple[int, list[int]]] = {}
    for table in page.one(id="what-became").all("table", "reasons"):
        for row in table.all("tr"):
            cell = next(cell for cell in row.all("td") if "data-outcome" in cell.attributes)
            outcome = cell.attributes["data-outcome"]
            if row.attributes["class"] == "total":
                found[outcome] = (number(cell), [])
            else:
                found[outcome][1].append(number(cell))
    return found


def differs(page: Element, manifest: Manifest) -> list[str]:
    """Where the numbers on a page don't sum up, or aren't those of the manifest."""
    problems = []
    sources = by_source(page)
    if len(manifest.by_source) > 1:
        sums = sources.pop("all")
        problems += ["all"] if sums != {name: manifest.totals[name] for name in sums} else []
        problems += ["sum of sources"] if any(sum(row[name] for row in sources.values()) != sums[name] for name in sums) else []
    for source, counts in manifest.by_source.items():
        wanted = totals({source: counts})
        shown = sources.pop(source)
        problems += [source] if shown != {name: wanted[name] for name in shown} else []
        problems += [f"{source} sum"] if shown["read"] != sum(shown.values()) - shown["read"] else []
    problems += [f"stranger {name}" for name in sources]
    reasons = by_reason(page)
    for outcome in ("filtered", "duplicate", "quarantined"):
        total, parts = reasons.pop(outcome, (0, []))
        problems += [f"total of {outcome}"] if total != manifest.totals[outcome] else []
        problems += [f"reasons of {outcome}"] if outcome != "duplicate" and sum(parts) != total else []
    dropped = sum(int(cell.attributes["data-dropped"]) for cell in page.all("td") if "data-dropped" in cell.attributes)
    problems += ["groups"] if dropped != manifest.totals["duplicate"] else []
    for row in page.all("tr"):
        split = row.attributes.get("data-split")
        if split is not None:
            shards = manifest.split(split)
            wanted_row = [len(shards), sum(shard.samples for shard in shards), sum(shard.bytes for shard in shards)]
            problems += [f"shards of {split}"] if [number(cell) for cell in row.all("td", "number")][:3] != wanted_row else []
    return problems
