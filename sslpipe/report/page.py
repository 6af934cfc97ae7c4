"""The page about a dataset: one file, which shows everywhere what it shows here, and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from sslpipe.report.findings import Findings
from sslpipe.report.html import Child, Html, joined, tag
from sslpipe.report.sections.duplicates import duplicates
from sslpipe.report.sections.measures import measures
from sslpipe.report.sections.outcomes import outcomes
from sslpipe.report.sections.overview import overview
from sslpipe.report.sections.recipe import recipe
from sslpipe.report.sections.rows import bad_records, dropped_rows, kept_rows
from sslpipe.report.sections.shards import shards

SECTIONS = (
    ("what-became", "What became of every record", outcomes),
    ("recipe", "The recipe", recipe),
    ("measures", "What was measured", measures),
    ("kept", "Rows that were kept", kept_rows),
    ("dropped", "Rows that were dropped", dropped_rows),
    ("duplicates", "Duplicates", duplicates),
    ("bad", "Records that could not be read", bad_records),
    ("shards", "Shards", shards),
)


def page(found: Findings) -> Html:
    """The whole page. The same dataset gives the same bytes; sections without anything to say are left out."""
    made = [(name, title, body) for name, title, section in SECTIONS if (body := section(found)) is not None]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in made]
    main = tag("main", [tag("section", tag("h2", title), content, id=name) for name, title, content in made])
    title = f"{found.manifest.name} · sslpipe report"
    return joined(
        Html("<!doctype html>\n"),
        tag("html", _head(title), tag("body", overview(found), tag("nav", links), main), lang="en"),
        Html("\n"),
    )


def _head(title: str) -> Html:
    style = _style()
    # Even if a text got out of its element, a browser would load nothing, run nothing, and take no other style.
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{known}'; base-uri 'none'; form-action 'none'"
    facts: list[Child] = [
        tag("meta", charset="utf-8"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", title),
        Html(f"<style>{style}</style>"),
    ]
    return tag("head", facts)


@cache
def _style() -> str:
    return Path(__file__).with_name("style.css").read_text("utf-8")
