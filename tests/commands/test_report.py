"""`sslpipe report` says where the page is."""

from __future__ import annotations

from pathlib import Path

from tests.commands.conftest import Sslpipe
from tests.report.pages import differs, harms, read


def test_a_page(work: Path, sslpipe: Sslpipe) -> None:
    sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    ended = sslpipe("report", "out")
    assert (ended.code, ended.err, ended.out) == (0, "", "wrote out/report.html (0.0 MB)\n")
    page = read((work / "out/report.html").read_text())
    assert harms(page) == [] and "thresholds can't be told" in page.text.lower()
    from sslpipe.stream.dataset import Dataset

    assert differs(page, Dataset("out").manifest) == []
    ended = sslpipe("report", "out", "--trust", "-o", "pages/mine.html")
    assert (ended.code, ended.out) == (0, "wrote pages/mine.html (0.0 MB)\n")
    assert "least is 10" in (work / "pages/mine.html").read_text()
    again = sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    assert again.code == 0 and (work / "out/report.html").exists(), "a page beside a dataset does not get in its way"


def test_not_finished(work: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("report", "out")
    assert (ended.code, ended.err) == (2, "sslpipe: out does not exist\n")
    assert not (work / "out").exists()
    (work / "out").mkdir()
    ended = sslpipe("report", "out")
    assert (ended.code, ended.err) == (2, "sslpipe: out is not finished yet; `sslpipe status out` says how far it is\n")


def test_a_page_that_cannot_be_written(work: Path, sslpipe: Sslpipe) -> None:
    sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    ended = sslpipe("report", "out", "-o", "small.yaml/page.html")
    assert ended.code == 4 and ended.err.startswith("sslpipe: could not write ")


def test_help_ends_in_examples(sslpipe: Sslpipe) -> None:
    lines = sslpipe("report", "--help").out.rstrip().splitlines()
    assert [line.strip() for line in lines[-2:]] == [
        "sslpipe report out",
        "sslpipe report /shared/out -o out.html",
    ]
