"""`report.html`: a dataset as pictures."""

from __future__ import annotations

from pathlib import Path

from sslpipe.report.findings import find
from sslpipe.report.page import page
from sslpipe.shards.storage import LocalStorage

FILE = "report.html"


def write_report(out: Path, target: Path | None = None, *, trust: bool = False) -> Path:
    """Write the page about a finished dataset, into its folder or to another file; the path of the page.

    Only what lies in the folder is read: of rows that were dropped the page has the path, never the content. Thresholds are
    those of the dataset's own recipe; steps of other packages that it names are code, which runs only with `trust`. Raises
    DataError where the dataset is not finished.
    """
    text = page(find(LocalStorage(out), trust=trust))
    target = target or out / FILE
    LocalStorage(target.parent).replace(target.name, text.encode())
    return target
