"""What a running build shows: lines in a file, bars on a terminal."""

from __future__ import annotations

import io
import re

import pytest

from sslpipe.commands import progress
from sslpipe.commands.progress import Bars, Lines, progress_for, words
from sslpipe.shards.commits import Commit


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


COMMIT = Commit(stage="0-read", task=0, fingerprint="f", facts={"input_bytes": 500})


def test_lines_say_each_stage_and_then_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    stream = io.StringIO()
    lines = progress_for(stream, quiet=False)
    assert isinstance(lines, Lines)
    lines.stage("0-read", 40, 3)
    for _ in range(30):
        now += 1
        lines.tick(COMMIT)
    lines.stage("2-spill", 1, 0)
    lines.close()
    assert stream.getvalue().splitlines() == [
        "[   0.0 s] reading and filtering: 3 of 40 tasks",
        "[  10.0 s] reading and filtering: 13 of 40 tasks",
        "[  20.0 s] reading and filtering: 23 of 40 tasks",
        "[  30.0 s] reading and filtering: 33 of 40 tasks",
        "[  30.0 s] filtering: 0 of 1 tasks",
    ]
    assert lines.input_bytes == 15_000


def test_quiet_says_nothing_and_counts_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    lines = progress_for(Terminal(), quiet=True)
    lines.stage("0-read", 2, 0)
    lines.tick(COMMIT)
    assert lines.input_bytes == 500
    assert capsys.readouterr() == ("", "")


def test_bars_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    stream = Terminal()
    bars = progress_for(stream, quiet=False)
    assert isinstance(bars, Bars)
    bars.stage("0-read", 2, 1)
    bars.tick(COMMIT)
    bars.stage("1-shards", 3, 0)
    bars.close()
    bars.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert "reading and filtering" in shown and "2/2" in shown
    assert "writing shards" in shown and "0/3" in shown
    assert bars.input_bytes == 500
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h") == 1, "the cursor is shown again"


def test_every_kind_of_stage_has_words() -> None:
    kinds = ("0-read", "1-spill", "0-resolve", "0-sample-0", "0-fit-1", "1-weigh", "2-shards")
    assert [words(kind) for kind in kinds] == [
        "reading and filtering", "filtering", "finding duplicates", "sampling", "learning", "weighing", "writing shards",
    ]  # fmt: skip
