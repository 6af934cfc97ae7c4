"""`sslpipe explain` prints what `building/explain.py` finds."""

from __future__ import annotations

from pathlib import Path

from sslpipe.stream.dataset import Dataset
from tests.building.corpora import lay, records
from tests.commands.conftest import RECIPE, Sslpipe


def test_a_kept_row_and_one_that_is_nowhere(work: Path, sslpipe: Sslpipe) -> None:
    sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    key = Dataset("out").keys[0]
    ended = sslpipe("explain", "out", key[:10])
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{work}/in/0.jsonl, record ") and ended.out.endswith(f", member {key}\n")
    ended = sslpipe("explain", "out", "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "sslpipe: nothing in out is called `nowhere`; give a key (32 hex digits, or how it starts), or a path\n"
    )


def test_by_how_much_a_threshold_was_missed(work: Path, sslpipe: Sslpipe) -> None:
    lay(work, {"in": [*records(4), {"text": "tiny words", "url": "u/tiny"}]})
    small = RECIPE.replace("tests.building.foreign.filters.long_enough: {least: 10}", "filters.gopher_quality: {min_words: 3}")
    (work / "small.yaml").write_text(small)
    sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    ended = sslpipe("explain", "out", "in/0.jsonl")
    assert "\n  filtered: gopher.too_few_words: 2 words, min_words is 3\n" in ended.out
    (work / "small.yaml").write_text(RECIPE.replace("least: 10", "least: 11"))
    sslpipe("build", "small.yaml", "-o", "other", "--engine", "inline")
    assert "\n  thresholds can't be told: " in sslpipe("explain", "other", "in/0.jsonl").out
    ended = sslpipe("explain", "other", "in/0.jsonl", "--trust")
    assert "\n  filtered: short: 10 elements, least is 11\n" in ended.out


def test_many_records(work: Path, sslpipe: Sslpipe) -> None:
    lay(work, {"in": records(30)})
    sslpipe("build", "small.yaml", "-o", "out", "--engine", "inline")
    ended = sslpipe("explain", "out", "in/0.jsonl")
    assert ended.out.count("  key ") == 20
    assert ended.out.endswith("\n\nonly the first 20 are shown; give a longer key or path\n")


def test_not_finished(work: Path, sslpipe: Sslpipe) -> None:
    ended = sslpipe("explain", "out", "x")
    assert (ended.code, ended.err) == (2, "sslpipe: out holds no build; `sslpipe build RECIPE -o out` starts one\n")
