"""Law 8: private memory is bounded by the recipe's limits, whatever the corpus, its largest file, or its largest cluster.

Every corpus is one file. An inline build is driver and worker in one process, so the cap holds for both together.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.building.driver import Builder
from sslpipe.building.learn import _first
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.engines.inline import Inline
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.tokenize import Tokenize
from sslpipe.readers.jsonl import Jsonl
from sslpipe.recipe.recipe import Limits, Recipe, Shards
from tests.laws.capped import Case, lay, run
from tests.laws.conftest import shard_hashes

MEMORY = PART = 8_000_000
BUDGET = 2 * MEMORY + 4 * (8 << 20)
"""Sort buffers and the merge beside them; and a batch of records, 8 MiB at most, as lines, rows, changed rows and entries."""

STREAM_BASE, STREAM_ROW = 24 << 20, 96
"""What a stream holds: stacks of threads and batches; and a line of a table for each row of the shards that it has opened."""

LONG = Case("long", 1, dedup=True, memory_bytes=MEMORY, part_bytes=PART, budget=BUDGET)
COPIES = replace(LONG, corpus="copies")
TINY = replace(LONG, corpus="tiny")
KEPT = replace(COPIES, dedup=False)
CASES = {"long rows": LONG, "copies of one document": COPIES, "tiny rows": TINY, "copies that are kept": KEPT}
READ = {"long": 40_400, "copies": 303_000, "tiny": 404_000}


def check(case: Case) -> dict[str, Any]:
    """Run a case under its cap; AssertionError with what broke it."""
    answer = run(case)
    assert "error" not in answer, answer["error"]
    assert answer["totals"]["read"] == READ[case.corpus] * case.times
    return answer


@pytest.mark.parametrize("name", ["long rows", "copies of one document"])
def test_a_build_stays_below_the_cap(name: str) -> None:
    answer = check(CASES[name])
    assert answer["input_bytes"] > 29_000_000
    if CASES[name] == COPIES:
        assert answer["totals"]["duplicate"] == 300_000 - 3001


@pytest.mark.soak
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_three_times_the_corpus_takes_no_more(name: str, times: int) -> None:
    check(replace(CASES[name], times=times))


def test_a_stream_is_flat_over_epochs() -> None:
    answer = check(replace(LONG, epochs=2))
    first, second = answer["held"]
    assert second <= first + (1 << 20)
    assert second < STREAM_BASE + STREAM_ROW * answer["totals"]["kept"]


@pytest.mark.soak
@pytest.mark.parametrize("case", [TINY, replace(LONG, times=3)], ids=["tiny", "long"])
def test_a_stream_holds_a_line_a_row_and_nothing_of_their_content(case: Case) -> None:
    answer = check(replace(case, epochs=3, budget=BUDGET + 256 * READ[case.corpus] * case.times))
    assert max(answer["held"]) - min(answer["held"]) < 1 << 20
    assert max(answer["held"]) < STREAM_BASE + STREAM_ROW * answer["totals"]["kept"]


@pytest.mark.parametrize(("case", "mutant"), [(LONG, "memory_bytes"), (TINY, "keys")], ids=["all rows", "all keys"])
def test_mutants_break_the_cap(case: Case, mutant: str) -> None:
    """One with all rows in one buffer, one with all keys in a list."""
    error = run(replace(case, mutant=mutant)).get("error", "")
    assert "MemoryError" in error or "bad_alloc" in error or "ended with -" in error, error or "it stayed below the cap"


def test_the_mutants_are_right_but_for_memory() -> None:
    """Without a cap they build what they should."""
    for mutant in ("memory_bytes", "keys"):
        check(replace(LONG, mutant=mutant, budget=10**12))


SEED = 5
"""One by which a document is sampled, all of its copies at once."""


def _copied(folder: Path, memory: int) -> Recipe:
    return Recipe(
        name="copied", seed=SEED, sources={"one": Jsonl(paths=(str(folder / "one.jsonl"),))},
        build=(ByteLevelBpe(vocab_size=300, sample_bytes=100_000), Tokenize(keep_text=True)), shards=Shards(count=2),
        limits=Limits(memory_bytes=memory, max_bad=1, max_duplicate=1),
    )  # fmt: skip


def test_a_cluster_walked_in_windows_is_the_cluster_at_once(tmp_path: Path) -> None:
    """Copies that are kept: two thousand don't fit into a part of the smallest memory, sixteen thousand do into the largest."""
    texts = [
        f'{{"text": "{name} {name * 40}"}}\n' * 2000 for name in ("alpha", "beta", "gamma", "delta", "eta", "nu", "pi", "xi")
    ]
    (tmp_path / "one.jsonl").write_text("".join(texts))
    for memory in (1_000_000, 10**9):
        Builder(_copied(tmp_path, memory), tmp_path / str(memory), Inline()).run()
    found = shard_hashes(tmp_path / "1000000")
    assert found == shard_hashes(tmp_path / "1000000000")
    assert sum((tmp_path / "1000000" / "shards" / name).stat().st_size for name in found) > 16_000 * 1024


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=30), st.integers(0, 60), st.integers(0, 30)
)
def test_letting_go_of_a_sample_on_the_way_changes_nothing(rows: list[tuple[int, int]], wanted: int, cut: int) -> None:
    hashes = np.array([pair[0] for pair in rows], np.uint64)
    names = Names.from_keys(hashes, np.arange(len(rows), dtype=np.uint64))
    whole = Rows(names, {"text": Ragged.from_bytes([b"x" * pair[1] for pair in rows]), "_sample": hashes})
    cut = min(cut, len(rows))
    parts = [part for part in (whole.view(0, cut), whole.view(cut, len(rows))) if len(part)]
    without = _first(Rows.concat([_first(part, wanted) for part in parts]), wanted)
    assert len(without) >= len(_first(whole, wanted)), "the mutant lets too much in, never too little"
    kept = _first(Rows.concat([_first(part, wanted, beyond=1) for part in parts]), wanted)
    assert kept.names.texts() == _first(whole, wanted).names.texts()


def test_the_corpora_are_what_they_say(tmp_path: Path) -> None:
    lay(tmp_path / "copies", "copies", 0)
    lines = (tmp_path / "copies").read_text().splitlines()
    assert len(lines) == 303 and len(set(lines)) == 5
